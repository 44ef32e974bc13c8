package io.pare.format;

import io.pare.file.FileException;
import io.pare.file.FormatException;
import io.pare.file.TextFile;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.pare.PareFile;
import io.pare.format.safetensors.ElementType;
import io.pare.format.safetensors.Safetensors;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Parameter;
import io.pare.net.Shape;
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
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Reads a network from any of the files that Pare knows, whatever its name, and writes it as any of them. */
public final class NetworkFile {
    /** Entry of a safetensors file's map that names the network. */
    public static final String MODEL = "model";
    /** Entries of a safetensors file's map that say for which images and how many classes the network is. */
    public static final String INPUT = "input.shape";
    public static final String CLASSES = "classes";
    /** Entries of a safetensors file's map that say how pixels become inputs. */
    public static final String MEAN = "input.mean";
    public static final String DEVIATION = "input.deviation";

    private static final long MAX_FILE_BYTES = 1L << 30;
    private static final int SNIFFED = 9;
    /** Tensors that a message names of a kind. */
    private static final int NAMED = 8;
    /** PyTorch counts batches beside running statistics, and makes no use of it at a fixed momentum. */
    private static final String UNUSED_COUNTER = ".num_batches_tracked";

    private NetworkFile() {}

    /** Kinds of files. */
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

    /** Writes the whole file or nothing. */
    public static void write(Path path, CompressedWeights weights, Kind kind) throws IOException {
        switch (kind) {
            case PARE -> PareFile.write(path, weights);
            case SAFETENSORS -> writeDense(path, weights);
            case SAFETENSORS_COMPRESSED -> writeCompressed(path, weights);
            case ONNX -> OnnxFile.write(path, weights, false);
            case ONNX_CODEBOOK -> OnnxFile.write(path, weights, true);
        }
    }

    /** Begins a safetensors file that says which network its tensors belong to, and how pixels become inputs. */
    public static Safetensors.Writer writer(Net model, InputScale scale) {
        return new Safetensors.Writer().metadata(MODEL, model.name()).metadata(INPUT, model.input().toString())
                .metadata(CLASSES, Integer.toString(model.classes())).metadata(MEAN, scale.means())
                .metadata(DEVIATION, scale.deviations());
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

    /** Reads a network; a safetensors file must name its network. */
    public static CompressedWeights read(Path path) throws IOException {
        return read(path, null, Map.of());
    }

    /**
     * Reads a network.
     *
     * @param model the network that the file's weights belong to, or null to trust the file
     * @param names for parameters whose tensor has another name in the file: parameter to tensor; may be empty
     */
    public static CompressedWeights read(Path path, Net model, Map<String, String> names) throws IOException {
        return contents(path, model, names).weights();
    }

    /** Reads a network like {@link #read(Path, Net, Map)}, and whether the file says how pixels become inputs. */
    public static StoredNetwork contents(Path path, Net model, Map<String, String> names) throws IOException {
        return contents(path, model, names, false);
    }

    /**
     * As {@link #contents(Path, Net, Map)}.
     *
     * @param ignoreExtra whether tensors of a safetensors file that the network has no parameter for are left out rather
     *     than refused; then every parameter must be found by its name
     */
    public static StoredNetwork contents(Path path, Net model, Map<String, String> names, boolean ignoreExtra)
            throws IOException {
        return switch (kind(path)) {
            case PARE -> new StoredNetwork(fitting(path, PareFile.read(path), model), true);
            case SAFETENSORS, SAFETENSORS_COMPRESSED -> readSafetensors(path, model, names, ignoreExtra);
            case ONNX, ONNX_CODEBOOK -> {
                try {
                    StoredNetwork contents = OnnxFile.contents(Files.readAllBytes(path));
                    yield new StoredNetwork(fitting(path, contents.weights(), model), contents.scaled());
                } catch (FormatException e) {
                    throw new FormatException(path + ": " + e.getMessage(), e);
                }
            }
        };
    }

    /** What kind of file it is, by its first bytes. */
    public static Kind kind(Path path) throws IOException {
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
            return Kind.PARE;
        }
        if (start.length == SNIFFED && start[8] == '{') {
            return Kind.SAFETENSORS;
        }
        // An ONNX file begins with its IR version, field 1, a small number; one of TensorFlow may look alike.
        if (start.length > 2 && start[0] == 8 && start[1] > 0 && Files.size(path) <= MAX_FILE_BYTES
                && ForeignFile.of(start, path) != ForeignFile.TENSORFLOW) {
            return Kind.ONNX;
        }
        ForeignFile foreign = ForeignFile.of(start, path);
        throw new FormatException(path + ": "
                + (foreign == null ? "neither a .pare nor a safetensors nor an ONNX file" : foreign.advice()));
    }

