package io.pare.format.onnx;

import io.pare.file.AtomicFile;
import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxInputs.Batch;
import io.pare.format.protobuf.Protobuf;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.StoredNetwork;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes networks as ONNX (github.com/onnx/onnx, IR version {@value #IR_VERSION}, opset {@value #OPSET}) and reads
 * those whose operators Pare knows.
 *
 * <p>Weights are written dense, as a codebook and one byte for each weight, which a Gather puts together when the
 * network runs, or as integers with a step and a zero for each block, by opset 21. The same weights give the same bytes.
 */
public final class OnnxFile {
    /** Version of the ONNX representation that is written. */
    public static final int IR_VERSION = 7;
    /** Version of the operator set that is written where it has all that a network needs. */
    public static final int OPSET = 13;

    /** Properties that say how pixels become inputs. */
    static final String MEAN = "pare.mean";
    static final String DEVIATION = "pare.deviation";

    /** More does not fit into an array. */
    private static final long MAX_BYTES = Integer.MAX_VALUE - 8;

    private OnnxFile() {}

    /**
     * Writes the whole file or nothing.
     *
     * @param path of the file
     * @param weights a network and its tensors
     * @param form of weights
     */
    public static void write(Path path, CompressedWeights weights, OnnxWeights form) {
        write(path, weights, form, OnnxNames.usual(weights.model()));
    }

    /**
     * The same with names of one's own.
     *
     * @param path of the file
     * @param weights a network and its tensors
     * @param form of weights
     * @param names of input and output
     */
    public static void write(Path path, CompressedWeights weights, OnnxWeights form, OnnxNames names) {
        AtomicFile.write(path, new OnnxExporter(weights, form, names).run());
    }

    /**
     * Writes a file anew with integers in place of its matrices: of those that it multiplies by, by ONNX Runtime's operator
     * {@code MatMulNBits}, and of those in which it looks rows up, by {@code GatherBlockQuantized}. All else stays as it is.
     *
     * @param from an ONNX file, whether Pare knows its operators or not; its weights may lie in files beside it
     * @param path of the new file, written whole or not at all
     * @param form of kind {@link OnnxWeights.Kind#BLOCKS}
     * @param weights of the same network, which take the place of the file's own; null for those
     * @throws FormatException if the file has no matrix, or is of another network than the weights
     * @throws IOException if the file cannot be read
     */
    public static void rewrite(Path from, Path path, OnnxWeights form, @Nullable CompressedWeights weights)
            throws IOException {
        if (form.kind() != OnnxWeights.Kind.BLOCKS) {
            throw new IllegalArgumentException("a graph is written anew for integers alone, not for " + form.kind());
        }
        byte[] made = mapped(from, file -> new OnnxRewriter(file, folder(from), form, weights).run());
        AtomicFile.write(path, made);
    }

    /**
     * {@return the bytes of a file}
     *
     * @param weights a network and its tensors
     * @param form of weights
     */
    public static byte[] encode(CompressedWeights weights, OnnxWeights form) {
        return new OnnxExporter(weights, form, OnnxNames.usual(weights.model())).run();
    }

    /**
     * {@return what a file's bytes hold: layers, under the names of a known network if it has the same layers}
     *
     * @param file all bytes of a file
     */
    public static CompressedWeights decode(byte[] file) {
        return contents(file).weights();
    }

    /**
     * {@return the network of a file that computes each sample by itself, and whether it says how pixels become inputs;
     * weights may lie in files beside it}
     *
     * @param path of the file
     * @throws IOException if the file cannot be read
     */
    public static StoredNetwork contents(Path path) throws IOException {
        return contents(path, Bindings.NONE);
    }

    /**
     * {@return the same of a file that is read with {@code bindings}}
     *
     * @param path of the file
     * @param bindings what the file leaves open
     * @throws IOException if the file cannot be read
     */
    public static StoredNetwork contents(Path path, Bindings bindings) throws IOException {
        return mapped(path, file -> stored(model(file, folder(path), bindings, List.of(Batch.FIRST))));
    }

    /**
     * {@return the same of a file that is read once, with bindings that depend on what it has}
     *
     * @param path of the file
     * @param choice of the bindings by names of the inputs that something reads, then of all outputs
     * @throws IOException if the file cannot be read
     */
    public static StoredNetwork contents(Path path, BiFunction<List<String>, List<String>, Bindings> choice)
            throws IOException {
        return mapped(path, file -> {
            OnnxGraph graph = new OnnxGraph(file, folder(path));
            Bindings bindings = choice.apply(
                    List.copyOf(new OnnxImporter(graph, Bindings.NONE).inputs().keySet()),
                    List.copyOf(graph.outputs()));
            return stored(model(graph.with(bindings), bindings, List.of(Batch.FIRST)));
        });
    }

    /**
     * {@return the same of a file's bytes}
     *
     * @param file all bytes of a file
     */
    public static StoredNetwork contents(byte[] file) {
        return stored(model(ByteBuffer.wrap(file), null, Bindings.NONE, List.of(Batch.FIRST)));
    }

    /**
     * {@return what a file with one input and one output calls them}
     *
     * @param path of the file
     * @throws IOException if the file cannot be read
     */
    public static OnnxNames names(Path path) throws IOException {
        return names(path, Bindings.NONE);
    }

    /**
     * {@return the same of a file that is read with {@code bindings}, which may choose one of several outputs}
     *
     * @param path of the file
     * @param bindings what the file leaves open
     * @throws IOException if the file cannot be read
     */
    public static OnnxNames names(Path path, Bindings bindings) throws IOException {
        List<String> inputs = inputs(path, bindings);
        return mapped(path, file -> new OnnxNames(inputs.getFirst(),
                new OnnxGraph(file, folder(path)).with(bindings).outputs().iterator().next()));
    }

    /**
     * {@return names of what a graph takes: its inputs, without tensors of the file, constants and those that nothing
     * reads}
     *
     * @param path of the file
     * @param bindings what the file leaves open
     * @throws FormatException if there are none
     * @throws IOException if the file cannot be read
     */
    public static List<String> inputs(Path path, Bindings bindings) throws IOException {
        return mapped(path, file -> new OnnxImporter(new OnnxGraph(file, folder(path)).with(bindings), bindings)
                .inputs().keySet().stream().toList());
    }

    private static StoredNetwork stored(OnnxModel model) {
        if (model.inputs().size() != 1) {
            throw new FormatException("the graph has the inputs " + names(model.inputs())
                    + ", one is needed here; run takes any number by name");
        }
        if (model.outputs().size() != 1) {
            throw new FormatException("the graph has the outputs " + names(model.outputs())
                    + ", one is needed here: choose it by --output-name NAME; run gives all of them");
        }
        return new StoredNetwork(model.weights(), model.scaled(), false, model.notes());
    }

    private static List<String> names(List<Port> ports) {
        return ports.stream().map(Port::name).toList();
    }

    /**
     * {@return what a file holds, with the inputs and outputs of its graph; weights may lie in files beside it}
     *
     * @param path of the file
     * @param bindings what the file leaves open
     * @throws IOException if the file cannot be read
     */
    public static OnnxModel model(Path path, Bindings bindings) throws IOException {
        return mapped(path, file -> model(file, folder(path), bindings, List.of(Batch.values())));
    }

    private static Path folder(Path path) {
        return path.toAbsolutePath().getParent();
    }

    /** What is read of a file's bytes, which are mapped meanwhile: a copy would double the memory of large networks. */
    private static <T> T mapped(Path path, Function<ByteBuffer, T> reading) throws IOException {
        long size = Files.size(path);
        if (size > MAX_BYTES) {
            throw new FormatException(path + " has " + size + " bytes, at most " + MAX_BYTES
                    + " are read: save it with external data");
        }
        try (Arena arena = Arena.ofConfined(); FileChannel channel = FileChannel.open(path)) {
            return reading.apply(channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena).asByteBuffer());
        }
    }

    /**
     * {@return what a file's bytes hold, with the inputs and outputs of its graph}
     *
     * @param file all bytes of a file
     * @param bindings what the file leaves open
     */
    public static OnnxModel model(byte[] file, Bindings bindings) {
        return model(ByteBuffer.wrap(file), null, bindings, List.of(Batch.values()));
    }

    private static OnnxModel model(ByteBuffer file, Path folder, Bindings bindings, List<Batch> readings) {
        return model(new OnnxGraph(file, folder).with(bindings), bindings, readings);
    }

    private static OnnxModel model(OnnxGraph graph, Bindings bindings, List<Batch> readings) {
        InputScale scale = scale(graph.properties());
        try {
            return new OnnxImporter(graph, bindings).run(scale, readings);
        } catch (IllegalArgumentException e) {
            throw new FormatException("the layers do not fit together: " + e.getMessage(), e);
        } catch (ArithmeticException e) {
            throw new FormatException("the sizes of a layer are too large: " + e.getMessage(), e);
        }
    }

    /**
     * {@return the sizes of dimensions that a file leaves free, as its inputs have them} Those of the first axis are
     * left out: it counts samples as a rule, of which a network takes any number.
     *
     * @param path of the file
     * @param inputs by name; others than the graph's say nothing
     * @throws IOException if the file cannot be read
     */
    public static Bindings sizes(Path path, Map<String, OnnxConstant> inputs) throws IOException {
        return mapped(path, file -> sizes(new OnnxGraph(file, folder(path)), inputs));
    }

    /**
     * {@return the same of a file's bytes}
     *
     * @param file all bytes of a file
     * @param inputs tensors for the graph's inputs, by name
     */
    public static Bindings sizes(byte[] file, Map<String, OnnxConstant> inputs) {
        return sizes(new OnnxGraph(ByteBuffer.wrap(file), null), inputs);
    }

    private static Bindings sizes(OnnxGraph graph, Map<String, OnnxConstant> inputs) {
        Bindings sizes = Bindings.NONE;
        for (Map.Entry<String, OnnxGraph.Declared> declared : graph.inputs().entrySet()) {
            String name = declared.getKey();
            long[] free = declared.getValue().shape();
            long[] own = inputs.containsKey(name) ? inputs.get(name).shape() : new long[0];
            for (int axis = 1; axis < Math.min(free.length, own.length); axis++) {
                if (free[axis] < 0) {
                    sizes = sizes.with(name + ":" + axis, Math.toIntExact(own[axis]));
                }
            }
        }
        return sizes;
    }

    /**
     * {@return the tensor that is all of a file, as ONNX's tests keep them: a message TensorProto}
     *
     * @param path of the file
     * @throws IOException if the file cannot be read
     */
    public static OnnxConstant tensor(Path path) throws IOException {
        return new OnnxTensors(folder(path)).read(new Protobuf.Reader(Files.readAllBytes(path)));
    }

    /**
     * {@return how pixels become inputs, or null if a file does not say it} Its tensors are not read.
     *
     * @param path of the file
     * @throws IOException if the file cannot be read
     */
    public static @Nullable InputScale scale(Path path) throws IOException {
        return mapped(path, file -> scale(new OnnxGraph(file, folder(path)).properties()));
    }

    /** The scale that the file gives, or null. */
    private static @Nullable InputScale scale(Map<String, String> properties) {
        if (!properties.containsKey(MEAN) && !properties.containsKey(DEVIATION)) {
            return null;
        }
        try {
            return InputScale.parse(properties.getOrDefault(MEAN, InputScale.UNIT.means()),
                    properties.getOrDefault(DEVIATION, InputScale.UNIT.deviations()));
        } catch (IllegalArgumentException e) {
            throw new FormatException("properties " + MEAN + " and " + DEVIATION + ": " + e.getMessage(), e);
        }
    }
}
