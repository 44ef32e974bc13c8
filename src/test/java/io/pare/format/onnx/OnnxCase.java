package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.run.Engine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A folder of ONNX's backend tests: a model, and sets of inputs with the outputs that they must give.
 *
 * @param folder holds {@code model.onnx}, and in {@code test_data_set_0} and further ones {@code input_0.pb} to
 *            {@code output_0.pb} and further ones, in the order of the graph's inputs and outputs
 */
record OnnxCase(Path folder) {
    /** Tolerances of ONNX's own runner (onnx/backend/test/runner). */
    private static final double RELATIVE = 1e-3;
    private static final double ABSOLUTE = 1e-7;

    /**
     * Inputs of operators that are weights, or that say shapes, places and bounds, by their number: most importers take
     * them as constants only. Of operators that are not here every input is data.
     */
    private static final Map<String, Set<Integer>> CONSTANTS = Map.ofEntries(
            Map.entry("BatchNormalization", Set.of(1, 2, 3, 4)), Map.entry("Clip", Set.of(1, 2)),
            Map.entry("ConstantOfShape", Set.of(0)), Map.entry("Conv", Set.of(1, 2)),
            Map.entry("ConvTranspose", Set.of(1, 2)), Map.entry("CumSum", Set.of(1)),
            Map.entry("Dropout", Set.of(1, 2)),
            Map.entry("Expand", Set.of(1)), Map.entry("GRU", Set.of(1, 2, 3, 4, 5)),
            Map.entry("Gemm", Set.of(1, 2)), Map.entry("GroupNormalization", Set.of(1, 2)),
            Map.entry("InstanceNormalization", Set.of(1, 2)), Map.entry("LSTM", Set.of(1, 2, 3, 4, 5, 6, 7)),
            Map.entry("LayerNormalization", Set.of(1, 2)), Map.entry("OneHot", Set.of(1, 2)),
            Map.entry("PRelu", Set.of(1)), Map.entry("Pad", Set.of(1, 2)), Map.entry("RNN", Set.of(1, 2, 3, 4, 5)),
            Map.entry("ReduceL1", Set.of(1)), Map.entry("ReduceL2", Set.of(1)), Map.entry("ReduceMax", Set.of(1)),
            Map.entry("ReduceMean", Set.of(1)), Map.entry("ReduceMin", Set.of(1)), Map.entry("ReduceSum", Set.of(1)),
            Map.entry("Reshape", Set.of(1)), Map.entry("Resize", Set.of(1, 2, 3)),
            Map.entry("Slice", Set.of(1, 2, 3, 4)), Map.entry("Split", Set.of(1)), Map.entry("Squeeze", Set.of(1)),
            Map.entry("Tile", Set.of(1)), Map.entry("Trilu", Set.of(1)), Map.entry("Unsqueeze", Set.of(1)),
            Map.entry("Upsample", Set.of(1)));

    /** What came of a case. */
    sealed interface Outcome {
        record Passed() implements Outcome {}

        /** The file, or what it takes, is nothing that Pare reads. */
        record Refused(String reason) implements Outcome {}

        record Failed(String reason) implements Outcome {}
    }

    /** The cases in a folder, by name. */
    static List<OnnxCase> in(Path group) throws IOException {
        try (Stream<Path> folders = Files.list(group)) {
            return folders.filter(folder -> Files.exists(folder.resolve("model.onnx"))).sorted().map(OnnxCase::new)
                    .toList();
        }
    }

    /** Its group and its own name. */
    String name() {
        return folder.getParent().getFileName() + "/" + folder.getFileName();
    }

    /** Runs every set in both engines. */
    Outcome run() {
        try {
            byte[] file = Files.readAllBytes(folder.resolve("model.onnx"));
            for (int set = 0; Files.isDirectory(folder.resolve("test_data_set_" + set)); set++) {
                Path data = folder.resolve("test_data_set_" + set);
                Map<String, OnnxConstant> inputs = inputs(file, tensors(data, "input"));
                String failure = compare(read(file, inputs), inputs, tensors(data, "output"));
                if (failure != null) {
                    return new Outcome.Failed("set " + set + ": " + failure);
                }
            }
            return new Outcome.Passed();
        } catch (FormatException e) {
            return new Outcome.Refused(e.getMessage());
        } catch (IOException | RuntimeException | Error e) {
            return new Outcome.Failed(
                    e + Arrays.stream(e.getStackTrace()).findFirst().map(at -> " at " + at).orElse(""));
        }
    }

    private static List<OnnxConstant> tensors(Path data, String kind) throws IOException {
        List<OnnxConstant> tensors = new ArrayList<>();
        for (int i = 0; Files.exists(data.resolve(kind + "_" + i + ".pb")); i++) {
            tensors.add(OnnxFile.tensor(data.resolve(kind + "_" + i + ".pb")));
        }
        return tensors;
    }

