package io.pare.format.pare;

import io.pare.file.AtomicFile;
import io.pare.file.FormatException;
import io.pare.format.pare.BitCoder.Part;
import io.pare.format.pare.TensorCoder.Budget;
import io.pare.format.pare.TensorCoder.Choice;
import io.pare.format.pare.TensorCoder.Levels;
import io.pare.format.pare.TensorCoder.View;
import io.pare.mem.FloatTensor;
import io.pare.mem.Heap;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Flow;
import io.pare.net.InputScale;
import io.pare.net.Liveness;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.CRC32C;

/**
 * Reads and writes {@code .pare} files: a network with all its weights, coded to few bytes, in one file.
 *
 * <p>The page docs/format.md specifies every byte. The same weights give the same bytes on every machine, and
 * reading gives back the same bits. A reader checks the checksum first, then each size before it allocates: a damaged or
 * malicious file gives a {@link FormatException}. Files in layers, see {@link ProgressiveFile}, are read whole.
 */
public final class PareFile {
    /** Newest version of the format that is read. The first that can describe the network and its values is written. */
    public static final int VERSION = 4;
    /** First version with scales of groups; it describes networks as version 2 does. */
    private static final int SCALED = 3;
    /** First version with levels in tables, and with blocks of bytes behind the decisions. */
    private static final int BLOCKS = 4;

    /** Largest number of weights and biases that is read, all together. */
    public static final long MAX_ELEMENTS = 1L << 28;

    /** Largest number of values of one sample: the input's, and what all layers take with their padding and give. */
    public static final long MAX_FEATURES = 1L << 26;

    /** Scales that a file names by number. Never reorder: files refer to them. */
    private static final List<InputScale> USUAL = List.of(InputScale.MNIST, InputScale.UNIT);
    private static final byte[] MAGIC = {'P', 'A', 'R', 'E'};
    private static final int FRAME_BYTES = MAGIC.length + 1 + Integer.BYTES;
    private static final long MAX_FILE_BYTES = 1L << 30;
    /** Added to the version where the file says how it was made. */
    private static final int NOTED = 0x80;
    /** What is read of a stream at once. */
    private static final int PART_BYTES = 1 << 16;

    private PareFile() {}

    /**
     * Where the bytes of a file go, by part; a part's figure is exact to a fraction of a byte, the sum is the file.
     *
     * @param file size of the whole file
     * @param header magic, version, model, checksum, rounding
     * @param positions bytes that say where the values stand
     * @param codes bytes that say which value each is
     * @param codebooks bytes of the values themselves
     * @param biases bytes of all tensors but weights
     * @param tensors the same of each weight, by its name
     */
    public record Sizes(int file, double header, double positions, double codes, double codebooks, double biases,
            Map<String, TensorSizes> tensors) {}

    /**
     * Bytes of one tensor.
     *
     * @param positions bytes that say where the values stand
     * @param codes bytes that say which value each is
     * @param codebook bytes of the values themselves
     * @param positionBound log2 C(n, k) in bytes: what positions cost that are independent of each other
     */
    public record TensorSizes(double positions, double codes, double codebook, double positionBound) {
        /** {@return the bytes of the three parts} */
        public double total() {
            return positions + codes + codebook;
        }
    }

    /**
     * Writes the whole file or nothing, after a check that a reader takes what is written.
     *
     * @param path of the file
     * @param weights a network and its tensors
     */
    public static void write(Path path, CompressedWeights weights) {
        write(path, weights, Map.of());
    }

    /**
     * Writes the whole file or nothing, with a note of how it was made.
     *
     * @param path of the file
     * @param weights a network and its tensors
     * @param provenance texts of one line by names without a colon, in their order; nothing is written where it is empty
     * @throws IllegalArgumentException if a name or text is none of these, or all of them take more than 65,535 bytes
     */
    public static void write(Path path, CompressedWeights weights, Map<String, String> provenance) {
        byte[] file = encode(weights, choices(weights, true), Note.bytes(provenance));
        decode(file);
        AtomicFile.write(path, file);
    }

