package io.pare.format.pare;

import io.pare.file.AtomicFile;
import io.pare.file.FormatException;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Parameter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes {@code .pare} files in layers: the first one is a network whose weights have few values, and each further
 * one makes them more. So a network can be used while its file arrives.
 *
 * <pre>{@code
 * try (InputStream stream = connection.getInputStream()) {
 *     ProgressiveFile file = new ProgressiveFile(stream);
 *     for (CompressedWeights weights = file.next(); weights != null; weights = file.next()) {
 *         use(weights);
 *     }
 * }
 * }</pre>
 *
 * <p>Values of 2 bits come first, then one bit more in each layer. Places of zeros are the same in all layers, and the last
 * one gives the weights that were written, bit for bit. {@link PareFile#read} reads the whole of such a file. The page
 * docs/format.md specifies every byte. One thread at a time.
 */
public final class ProgressiveFile {
    /** In place of the version of the format. */
    static final int MARK = 0x41;
    /** Bits of a value in the first layer. */
    private static final int FIRST_BITS = 2;
    private static final int MOST_LAYERS = 7;
    private static final int HEAD_BYTES = 6;
    private static final byte[] MAGIC = {'P', 'A', 'R', 'E', MARK};
    private static final int MOST_BYTES = 1 << 30;
    private static final int PART_BYTES = 1 << 16;

    private final InputStream stream;
    private int layers;
    private int read;
    private @Nullable CompressedWeights weights;

    /**
     * Reads nothing yet.
     *
     * @param stream of a file; the caller's to close, read no further than is asked for
     */
    public ProgressiveFile(InputStream stream) {
        this.stream = stream;
    }

    /** Whether bytes begin as such a file does. */
    static boolean begins(byte[] file) {
        return file.length >= MAGIC.length && Arrays.equals(file, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
    }

    /** {@return the layers of the file; 0 before the first call of {@link #next}} */
    public int layers() {
        return layers;
    }

    /** {@return the layers that are read} */
    public int layersRead() {
        return read;
    }

    /**
     * {@return the network with one layer more, on the heap; {@code null} if all are read}
     *
     * @throws FormatException if the layer is damaged or does not end; the network of the layers before stays good
     * @throws IOException if the stream cannot be read
     */
    public @Nullable CompressedWeights next() throws IOException {
        if (layers == 0) {
            byte[] head = stream.readNBytes(HEAD_BYTES);
            if (!begins(head)) {
                throw new FormatException("not a .pare file in layers: read it by PareFile.read");
            }
            if (head.length < HEAD_BYTES || head[MAGIC.length] < 1 || head[MAGIC.length] > MOST_LAYERS) {
                throw new FormatException("damaged in its first bytes: copy or download it again");
            }
            layers = head[MAGIC.length];
        }
        if (read == layers) {
            return null;
        }
        byte[] layer = layer();
        weights = weights == null ? PareFile.decode(layer) : refined(new BitCoder.Reader(layer, 0, layer.length), null);
        read++;
        return weights;
    }

    private byte[] layer() throws IOException {
        String where = "layer " + (read + 1) + " of " + layers;
        byte[] length = bytes(where, Integer.BYTES);
        int size = number(length);
        if (size < 0 || size > MOST_BYTES) {
            throw new FormatException(where + " is damaged, its size is wrong: copy or download the file again");
        }
        byte[] layer = bytes(where, size);
        CRC32C crc = new CRC32C();
        crc.update(length);
        crc.update(layer);
        if (number(bytes(where, Integer.BYTES)) != (int) crc.getValue()) {
            throw new FormatException(where + " is damaged, its checksum is wrong: copy or download the file again");
        }
        return layer;
    }

    private static int number(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    /** Takes memory for what arrives, not for what a damaged size says. */
    private byte[] bytes(String where, int count) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(Math.min(count, PART_BYTES));
        while (bytes.size() < count) {
            byte[] part = stream.readNBytes(Math.min(PART_BYTES, count - bytes.size()));
            if (part.length == 0) {
                throw new FormatException("truncated in " + where + ": copy or download the file again");
            }
            bytes.write(part);
        }
        return bytes.toByteArray();
    }

    /**
     * Codes what makes {@link #weights} finer.
     *
     * @param nestings of the tensors that get finer with these; {@code null} where a reader finds them
     */
    private CompressedWeights refined(BitCoder coder, @Nullable Finer finer) {
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>(weights.tensors());
        for (Parameter parameter : weights.model().parameters()) {
            CompressedTensor tensor = tensors.get(parameter.name());
            Nesting nesting = finer == null ? null : finer.nestings().get(parameter.name());
            if (parameter.weight() && tensor.isCoded() && tensor.nonzeros() > 0 && coder.flag(nesting != null)) {
                tensors.put(parameter.name(), refined(coder, tensor, nesting,
                        finer == null ? null : finer.weights().tensor(parameter.name())));
            }
        }
        return new CompressedWeights(weights.model(), tensors, weights.scale());
    }

    /** A finer network, and how its codebooks lie in those before. */
    private record Finer(CompressedWeights weights, Map<String, Nesting> nestings) {}

    private static CompressedTensor refined(BitCoder coder, CompressedTensor before, @Nullable Nesting nesting,
            @Nullable CompressedTensor finer) {
        int words = before.codebook().length;
        int[] first = new int[words + 1];
        int[] widths = new int[words];
        for (int p = 0; p < words; p++) {
            int children = 1 + coder.number(nesting == null ? 0 : nesting.children()[p] - 1, 0);
            if (children > CompressedTensor.MAX_CODEBOOK - first[p]) {
                throw damaged("more than " + CompressedTensor.MAX_CODEBOOK + " values");
            }
            first[p + 1] = first[p] + children;
            widths[p] = Integer.SIZE - Integer.numberOfLeadingZeros(children - 1);
        }
        float[] codebook = codebook(coder, first[words], finer == null ? null : finer.codebook());
        byte[] codes = new byte[before.nonzeros()];
        BitCoder.Frequencies[] contexts = new BitCoder.Frequencies[words];
        for (int p = 0; p < words; p++) {
            contexts[p] = new BitCoder.Frequencies(1 << widths[p]);
        }
        for (int i = 0; i < codes.length; i++) {
            int parent = before.code(i);
            int child = widths[parent] == 0
                    ? 0
                    : contexts[parent].tree(coder, finer == null ? 0 : finer.code(i) - first[parent], widths[parent]);
            if (first[parent] + child >= first[parent + 1]) {
                throw damaged("a value that is not in its codebook");
            }
            codes[i] = (byte) (first[parent] + child);
        }
        return Nesting.with(before, codes, codebook);
    }

    /** Words ascend, and none is zero. The low bits of all of them follow only where one has some. */
    private static float[] codebook(BitCoder coder, int count, float @Nullable [] given) {
        boolean exact = false;
        for (int i = 0; given != null && i < count; i++) {
            exact |= (Float.floatToRawIntBits(given[i]) & 0xffff) != 0;
        }
        exact = coder.flag(exact);
        float[] words = new float[count];
        for (int i = 0; i < count; i++) {
            int bits = given == null ? 0 : Float.floatToRawIntBits(given[i]);
            bits = coder.bits(bits >>> 16, 16) << 16 | (exact ? coder.bits(bits & 0xffff, 16) : 0);
            words[i] = Float.intBitsToFloat(bits);
            if (!Float.isFinite(words[i]) || words[i] == 0 || i > 0 && words[i] <= words[i - 1]) {
                throw damaged("a codebook out of order");
            }
        }
        return words;
    }

    private static FormatException damaged(String what) {
        return new FormatException("damaged, it has " + what + ": copy or download the file again");
    }

    /**
     * Writes the whole file or nothing, after a check that a reader takes what is written.
     *
     * @param path of the file
     * @param weights a network; codebooks of weights with more than 4 values come in layers, all else is in the first
     * @throws IllegalArgumentException if no weights have a codebook of more than 4 values
     */
    public static void write(Path path, CompressedWeights weights) {
        byte[] file = encode(weights);
        CompressedWeights stored = decode(file);
        weights.tensors().forEach((name, tensor) -> {
            if (!tensor.sameAs(stored.tensor(name))) {
                throw new IllegalStateException("layers do not give back the values of " + name);
            }
        });
        AtomicFile.write(path, file);
    }

    /**
     * {@return the bytes of a file}
     *
     * @param weights as of {@link #write}
     * @throws IllegalArgumentException as {@link #write} does
     */
    public static byte[] encode(CompressedWeights weights) {
        List<Finer> finer = new ArrayList<>();
        CompressedWeights coarse = weights;
        int bits = weights.model().parameters().stream().filter(Parameter::weight)
                .map(parameter -> weights.tensor(parameter.name())).filter(ProgressiveFile::isRefined)
                .mapToInt(CompressedTensor::bitsPerValue).max().orElse(0);
        if (bits <= FIRST_BITS) {
            throw new IllegalArgumentException(weights.model().name() + " has no weights of more than "
                    + (1 << FIRST_BITS) + " values, and at most " + CompressedTensor.MAX_CODEBOOK
                    + ", which could come in layers: write it as it is, or give its weights a codebook first");
        }
        for (int next = bits - 1; next >= FIRST_BITS; next--) {
            Map<String, Nesting> nestings = new LinkedHashMap<>();
            Map<String, CompressedTensor> tensors = new LinkedHashMap<>(coarse.tensors());
            for (Parameter parameter : coarse.model().parameters()) {
                CompressedTensor tensor = tensors.get(parameter.name());
                if (parameter.weight() && isRefined(tensor) && tensor.codebook().length > 1 << next) {
                    Nesting nesting = Nesting.of(tensor, 1 << next);
                    nestings.put(parameter.name(), nesting);
                    tensors.put(parameter.name(), nesting.coarser(tensor));
                }
            }
            finer.addFirst(new Finer(coarse, nestings));
            coarse = new CompressedWeights(coarse.model(), tensors, coarse.scale());
        }
        byte[] first = PareFile.encode(coarse);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(MAGIC);
        file.write(finer.size() + 1);
        put(file, first);
        ProgressiveFile coding = new ProgressiveFile(InputStream.nullInputStream());
        coding.weights = PareFile.decode(first);
        for (Finer each : finer) {
            BitCoder.Writer coder = new BitCoder.Writer();
            coding.weights = coding.refined(coder, each);
            put(file, coder.finish());
        }
        return file.toByteArray();
    }

    /** Whether a tensor has a codebook, and will have one when it is read with fewer words. */
    private static boolean isRefined(CompressedTensor tensor) {
        return tensor.isCoded() && 2 * tensor.codebook().length <= tensor.nonzeros();
    }

    private static void put(ByteArrayOutputStream file, byte[] layer) {
        byte[] length = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(layer.length).array();
        CRC32C crc = new CRC32C();
        crc.update(length);
        crc.update(layer);
        file.writeBytes(length);
        file.writeBytes(layer);
        file.writeBytes(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN)
                .putInt((int) crc.getValue()).array());
    }

    /** The network of all layers that a whole file has. */
    static CompressedWeights decode(byte[] bytes) {
        try {
            InputStream stream = new ByteArrayInputStream(bytes);
            ProgressiveFile file = new ProgressiveFile(stream);
            CompressedWeights last = null;
            for (CompressedWeights next = file.next(); next != null; next = file.next()) {
                last = next;
            }
            if (stream.read() >= 0) {
                throw damaged("more bytes than its layers");
            }
            return last;
        } catch (IOException e) {
            throw new UncheckedIOException("bytes in memory cannot be read", e);
        }
    }
}