    /** Checks that weights belong to the wanted network, and gives them its names: layers may be called differently. */
    private static CompressedWeights fitting(Path path, CompressedWeights weights, Net model) {
        if (model == null || weights.model().equals(model)) {
            return weights;
        }
        List<Parameter> parameters = model.parameters();
        List<CompressedTensor> tensors = new ArrayList<>(weights.tensors().values());
        boolean fits = model.computesLike(weights.model());
        if (!fits) {
            throw new FormatException(path + ": holds the network " + weights.model().name() + " with the layers "
                    + weights.model().layers().stream().map(Node::op).toList() + ", not " + model.name());
        }
        Map<String, CompressedTensor> renamed = new LinkedHashMap<>();
        for (int i = 0; i < parameters.size(); i++) {
            renamed.put(parameters.get(i).name(), tensors.get(i));
        }
        return new CompressedWeights(model, renamed, weights.scale());
    }

    private static StoredNetwork readSafetensors(Path path, Net wanted, Map<String, String> names,
            boolean ignoreExtra)
            throws IOException {
        try (Safetensors file = Safetensors.open(path); Region region = Region.confined("import")) {
            Net model = wanted == null ? named(path, file) : wanted;
            PareFile.checkSize(model);
            Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
            Map<String, String> found = names(path, file, model, names, ignoreExtra);
            for (Parameter parameter : model.parameters()) {
                String name = found.get(parameter.name());
                tensors.put(parameter.name(), file.contains(name + ".positions")
                        ? compressed(path, file, name, parameter, region)
                        : dense(path, file, name, parameter, region));
            }
            boolean scaled = file.metadata().containsKey(MEAN) || file.metadata().containsKey(DEVIATION);
            return new StoredNetwork(new CompressedWeights(model, tensors, scale(path, file, model)), scaled);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new FormatException(path + ": " + e.getMessage(), e);
        }
    }

    private static Net named(Path path, Safetensors file) {
        String name = file.metadata().get(MODEL);
        if (name == null) {
            throw new FormatException(path + " does not say which network its tensors " + some(file.names())
                    + " belong to: name the network; known are " + String.join(", ", Models.names()));
        }
        String input = file.metadata().get(INPUT);
        return Models.byName(name, input == null ? null : Shape.parse(input),
                Integer.parseInt(file.metadata().getOrDefault(CLASSES, "0")));
    }

    /** What the file says, else what is usual. */
    private static InputScale scale(Path path, Safetensors file, Net model) {
        InputScale usual = InputScale.usual(model.input());
        try {
            InputScale scale = InputScale.parse(file.metadata().getOrDefault(MEAN, usual.means()),
                    file.metadata().getOrDefault(DEVIATION, usual.deviations()));
            if (!scale.fits(model.input().channels())) {
                throw new IllegalArgumentException("for " + scale.mean().size() + " channels, the input is "
                        + model.input());
            }
            return scale;
        } catch (IllegalArgumentException e) {
            throw new FormatException(path + ", entries " + MEAN + " and " + DEVIATION + ": " + e.getMessage(), e);
        }
    }

    /**
     * Finds each parameter's tensor: by the map, by its own name, by its own name behind a prefix that all share such as
     * "module.", or as the only tensor of its shape, unless tensors may be extra.
     */
    private static Map<String, String> names(Path path, Safetensors file, Net model, Map<String, String> given,
            boolean ignoreExtra) {
        String prefix = prefix(file, model);
        Map<String, String> found = new TreeMap<>();
        Set<String> unused = new TreeSet<>();
        file.names().forEach(name -> unused.add(tensorName(name)));
        List<String> missing = new ArrayList<>();
        for (Parameter parameter : model.parameters()) {
            String name = given.getOrDefault(parameter.name(), prefix + parameter.name());
            if (has(file, name)) {
                found.put(parameter.name(), name);
                unused.remove(name);
            } else if (given.containsKey(parameter.name())) {
                missing.add("'" + name + "' (to which " + parameter.name() + " is mapped)");
            }
        }
        for (Parameter parameter : model.parameters()) {
            if (!found.containsKey(parameter.name()) && !given.containsKey(parameter.name())) {
                List<String> alike = unused.stream().filter(name -> file.contains(name)
                        && Arrays.equals(file.entry(name).shape(), parameter.shape())).toList();
                if (alike.size() == 1 && !ignoreExtra) {
                    found.put(parameter.name(), alike.getFirst());
                    unused.remove(alike.getFirst());
                } else {
                    missing.add(parameter.name() + " " + Arrays.toString(parameter.shape())
                            + (alike.isEmpty() ? "" : ", which may be one of [" + some(alike) + "]"));
                }
            }
        }
        List<String> unfit = new ArrayList<>();
        for (Parameter parameter : model.parameters()) {
            String name = found.get(parameter.name());
            if (name != null && file.contains(name)
                    && !Arrays.equals(file.entry(name).shape(), parameter.shape())) {
                unfit.add(name + " " + Arrays.toString(file.entry(name).shape()) + " instead of "
                        + Arrays.toString(parameter.shape()));
            }
        }
        unused.removeIf(name -> ignoreExtra || name.endsWith(UNUSED_COUNTER));
        if (!missing.isEmpty() || !unfit.isEmpty()) {
            throw new FormatException(path + " does not hold the weights of " + model.name()
                    + (missing.isEmpty() ? "" : "; missing: " + some(missing))
                    + (unused.isEmpty() ? "" : "; not known: " + some(unused))
                    + (unfit.isEmpty() ? "" : "; of another shape: " + some(unfit))
                    + ". Name another model, or map the names by a file with lines such as "
                    + model.parameters().getFirst().name() + "=NAME");
        }
        if (!unused.isEmpty()) {
            throw new FormatException(path + " holds the weights of " + model.name() + " and what it has no parameter"
                    + " for: " + some(unused) + "; --ignore-extra leaves that out");
        }
        return found;
    }