    /** The tensors by the names of the graph's inputs; old files name weights as inputs too. */
    private static Map<String, OnnxConstant> inputs(byte[] file, List<OnnxConstant> tensors) {
        OnnxGraph graph = new OnnxGraph(ByteBuffer.wrap(file), null);
        Map<String, OnnxConstant> inputs = new LinkedHashMap<>();
        for (String name : graph.inputs().keySet()) {
            if (!graph.holds(name) && inputs.size() < tensors.size()) {
                inputs.put(name, bits(tensors.get(inputs.size()), graph.inputs().get(name).type()));
            }
        }
        return inputs;
    }

    /** NumPy has no bfloat16: ONNX's data has the bits of such numbers as integers. */
    private static OnnxConstant bits(OnnxConstant tensor, long declared) {
        return tensor.type() == Type.UINT16 && declared == Type.BFLOAT16.code()
                ? new OnnxConstant(Type.BFLOAT16, tensor.shape(), tensor.data())
                : tensor;
    }

    /** The model with as few inputs bound as it takes: none, sizes that the file leaves free, then constants too. */
    private static OnnxModel read(byte[] file, Map<String, OnnxConstant> inputs) {
        Bindings sizes = OnnxFile.sizes(file, inputs);
        OnnxGraph graph = new OnnxGraph(ByteBuffer.wrap(file), null);
        Bindings constants = sizes;
        for (String name : constants(graph)) {
            if (inputs.containsKey(name)) {
                constants = constants.with(name, inputs.get(name));
            }
        }
        FormatException last = null;
        for (Bindings bindings : new LinkedHashSet<>(List.of(Bindings.NONE, sizes, constants))) {
            try {
                return OnnxFile.model(file, bindings);
            } catch (FormatException e) {
                last = e;
            }
        }
        throw last;
    }

    private static Set<String> constants(OnnxGraph graph) {
        Set<String> names = new LinkedHashSet<>();
        for (var node : graph.nodes()) {
            for (int index : CONSTANTS.getOrDefault(node.operator(), Set.of())) {
                if (index < node.inputs().size()) {
                    names.add(node.inputs().get(index));
                }
            }
        }
        return names;
    }

    /** What is wrong with a model's outputs; null if nothing is. */
    private static String compare(OnnxModel model, Map<String, OnnxConstant> inputs, List<OnnxConstant> expected) {
        if (model.outputs().size() != expected.size()) {
            return "gives " + model.outputs().size() + " outputs, not " + expected.size();
        }
        int samples = 1;
        for (Port port : model.inputs()) {
            samples = port.batchAxis() < 0 ? samples : (int) inputs.get(port.name()).shape()[port.batchAxis()];
        }
        float[] vectors = new float[samples * model.weights().model().input().features()];
        for (Port port : model.inputs()) {
            if (inputs.get(port.name()).count() != samples * port.features()) {
                throw new FormatException(
                        "input '" + port.name() + "' of the case has another shape than its model says");
            }
            port.pack(inputs.get(port.name()).decimals(), samples, vectors);
        }
        // The sparse engine refuses other numbers.
        boolean finite = IntStream.range(0, vectors.length).allMatch(i -> Float.isFinite(vectors[i]));
        for (Engine engine : finite ? Engine.values() : new Engine[]{Engine.DENSE}) {
            String failure = compare(model, engine.outputs(model.weights(), vectors, samples), samples, expected);
            if (failure != null) {
                return engine + ": " + failure;
            }
        }
        return null;
    }

    private static String compare(OnnxModel model, float[] vectors, int samples, List<OnnxConstant> expected) {
        for (int i = 0; i < expected.size(); i++) {
            Port port = model.outputs().get(i);
            long[] shape = port.shape();
            if (port.batchAxis() >= 0) {
                shape[port.batchAxis()] = samples;
            }
            OnnxConstant wanted = bits(expected.get(i), port.type().code());
            if (!Arrays.equals(shape, wanted.shape()) || port.type() != wanted.type()) {
                return "output '" + port.name() + "' is " + port.type() + " " + Arrays.toString(shape) + ", not "
                        + wanted.type() + " " + Arrays.toString(wanted.shape());
            }
            float[] values = port.unpack(vectors, samples);
            for (int at = 0; at < values.length; at++) {
                if (!same(wanted, at, values[at])) {
                    return "output '" + port.name() + "' " + at + " of " + values.length + " is " + values[at]
                            + ", not " + wanted.decimal(at);
                }
            }
        }
        return null;
    }

    private static boolean same(OnnxConstant wanted, int at, float value) {
        float number = wanted.decimal(at);
        // Networks compute with floats, whatever the type.
        double relative = wanted.type() == OnnxConstant.Type.BFLOAT16 ? Math.scalb(1.0, -7) : RELATIVE;
        return value == number || Float.isNaN(value) && Float.isNaN(number)
                || wanted.type().isFloating() && Math.abs(value - number) <= ABSOLUTE + relative * Math.abs(number);
    }
}