    /**
     * {@return what a file says of how it was made, in its order; empty if it says nothing}
     *
     * @param path of a {@code .pare} file
     * @throws IOException if the file cannot be read
     */
    public static Map<String, String> provenance(Path path) throws IOException {
        try {
            byte[] file = bytes(path);
            if (ProgressiveFile.begins(file)) {
                return Map.of();
            }
            version(file);
            return noted(file) ? Note.read(Arrays.copyOfRange(file, MAGIC.length + 1 + Short.BYTES, payload(file)))
                    : Map.of();
        } catch (FormatException e) {
            throw new FormatException(path + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads and checks a file.
     *
     * @param path of a {@code .pare} file
     * @return the network and its tensors, on the heap
     * @throws IOException if the file cannot be read
     */
    public static CompressedWeights read(Path path) throws IOException {
        try {
            return decode(bytes(path));
        } catch (FormatException e) {
            throw new FormatException(path + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads and checks a file from a stream, to its end; the stream stays open. What does not begin as a file does is read
     * no further.
     *
     * @param stream read to its end, not closed
     * @return the network and its tensors, on the heap
     * @throws NullPointerException if there is no stream, as for a resource that there is not
     * @throws IOException if the file cannot be read
     */
    public static CompressedWeights read(InputStream stream) throws IOException {
        return read(stream, MAX_FILE_BYTES);
    }

    /**
     * As {@link #read(InputStream)}, of so many bytes at most.
     *
     * @param stream read to its end, not closed
     * @param most bytes that are read at most
     * @return the network and its tensors, on the heap
     * @throws IllegalArgumentException if that is less than 1
     * @throws IOException if the file cannot be read
     */
    public static CompressedWeights read(InputStream stream, long most) throws IOException {
        Objects.requireNonNull(stream,
                "there is no stream: getResourceAsStream gives null for a name that is not there");
        if (most < 1) {
            throw new IllegalArgumentException("a limit of " + most + " bytes, must be at least 1");
        }
        byte[] head = stream.readNBytes(FRAME_BYTES);
        if (!ProgressiveFile.begins(head)) {
            checkFrame(head);
        }
        int limit = (int) Math.min(most, MAX_FILE_BYTES);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.write(head);
        byte[] part = new byte[PART_BYTES];
        for (int n = stream.read(part); n >= 0; n = stream.read(part)) {
            if (file.size() + (long) n > limit) {
                throw new FormatException("the stream gives more than the " + limit + " bytes that are allowed");
            }
            // The array doubles while the old one is still there.
            if (!Heap.holds(3L * (file.size() + n))) {
                throw new FormatException("the stream " + Heap.shortage(3L * (file.size() + n)));
            }
            file.write(part, 0, n);
        }
        return decode(file.toByteArray());
    }

    private static byte[] bytes(Path path) throws IOException {
        try {
            if (Files.isDirectory(path)) {
                throw new FormatException("a folder, a .pare file was expected");
            }
            long size = Files.size(path);
            if (size > MAX_FILE_BYTES) {
                throw new FormatException("not a .pare file, it has " + size + " bytes and at most " + MAX_FILE_BYTES
                        + " are read");
            }
            return Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(path.toString(), null, "there is no such file");
        }
    }

    /**
     * {@return the bytes of a file}
     *
     * @param weights a network and its tensors
     */
    public static byte[] encode(CompressedWeights weights) {
        return encode(weights, choices(weights, true), Note.NONE);
    }

    private static byte[] encode(CompressedWeights weights, Map<String, Choice> choices, byte[] note) {
        BitCoder.Writer coder = new BitCoder.Writer();
        int version = version(weights);
        code(coder, version, weights, Budget.FREE, choices);
        byte[] decisions = coder.finish();
        if (version < BLOCKS) {
            return framed(version, note, decisions);
        }
        byte[] blocks = coder.blocks();
        return framed(version, note, ByteBuffer.allocate(Integer.BYTES + decisions.length + blocks.length)
                .order(ByteOrder.LITTLE_ENDIAN).putInt(decisions.length).put(decisions).put(blocks).array());
    }

    /**
     * {@return the bytes of a network without weights: a file that ends behind the layers}
     *
     * @param net a network
     */
    public static byte[] encode(Net net) {
        BitCoder.Writer coder = new BitCoder.Writer();
        int version = NetCoder.version(net);
        new NetCoder(coder, version).code(net);
        return framed(version, Note.NONE, coder.finish());
    }

    /**
     * {@return the network of {@link #encode(Net)}}
     *
     * @param file all bytes of a file; not changed
     */
    public static Net network(byte[] file) {
        int version = version(file);
        return new NetCoder(reader(file, version), version).code(null);
    }

    private static BitCoder.Reader reader(byte[] file, int version) {
        int at = payload(file);
        int end = file.length - Integer.BYTES;
        if (version < BLOCKS) {
            return new BitCoder.Reader(file, at, end);
        }
        int decisions = at + Integer.BYTES;
        int length = decisions > end ? -1 : ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(at);
        if (length < 0 || length > end - decisions) {
            throw new FormatException("damaged, its decisions do not end: download it again");
        }
        return new BitCoder.Reader(file, decisions, decisions + length, end);
    }

    private static int version(CompressedWeights weights) {
        if (weights.tensors().values().stream().noneMatch(CompressedTensor::isScaled)) {
            return NetCoder.version(weights.model());
        }
        return weights.tensors().values().stream()
                .anyMatch(tensor -> LevelCoder.suits(tensor) && LevelTables.suits(tensor.shape())) ? BLOCKS : SCALED;
    }

    private static Levels levels(int version) {
        return version >= BLOCKS ? Levels.TABLES : version >= SCALED ? Levels.ADAPTIVE : Levels.NONE;
    }

    private static byte[] framed(int version, byte[] note, byte[] payload) {
        int extra = note.length == 0 ? 0 : Short.BYTES + note.length;
        ByteBuffer file = ByteBuffer.allocate(FRAME_BYTES + extra + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        file.put(MAGIC).put((byte) (extra == 0 ? version : version | NOTED));
        if (extra > 0) {
            file.putShort((short) note.length).put(note);
        }
        file.put(payload);
        file.putInt(checksum(file.array(), file.position()));
        return file.array();
    }

    /**
     * {@return what the bytes of a file hold}
     *
     * @param file all bytes of a file; not changed
     */
    public static CompressedWeights decode(byte[] file) {
        if (ProgressiveFile.begins(file)) {
            return ProgressiveFile.decode(file);
        }
        int version = version(file);
        return code(reader(file, version), version, null, new FileBudget(file.length), null);
    }

    /** The version of a whole and undamaged file. */
    private static int version(byte[] file) {
        int version = checkFrame(file);
        int end = file.length - Integer.BYTES;
        int stored = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(end);
        if (stored != checksum(file, end)) {
            throw new FormatException("damaged, its checksum is wrong: copy or download it again");
        }
        return version;
    }

    /** Checks length, magic and version, by the first bytes of a file; gives the version. */
    private static int checkFrame(byte[] file) {
        for (int i = 0; i < MAGIC.length; i++) {
            if (file.length <= i || file[i] != MAGIC[i]) {
                throw new FormatException("not a .pare file, it does not begin with 'PARE'");
            }
        }
        if (file.length < FRAME_BYTES) {
            throw new FormatException("truncated, it has " + file.length + " bytes and even an empty one has "
                    + FRAME_BYTES + ": copy or download it again");
        }
        int version = file[MAGIC.length] & 0xff & ~NOTED;
        if (version < 1 || version > VERSION) {
            throw new FormatException("version " + version + " of the format, this is a reader of version " + VERSION
                    + ": use a newer version of Pare");
        }
        return version;
    }

    private static boolean noted(byte[] file) {
        return (file[MAGIC.length] & NOTED) != 0;
    }

    /** Where the payload of a whole file begins: behind the note, if there is one. */
    private static int payload(byte[] file) {
        int at = MAGIC.length + 1;
        if (!noted(file)) {
            return at;
        }
        at += Short.BYTES;
        int end = file.length - Integer.BYTES;
        if (at <= end) {
            at += Short.toUnsignedInt(ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getShort(at - Short.BYTES));
        }
        if (at > end) {
            throw new FormatException("damaged, its note of how it was made does not end: download it again");
        }
        return at;
    }

    private static int checksum(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    /**
     * {@return where the bytes of the weights' file go}
     *
     * @param weights a network and its tensors
     */
    public static Sizes sizes(CompressedWeights weights) {
        Map<String, Choice> choices = choices(weights, true);
        BitCoder.Meter meter = new BitCoder.Meter();
        Map<String, TensorSizes> tensors = new LinkedHashMap<>();
        double[] before = new double[Part.values().length];
        code(meter, version(weights), weights, Budget.FREE, choices, name -> {
            double[] spent = new double[before.length];
            for (Part part : Part.values()) {
                double bits = meter.bits(part);
                spent[part.ordinal()] = (bits - before[part.ordinal()]) / 8;
                before[part.ordinal()] = bits;
            }
            CompressedTensor tensor = weights.tensor(name);
            tensors.put(name,
                    new TensorSizes(spent[Part.POSITIONS.ordinal()] + spent[Part.BIASES.ordinal()],
                            spent[Part.CODES.ordinal()], spent[Part.CODEBOOK.ordinal()],
                            logBinomial(tensor.count(), tensor.nonzeros()) / 8));
        });
        int file = encode(weights, choices, Note.NONE).length;
        double header = file - (meter.total() - meter.bits(Part.HEADER)) / 8;
        return new Sizes(file, header, meter.bits(Part.POSITIONS) / 8, meter.bits(Part.CODES) / 8,
                meter.bits(Part.CODEBOOK) / 8, meter.bits(Part.BIASES) / 8, tensors);
    }

    /**
     * {@return the log2 of the number of ways to choose {@code k} of {@code n}}
     *
     * @param n of how many
     * @param k how many, 0 to {@code n}
     */
    public static double logBinomial(long n, long k) {
        double bits = 0;
        for (long i = 1; i <= Math.min(k, n - k); i++) {
            bits += Math.log((double) (n - Math.min(k, n - k) + i) / i);
        }
        return bits / Math.log(2);
    }

    /** How to code each tensor. */
    private static Map<String, Choice> choices(CompressedWeights weights, boolean thorough) {
        Map<String, Choice> choices = new LinkedHashMap<>();
        walk(weights.model(), (parameter, view, needed) -> {
            CompressedTensor tensor = weights.tensor(parameter.name());
            // Levels of scales leave nothing to choose.
            choices.put(parameter.name(), LevelCoder.suits(tensor) ? null
                    : CodingSearch.find(tensor, view, needed, !parameter.weight(), thorough));
            return tensor;
        });
        return choices;
    }

    private static CompressedWeights code(BitCoder coder, int version, CompressedWeights weights, Budget budget,
            Map<String, Choice> choices) {
        return code(coder, version, weights, budget, choices, _ -> {});
    }

    private interface Listener {
        void coded(String tensor);
    }

    private static CompressedWeights code(BitCoder coder, int version, CompressedWeights weights, Budget budget,
            Map<String, Choice> choices, Listener listener) {
        coder.part(Part.HEADER);
        Net model = new NetCoder(coder, version).code(weights == null ? null : weights.model());
        InputScale scale = scale(coder, weights == null ? null : weights.scale(), model.input());
        checkSize(model);
        budget.keep(channelBytes(model));
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        walk(model, (parameter, view, needed) -> {
            String name = parameter.name();
            CompressedTensor tensor =
                    new TensorCoder(coder, view, parameter.shape(), !parameter.weight(), budget, levels(version))
                            .code(weights == null ? null : weights.tensor(name), needed,
                                    choices == null ? null : choices.get(name));
            tensors.put(name, tensor);
            listener.coded(name);
            return tensor;
        });
        return new CompressedWeights(model, tensors, scale);
    }

    private static InputScale scale(BitCoder coder, InputScale scale, Shape input) {
        int one = USUAL.size();
        int each = one + 1;
        int kind = coder.number(
                scale == null ? 0
                        : USUAL.contains(scale) ? USUAL.indexOf(scale) : scale.mean().size() == 1 ? one : each,
                0);
        if (kind < one) {
            return USUAL.get(kind);
        }
        int count = kind == one ? 1 : coder.number(scale == null ? 0 : scale.mean().size(), 0);
        if (kind > each || count != 1 && count != input.channels() && count != input.image().channels()) {
            throw new FormatException("the scale of inputs is of kind " + kind + " with " + count
                    + " entries: the file is damaged");
        }
        List<Float> mean = new ArrayList<>();
        List<Float> deviation = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            mean.add(decimal(coder, scale == null ? 0 : scale.mean().get(i)));
            deviation.add(decimal(coder, scale == null ? 0 : scale.deviation().get(i)));
        }
        try {
            return new InputScale(mean, deviation);
        } catch (IllegalArgumentException e) {
            throw new FormatException(e.getMessage() + ": the file is damaged", e);
        }
    }

    private static float decimal(BitCoder coder, float value) {
        return Float.intBitsToFloat(coder.bits(Float.floatToRawIntBits(value), 32));
    }

    /**
     * Refuses networks that are larger than any that is meant: files can declare them in a few bytes.
     *
     * @param model a network of any size
     */
    public static void checkSize(Net model) {
        try {
            long features = model.input().features();
            for (Node node : model.layers()) {
                features = Math.addExact(features, node.output().features());
                for (Shape input : model.inputs(node)) {
                    features = Math.addExact(features, node.op().paddedValues(input));
                }
            }
            if (features > MAX_FEATURES) {
                throw new FormatException("the network's layers take and give " + features
                        + " values for a sample, at most " + MAX_FEATURES + " are possible");
            }
            long elements = 0;
            for (Parameter parameter : model.parameters()) {
                elements = Math.addExact(elements, FloatTensor.count(parameter.shape()));
            }
            if (elements > MAX_ELEMENTS) {
                throw new FormatException("the network has " + elements + " weights and biases, at most "
                        + MAX_ELEMENTS + " are possible");
            }
        } catch (ArithmeticException e) {
            throw new FormatException("the network's layers have more values than can be counted", e);
        }
    }

    /** Bytes for what a reader notes about channels: of the widest layer while it is read, of all whether it is used. */
    private static long channelBytes(Net model) {
        long widest = 0;
        long all = 0;
        for (Node node : model.layers()) {
            long channels = node.output().channels();
            for (Shape input : model.inputs(node)) {
                channels = Math.max(channels, input.channels());
            }
            channels = model.flow(node) instanceof Flow.Mix mix ? Math.max(channels, mix.in()) : channels;
            widest = Math.max(widest, channels);
            all += channels;
        }
        return 4L * Integer.BYTES * widest + all;
    }

    /** Codes one tensor of a walk and returns it. */
    private interface Step {
        CompressedTensor code(Parameter parameter, View view, boolean[] needed);
    }

    /**
     * Visits the parameters from the last layer to the first. What a layer's weights leave unused need not be computed
     * by the layers before, so those rows of theirs need no bits.
     */
    private static void walk(Net model, Step step) {
        Liveness.walk(model, (node, needed) -> {
            CompressedTensor weight = null;
            for (Parameter parameter : node.parameters()) {
                if (model.flow(node) instanceof Flow.Mix && weight == null) {
                    weight = step.code(parameter, view(model, node), needed);
                } else {
                    View view = parameter.weight() ? matrix(parameter) : vector(parameter);
                    boolean each = model.flow(node) instanceof Flow.Keep || model.flow(node) instanceof Flow.Mix;
                    step.code(parameter, view, each && view.rows() == needed.length ? needed : all(view.rows()));
                }
            }
            return weight;
        });
    }

    private static View vector(Parameter parameter) {
        return new View(Math.toIntExact(parameter.count()), 1, 1, 1);
    }

    private static View matrix(Parameter parameter) {
        int rows = Math.toIntExact(parameter.shape()[0]);
        return new View(rows, Math.toIntExact(parameter.count() / rows), 1, 1);
    }

    private static boolean[] all(int rows) {
        boolean[] all = new boolean[rows];
        Arrays.fill(all, true);
        return all;
    }

    /**
     * {@return about how many bits the weight of a node that mixes units takes}
     *
     * @param model the network that the tensor belongs to
     * @param node whose weight it is
     * @param weight the tensor
     */
    public static double bits(Net model, Node node, CompressedTensor weight) {
        return CodingSearch.bits(weight, view(model, node));
    }

    /**
     * {@return whether a tensor has so many elements that positions are coded by gaps, which no order makes much
     * shorter}
     *
     * @param elements of the tensor, zeros included
     */
    public static boolean isCodedByGaps(long elements) {
        return elements > TensorCoder.MAX_CELLS;
    }

    /**
     * How a weight is seen: rows, channels, taps; a matrix behind a flattening by the image before it, unless the
     * flattening has other readers too. Never change: what files hold depends on it.
     */
    private static View view(Net model, Node node) {
        long[] shape = node.weight().shape();
        int rows = Math.toIntExact(shape[0]);
        if (shape.length == 4) {
            return new View(rows, Math.toIntExact(shape[1]), Math.toIntExact(shape[2] * shape[3]),
                    Math.toIntExact(shape[3]));
        }
        List<List<Integer>> readers = model.readers();
        Node before = model.node(node.input());
        while (before.op() instanceof Op.Flatten && readers.get(before.place()).size() == 1) {
            before = model.node(before.input());
        }
        Shape image = before.output();
        // Behind the third dimension no lines are seen.
        int width = image.rank() > 3 ? 1 : image.width();
        return new View(rows, image.channels(), image.features() / image.channels(), width);
    }

    /** What a file of a given length may ask for, in a heap of this size; a writer never needs more of the former. */
    private static final class FileBudget implements Budget {
        private final int fileBytes;
        private long nonzeros;
        private long cells;
        private long kept;

        FileBudget(int fileBytes) {
            this.fileBytes = fileBytes;
            this.nonzeros = (1L << 20) + 1024L * fileBytes;
            this.cells = (1L << 22) + 1024L * fileBytes;
        }

        @Override
        public void nonzeros(int wanted) {
            nonzeros -= wanted;
            check(nonzeros);
            // Positions and values stay; both exist twice while they are put together.
            keep(2L * Integer.BYTES * wanted);
            scratch(2L * Integer.BYTES * wanted);
        }

        @Override
        public void cells(long wanted) {
            cells -= wanted;
            check(cells);
        }

        private void check(long left) {
            if (left < 0) {
                throw new FormatException("a file of " + fileBytes
                        + " bytes cannot hold as many weights as it declares: it is damaged");
            }
        }

        @Override
        public void keep(long bytes) {
            kept += bytes;
            scratch(0);
        }

        @Override
        public void scratch(long bytes) {
            if (!Heap.holds(kept + bytes)) {
                throw new FormatException("the network that the file declares " + Heap.shortage(kept + bytes));
            }
        }
    }
}
