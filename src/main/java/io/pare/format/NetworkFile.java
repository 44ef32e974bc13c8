package io.pare.format;

import io.pare.file.FileException;
import io.pare.file.FormatException;
import io.pare.file.TextFile;
import io.pare.format.npy.NpzFile;
import io.pare.format.onnx.Bindings;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.pare.PareFile;
import io.pare.format.pytorch.PyTorchFile;
import io.pare.format.safetensors.Safetensors;
import io.pare.format.tensors.ElementType;
import io.pare.format.tensors.ZipArchive;
import io.pare.mem.Region;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Parameter;
import io.pare.net.StoredNetwork;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads a network from any of the files that Pare knows, whatever its name, and writes it as any of them. */
public final class NetworkFile {
    /** Entry of a safetensors file's map that names the network. */
    public static final String MODEL = "model";
    /** Entries of a safetensors file's map that say for which images and how many classes the network is. */
    public static final String INPUT = "input.shape";
    /** Entry beside {@link #INPUT}: how many classes. */
    public static final String CLASSES = "classes";
    /** Entry of a safetensors file's map that holds the layers of a network that no name stands for. */
    public static final String LAYERS = "layers";
    /** Entries of a safetensors file's map that say how pixels become inputs. */
    public static final String MEAN = "input.mean";
    /** Entry beside {@link #MEAN}: by what pixels are divided. */
    public static final String DEVIATION = "input.deviation";

    private static final long MAX_FILE_BYTES = 1L << 30;
    private static final int SNIFFED = PyTorchFile.SNIFFED_BYTES;
    /** An ONNX file begins with the key of its field 1: its IR version, a small number. */
    private static final int IR_VERSION = 8;

    private NetworkFile() {}

    /** Kinds of files that are written. */
    public enum Kind {
        /** Pare's own: see {@link PareFile}. */
        PARE,
        /** Dense tensors of floats. */
        SAFETENSORS,
        /** For each tensor its positions, codes and codebook, as plain tensors. */
        SAFETENSORS_COMPRESSED,
        /** Dense weights. */
        ONNX,
        /** Codes, codebooks and Gather operators. */
        ONNX_CODEBOOK
    }

    /** Formats of files that are read; each is known by its content. */
    public enum Format {
        /** Pare's own: see {@link PareFile}. */
        PARE,
        /** Tensors by name, dense or compressed: see {@link Safetensors}. */
        SAFETENSORS,
        /** A state dict of PyTorch: see {@link PyTorchFile}. */
        PYTORCH,
        /** Arrays of NumPy by name: see {@link NpzFile}. */
        NPZ,
        /** A graph of operators: see {@link OnnxFile}. */
        ONNX
    }

    /**
     * Writes the whole file or nothing.
     *
     * @param path of the file
     * @param weights the network and its tensors
     * @param kind of file
     * @throws IOException not thrown: what cannot be written is an {@link io.pare.file.FileException}
     */
    public static void write(Path path, CompressedWeights weights, Kind kind) throws IOException {
        switch (kind) {
            case PARE -> PareFile.write(path, weights);
            case SAFETENSORS -> writeDense(path, weights);
            case SAFETENSORS_COMPRESSED -> writeCompressed(path, weights);
            case ONNX -> OnnxFile.write(path, weights, OnnxWeights.FLOATS);
            case ONNX_CODEBOOK -> OnnxFile.write(path, weights, OnnxWeights.AS_THEY_ARE);
        }
    }

    /**
     * Begins a safetensors file that says which network its tensors belong to, and how pixels become inputs.
     *
     * @param model the network
     * @param scale how pixels become inputs
     * @return a writer, to which tensors are to be added
     */
    public static Safetensors.Writer writer(Net model, InputScale scale) {
        Safetensors.Writer writer = new Safetensors.Writer().metadata(MODEL, model.name())
                .metadata(INPUT, model.input().toString()).metadata(CLASSES, Integer.toString(model.classes()))
                .metadata(MEAN, scale.means()).metadata(DEVIATION, scale.deviations());
        return isKnown(model)
                ? writer
                : writer.metadata(LAYERS, Base64.getEncoder().encodeToString(PareFile.encode(model)));
    }

