package io.pare.run;

import io.pare.file.FormatException;
import io.pare.format.NetworkFile;
import io.pare.format.onnx.Bindings;
import io.pare.format.onnx.OnnxConstant;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxModel;
import io.pare.format.onnx.Port;
import io.pare.net.CompressedWeights;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * A network that takes tensors by name and gives tensors by name: for comparing Pare with anything that reads the same file.
 *
 * @param model the network, with its inputs and outputs
 */
public record ModelRun(OnnxModel model) {
    /** Name of the output of networks whose files name none. */
    public static final String OUTPUT = "output";

    /**
     * {@return the network of an ONNX file, for inputs of the shapes of those given}
     *
     * @param file in ONNX
     * @param inputs by name; their sizes are those of dimensions that the file leaves free
     * @param bindings says more, see there
     * @throws FormatException if the file holds what Pare does not read, or inputs do not fit it
     * @throws IOException if the file cannot be read
     */
    public static ModelRun ofOnnx(Path file, Map<String, OnnxConstant> inputs, Bindings bindings) throws IOException {
        try {
            Map<String, Integer> sizes = new HashMap<>(OnnxFile.sizes(file, inputs).sizes());
            sizes.putAll(bindings.sizes());
            return new ModelRun(OnnxFile.model(file, new Bindings(sizes, bindings.constants(), bindings.output())));
        } catch (FormatException e) {
            throw new FormatException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads what the network of an ONNX file takes.
     *
     * @param file in ONNX
     * @param bindings what the file leaves open
     * @return names of inputs, in the file's order
     * @throws FormatException if the file holds what Pare does not read
     * @throws IOException if the file cannot be read
     */
    public static List<String> inputs(Path file, Bindings bindings) throws IOException {
        try {
            return OnnxFile.inputs(file, bindings);
        } catch (FormatException e) {
            throw new FormatException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * {@return a network with one input, {@value NetBuilder#INPUT}, and one output, {@value #OUTPUT}}
     *
     * @param weights of the network
     */
    public static ModelRun of(CompressedWeights weights) {
        return new ModelRun(new OnnxModel(weights, true, List.of(port(NetBuilder.INPUT, weights.model().input())),
                List.of(port(OUTPUT, weights.model().output().output())), List.of()));
    }

    private static Port port(String name, Shape sample) {
        long[] shape = LongStream.concat(LongStream.of(-1), sample.sizes().stream().mapToLong(Integer::longValue))
                .toArray();
        return new Port(name, OnnxConstant.Type.FLOAT, shape, 0, 0);
    }

    /**
     * {@return whether a file is one for {@link #ofOnnx}}
     *
     * @param file of a network
     * @throws IOException if the file cannot be read
     */
    public static boolean isOnnx(Path file) throws IOException {
        return NetworkFile.format(file) == NetworkFile.Format.ONNX;
    }

    /**
     * Runs the network.
     *
     * @param inputs one for each input of the network, no more, all of as many samples
     * @param engine that computes
     * @return outputs by name, in the order of the file
     * @throws RunException if one is missing, unknown or of another shape than the network takes
     */
    public Map<String, OnnxConstant> outputs(Map<String, OnnxConstant> inputs, Engine engine) {
        float[] vectors = vectors(inputs);
        int samples = samples(inputs);
        float[] given = engine.outputs(model.weights(), vectors, samples);
        Map<String, OnnxConstant> outputs = new LinkedHashMap<>();
        for (Port port : model.outputs()) {
            outputs.put(port.name(), OnnxConstant.of(port.unpack(given, samples), shape(port, samples)));
        }
        return outputs;
    }

    /** What the network takes for such inputs: a vector for each sample; refuses what {@link #outputs} refuses. */
    float[] vectors(Map<String, OnnxConstant> inputs) {
        int samples = samples(inputs);
        float[] vectors = new float[Math.multiplyExact(samples, model.weights().model().input().features())];
        for (Port port : model.inputs()) {
            port.pack(inputs.get(port.name()).decimals(), samples, vectors);
        }
        return vectors;
    }

    /** Checks names and shapes; gives the number of samples, one where the network takes nothing. */
    private int samples(Map<String, OnnxConstant> inputs) {
        List<String> names = model.inputs().stream().map(Port::name).toList();
        for (String name : inputs.keySet()) {
            if (!names.contains(name)) {
                throw new RunException("the network has no input '" + name + "'; it takes " + String.join(", ", names));
            }
        }
        int samples = 0;
        for (Port port : model.inputs()) {
            OnnxConstant input = inputs.get(port.name());
            if (input == null) {
                throw new RunException("input '" + port.name() + "' is missing; the network takes "
                        + String.join(", ", names));
            }
            long[] shape = input.shape();
            int own = port.batchAxis() < 0 || port.batchAxis() >= shape.length ? 1
                    : Math.toIntExact(shape[port.batchAxis()]);
            long[] wanted = port.shape();
            boolean free = port.batchAxis() >= 0 && wanted[port.batchAxis()] < 0;
            if (own < 1 || !Arrays.equals(shape, free ? shape(port, own) : wanted)) {
                throw new RunException("input '" + port.name() + "' has the shape " + Arrays.toString(shape)
                        + ", the network takes " + text(port));
            }
            if (samples > 0 && samples != own) {
                throw new RunException("input '" + port.name() + "' has " + own + " samples, '" + names.getFirst()
                        + "' has " + samples + ": give all inputs as many");
            }
            samples = own;
        }
        return Math.max(1, samples);
    }

    private static long[] shape(Port port, int samples) {
        long[] shape = port.shape();
        if (port.batchAxis() >= 0) {
            shape[port.batchAxis()] = samples;
        }
        return shape;
    }

    private static String text(Port port) {
        return Arrays.stream(port.shape()).mapToObj(size -> size < 0 ? "batch" : Long.toString(size))
                .collect(Collectors.joining(", ", "[", "]"));
    }
}