    /** The first of them, and how many more there are: networks have hundreds of tensors. */
    private static String some(Collection<String> names) {
        String first = names.stream().limit(NAMED).collect(Collectors.joining(", "));
        return names.size() <= NAMED ? first : first + " and " + (names.size() - NAMED) + " more";
    }

    /** What stands before the names of most parameters. */
    private static String prefix(Safetensors file, Net model) {
        String best = "";
        if (model.parameters().isEmpty()) {
            return best;
        }
        long most = hits(file, model, best);
        String first = "." + model.parameters().getFirst().name();
        for (String name : file.names()) {
            String tensor = tensorName(name);
            if (tensor.endsWith(first)) {
                String prefix = tensor.substring(0, tensor.length() - first.length() + 1);
                long hits = hits(file, model, prefix);
                if (hits > most) {
                    most = hits;
                    best = prefix;
                }
            }
        }
        return best;
    }

    private static long hits(Safetensors file, Net model, String prefix) {
        return model.parameters().stream().filter(parameter -> has(file, prefix + parameter.name())).count();
    }

    /** The tensor to which an entry belongs: a compressed one has several entries. */
    private static String tensorName(String entry) {
        for (String part : List.of(".positions", ".codes", ".codebook", ".values", ".shape")) {
            if (entry.endsWith(part)) {
                return entry.substring(0, entry.length() - part.length());
            }
        }
        return entry;
    }

    private static boolean has(Safetensors file, String name) {
        return file.contains(name) || file.contains(name + ".positions");
    }

    private static CompressedTensor dense(Path path, Safetensors file, String name, Parameter parameter, Region region)
            throws IOException {
        FloatTensor tensor = file.floats(name, region);
        if (!Arrays.equals(tensor.shape(), parameter.shape())) {
            throw new FormatException(path + ": tensor '" + name + "' has shape " + Arrays.toString(tensor.shape())
                    + ", " + parameter.name() + " needs " + Arrays.toString(parameter.shape()));
        }
        return CompressedTensor.of(tensor);
    }

    private static CompressedTensor compressed(Path path, Safetensors file, String name, Parameter parameter,
            Region region) throws IOException {
        long[] positions = file.longs(name + ".positions");
        boolean coded = file.contains(name + ".codes");
        long[] codes = coded ? file.longs(name + ".codes") : null;
        float[] values = file.floats(name + (coded ? ".codebook" : ".values"), region).toArray();
        if ((coded ? codes.length : values.length) != positions.length
                || !Arrays.equals(file.longs(name + ".shape"), parameter.shape())) {
            throw new FormatException(path + ": the parts of tensor '" + name + "' do not fit together or not "
                    + Arrays.toString(parameter.shape()));
        }
        int[] kept = new int[positions.length];
        float[] found = new float[positions.length];
        int count = 0;
        long last = -1;
        for (int i = 0; i < positions.length; i++) {
            long at = positions[i];
            if (at <= last || at >= parameter.count() || coded && (codes[i] < 0 || codes[i] >= values.length)) {
                throw new FormatException(path + ": element " + i + " of tensor '" + name
                        + "' is out of range, or not behind the one before it");
            }
            last = at;
            float value = coded ? values[(int) codes[i]] : values[i];
            if (!Float.isFinite(value)) {
                throw new FormatException(path + ": element " + i + " of tensor '" + name + "' is " + value);
            }
            if (value != 0) {
                kept[count] = (int) at;
                found[count++] = value;
            }
        }
        return CompressedTensor.of(parameter.shape(), Arrays.copyOf(kept, count), Arrays.copyOf(found, count));
    }

    /** Reads a map of names: one line {@code parameter=tensor} for each, {@code #} begins a comment. */
    public static Map<String, String> readNames(Path path) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = new StringReader(TextFile.read(path))) {
            properties.load(reader);
        } catch (FileException e) {
            throw new FormatException(e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new FormatException(path + ": not a map of names: " + e.getMessage(), e);
        }
        Map<String, String> names = new TreeMap<>();
        properties.forEach((key, value) -> names.put(key.toString(), value.toString()));
        return names;
    }
}