    /** Whether a name and the shape of the input say which network it is. */
    private static boolean isKnown(Net model) {
        if (!Models.names().contains(model.name())) {
            return false;
        }
        try {
            return Models.byName(model.name(), model.input(), model.classes()).trained().equals(model.trained());
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static void writeDense(Path path, CompressedWeights weights) throws IOException {
        try (Region region = Region.confined("export")) {
            Safetensors.Writer writer = writer(weights.model(), weights.scale());
            weights.dense(region).forEach(writer::add);
            writer.write(path);
        }
    }

    private static void writeCompressed(Path path, CompressedWeights weights) throws IOException {
        Safetensors.Writer writer = writer(weights.model(), weights.scale());
        weights.tensors().forEach((name, tensor) -> {
            int[] positions = new int[tensor.nonzeros()];
            byte[] codes = new byte[tensor.isCoded() ? positions.length : 0];
            float[] values = new float[tensor.isCoded() ? 0 : positions.length];
            for (int i = 0; i < positions.length; i++) {
                positions[i] = tensor.position(i);
                if (tensor.isCoded()) {
                    codes[i] = (byte) tensor.code(i);
                } else {
                    values[i] = tensor.value(i);
                }
            }
            writer.add(name + ".shape", tensor.shape());
            writer.add(name + ".positions", ElementType.I32, new long[]{positions.length}, littleEndian(positions));
            if (tensor.isCoded()) {
                writer.add(name + ".codes", ElementType.U8, new long[]{codes.length}, MemorySegment.ofArray(codes));
                float[] codebook = tensor.codebook();
                writer.add(name + ".codebook", ElementType.F32, new long[]{codebook.length}, littleEndian(codebook));
            } else {
                writer.add(name + ".values", ElementType.F32, new long[]{values.length}, littleEndian(values));
            }
        });
        writer.write(path);
    }

    private static MemorySegment littleEndian(int[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(values);
        return MemorySegment.ofArray(bytes.array());
    }

    private static MemorySegment littleEndian(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return MemorySegment.ofArray(bytes.array());
    }

    /**
     * Reads a network; a file of tensors must name its network, as safetensors may.
     *
     * @param path of the file
     * @return the network and its tensors, on the heap
     * @throws IOException if the file cannot be read
     */
    public static CompressedWeights read(Path path) throws IOException {
        return read(path, null, Map.of());
    }

    /**
     * Reads a network.
     *
     * @param path of the file
     * @param model the network that the file's weights belong to, or null to trust the file
     * @param names for parameters whose tensor has another name in the file: parameter to tensor; may be empty
     * @return the network and its tensors, on the heap
     * @throws IOException if the file cannot be read
     */
    public static CompressedWeights read(Path path, @Nullable Net model, Map<String, String> names) throws IOException {
        return contents(path, model, names).weights();
    }

    /**
     * Reads a network like {@link #read(Path, Net, Map)}, and whether the file says how pixels become inputs.
     *
     * @param path of the file
     * @param model the network that the file is to hold; {@code null} where the file says it
     * @param names tensors' names by parameters' names; empty where they are the same
     * @return the network and what the file says of it
     * @throws IOException if the file cannot be read
     */
    public static StoredNetwork contents(Path path, @Nullable Net model, Map<String, String> names) throws IOException {
        return contents(path, model, names, false);
    }

    /**
     * As {@link #contents(Path, Net, Map)}.
     *
     * @param path of the file
     * @param model the network that the file is to hold; {@code null} where the file says it
     * @param names tensors' names by parameters' names; empty where they are the same
     * @param ignoreExtra whether tensors of a file that the network has no parameter for are left out rather
     *     than refused; then every parameter must be found by its name
     * @return the network and what the file says of it
     * @throws IOException if the file cannot be read
     */
    public static StoredNetwork contents(Path path, @Nullable Net model, Map<String, String> names, boolean ignoreExtra)
            throws IOException {
        return contents(path, model, names, ignoreExtra, Bindings.NONE);
    }

    /**
     * As {@link #contents(Path, Net, Map, boolean)}.
     *
     * @param path of the file
     * @param model the network that the file is to hold; {@code null} where the file says it
     * @param names tensors' names by parameters' names; empty where they are the same
     * @param ignoreExtra whether tensors that the network has not are no error
     * @param bindings what an ONNX file leaves open; other files leave nothing open
     * @return the network and what the file says of it
     * @throws IOException if the file cannot be read
     */
    public static StoredNetwork contents(Path path, @Nullable Net model, Map<String, String> names, boolean ignoreExtra,
            Bindings bindings) throws IOException {
        return switch (format(path)) {
            case PARE -> new StoredNetwork(fitting(path, PareFile.read(path), model), true);
            case SAFETENSORS -> TensorNetwork.read(path, Safetensors.open(path), model, names, ignoreExtra);
            case PYTORCH -> TensorNetwork.read(path, PyTorchFile.open(path), model, names, ignoreExtra);
            case NPZ -> TensorNetwork.read(path, NpzFile.open(path), model, names, ignoreExtra);
            case ONNX -> {
                StoredNetwork contents = onnx(path, bindings);
                yield new StoredNetwork(fitting(path, contents.weights(), model), contents.scaled(), false,
                        contents.notes());
            }
        };
    }

    private static StoredNetwork onnx(Path path, Bindings bindings) throws IOException {
        try {
            return OnnxFile.contents(path, bindings);
        } catch (FormatException e) {
            throw new FormatException(path + ": " + e.getMessage(), e);
        }
    }

    /**
     * {@return how pixels become inputs of the network in a file, or null if the file does not say it} Tensors of large
     * files are not read.
     *
     * @param path of the file
     * @throws FormatException if the file is damaged
     * @throws IOException if the file cannot be read
     */
    public static @Nullable InputScale scale(Path path) throws IOException {
        return switch (format(path)) {
            case PARE -> PareFile.read(path).scale();
            case SAFETENSORS -> {
                try (Safetensors file = Safetensors.open(path)) {
                    String means = file.metadata().get(MEAN);
                    String deviations = file.metadata().get(DEVIATION);
                    yield means == null || deviations == null ? null : InputScale.parse(means, deviations);
                } catch (IllegalArgumentException e) {
                    throw new FormatException(path + ", entries " + MEAN + " and " + DEVIATION + ": " + e.getMessage(),
                            e);
                }
            }
            case ONNX -> OnnxFile.scale(path);
            case PYTORCH, NPZ -> null;
        };
    }

    /** Whether a file has as many bytes as it begins with, if that is the length of a safetensors file's header. */
    private static boolean fits(byte[] start, Path path) throws IOException {
        long header = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
        return header >= 0 && header <= Files.size(path);
    }

    /**
     * {@return what format a file has, by its first bytes; for a ZIP archive, by what it holds}
     *
     * @param path of any file
     * @throws IOException if the file cannot be read
     */
    public static Format format(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            throw new FormatException(path + " is a folder, a file with a network was expected");
        }
        byte[] start;
        try (var in = Files.newInputStream(path)) {
            start = in.readNBytes(SNIFFED);
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(path.toString(), null, "there is no such file");
        }
        if (start.length >= 4 && start[0] == 'P' && start[1] == 'A' && start[2] == 'R' && start[3] == 'E') {
            return Format.PARE;
        }
        if (PyTorchFile.isLegacy(start)) {
            return Format.PYTORCH;
        }
        if (start.length > 8 && start[8] == '{' && (start[0] != IR_VERSION || fits(start, path))) {
            return Format.SAFETENSORS;
        }
        Format packed = ZipArchive.is(start) ? packed(path) : null;
        if (packed != null) {
            return packed;
        }
        // One of TensorFlow may look alike.
        if (start.length > 2 && start[0] == IR_VERSION && start[1] > 0 && Files.size(path) <= MAX_FILE_BYTES
                && ForeignFile.of(start, path) != ForeignFile.TENSORFLOW) {
            return Format.ONNX;
        }
        ForeignFile foreign = ForeignFile.of(start, path);
        throw new FormatException(path + ": " + (foreign == null
                ? "neither a .pare nor a safetensors nor an ONNX file, nor one of PyTorch or NumPy"
                : foreign.advice()));
    }

    /** The format of what an archive holds, or null. */
    private static Format packed(Path path) throws IOException {
        try (ZipArchive archive = ZipArchive.open(path)) {
            return PyTorchFile.isIn(archive) ? Format.PYTORCH : NpzFile.isIn(archive) ? Format.NPZ : null;
        } catch (FormatException e) {
            throw new FormatException(path + ": " + e.getMessage(), e);
        }
    }

    /** Checks that weights belong to the wanted network, and gives them its names: layers may be called differently. */
    private static CompressedWeights fitting(Path path, CompressedWeights weights, @Nullable Net model) {
        if (model == null || weights.model().equals(model)) {
            return weights;
        }
        List<Parameter> parameters = model.parameters();
        List<CompressedTensor> tensors = new ArrayList<>(weights.tensors().values());
        boolean fits = Ending.without(model).computesLike(Ending.without(weights.model()));
        if (!fits) {
            throw new FormatException(path + ": holds the network " + weights.model().name() + " with the layers "
                    + kinds(weights.model()) + ", not " + model.name() + " with " + kinds(model)
                    + firstOther(weights.model(), model));
        }
        Map<String, CompressedTensor> renamed = new LinkedHashMap<>();
        for (int i = 0; i < parameters.size(); i++) {
            renamed.put(parameters.get(i).name(), tensors.get(i));
        }
        return new CompressedWeights(model, renamed, weights.scale());
    }

    /** The first layers that differ, where kinds and shapes do not show them. */
    private static String firstOther(Net own, Net wanted) {
        if (!kinds(own).equals(kinds(wanted))) {
            return "";
        }
        for (int i = 0; i < own.layers().size(); i++) {
            Node one = own.layers().get(i);
            Node other = wanted.layers().get(i);
            if (!one.op().equals(other.op())) {
                return ": its " + one.name() + " is " + one.op() + ", that of " + wanted.name() + " is " + other.op();
            }
        }
        return "; they are wired otherwise";
    }

    private static String kinds(Net net) {
        return net.layers().stream().map(node -> node.op().getClass().getSimpleName() + " " + node.output())
                .collect(Collectors.joining(", "));
    }

    /**
     * Reads a map of names: one line {@code parameter=tensor} for each, {@code #} begins a comment.
     *
     * @param path of a text
     * @return tensors' names by parameters' names
     * @throws IOException if the file cannot be read
     */
    public static Map<String, String> readNames(Path path) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = new StringReader(TextFile.read(path))) {
            properties.load(reader);
        } catch (IllegalArgumentException e) {
            throw new FormatException(path + ": not a map of names: " + e.getMessage(), e);
        }
        Map<String, String> names = new TreeMap<>();
        properties.forEach((key, value) -> names.put(key.toString(), value.toString()));
        return names;
    }
}
