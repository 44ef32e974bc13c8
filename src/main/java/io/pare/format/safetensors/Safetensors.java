package io.pare.format.safetensors;

import io.pare.file.AtomicFile;
import io.pare.file.FormatException;
import io.pare.file.Jackson;
import io.pare.format.tensors.ElementType;
import io.pare.format.tensors.NamedTensors;
import io.pare.format.tensors.Strides;
import io.pare.mem.FloatTensor;
import io.pare.mem.Heap;
import io.pare.mem.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * An open safetensors file: named tensors and a map of strings.
 *
 * <p>The layout is that of the reference (github.com/huggingface/safetensors): eight bytes little-endian length of the
 * header, the header as JSON, the tensors' bytes without holes. The header is checked in full when the file is opened:
 * sizes, overlaps, holes, trailing bytes, duplicate names. Nothing is mapped, so a file that another process cuts short
 * gives an error and not a fault. Nothing is allocated that the file's own length does not cover.
 *
 * <p>Not thread-safe. {@link #close()} closes the file; tensors that were read belong to the region they were read
 * into. Errors in the file's content are {@link FormatException}, errors of the system {@link IOException}.
 */
public final class Safetensors implements NamedTensors {
    /** Largest header that is read, in bytes: the reference's own limit. */
    public static final int MAX_HEADER_BYTES = 100_000_000;

    private static final ValueLayout.OfLong LE_I64 = ValueLayout.JAVA_LONG_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final boolean NATIVE_IS_LITTLE = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    private static final int CHUNK_BYTES = 1 << 20;

    /**
     * One tensor of a file.
     *
     * @param name of a tensor
     * @param type of its elements
     * @param shape sizes of the dimensions, the slowest first
     * @param offset of its first byte, counted from the end of the header
     * @param bytes its size, which equals the shape's count times the element size
     */
    public record Entry(String name, ElementType type, long[] shape, long offset, long bytes) {
        /** {@return the number of elements} */
        public long count() {
            return bytes / type.bytes();
        }
    }

    private final Path path;
    private final FileChannel channel;
    private final long dataAt;
    private final Map<String, Entry> entries;
    private final Map<String, String> metadata;

    private Safetensors(Path path, FileChannel channel, long dataAt, Map<String, Entry> entries,
            Map<String, String> metadata) {
        this.path = path;
        this.channel = channel;
        this.dataAt = dataAt;
        this.entries = Collections.unmodifiableMap(entries);
        this.metadata = Collections.unmodifiableMap(metadata);
    }

    /**
     * Opens a file and checks its whole header.
     *
     * @param path of the file
     * @return the open file, which the caller closes
     * @throws IOException if the file cannot be read
     */
    public static Safetensors open(Path path) throws IOException {
        Jackson.needForJson("safetensors files");
        FileChannel channel = openChannel(path);
        try {
            long size = channel.size();
            if (size < 8) {
                throw new FormatException(path + ": not a safetensors file, it has " + size
                        + " bytes and the header's length alone takes 8");
            }
            ByteBuffer prefix = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            readFully(path, channel, prefix, 0);
            long headerBytes = prefix.getLong(0);
            if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES) {
                throw new FormatException(path + ": not a safetensors file, its first 8 bytes declare a header of "
                        + Long.toUnsignedString(headerBytes) + " bytes");
            }
            if (headerBytes > size - 8) {
                throw new FormatException(path + ": truncated, the header should take " + headerBytes + " bytes and "
                        + (size - 8) + " follow: copy or download the file again");
            }
            // Text, and objects for names and shapes.
            checkHeap(path, "the header", 8 * headerBytes);
            ByteBuffer header = ByteBuffer.allocate((int) headerBytes);
            readFully(path, channel, header, 8);
            Map<String, Entry> entries = new LinkedHashMap<>();
            Map<String, String> metadata = new LinkedHashMap<>();
            Header.read(path, header.array(), entries, metadata);
            checkLayout(path, entries.values(), size - 8 - headerBytes);
            return new Safetensors(path, channel, 8 + headerBytes, entries, metadata);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static void checkHeap(Path path, String what, long bytes) {
        if (!Heap.holds(bytes)) {
            throw new FormatException(path + ": " + what + " " + Heap.shortage(bytes));
        }
    }

    private static FileChannel openChannel(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            throw new FormatException(path + " is a directory, a safetensors file was expected");
        }
        try {
            return FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(path.toString(), null, "there is no such file");
        }
    }

    /** The tensors must cover the bytes after the header exactly: no overlap, no hole, nothing behind. */
    private static void checkLayout(Path path, Iterable<Entry> entries, long dataBytes) {
        List<Entry> sorted = new ArrayList<>();
        entries.forEach(sorted::add);
        sorted.sort(Comparator.comparingLong(Entry::offset).thenComparingLong(Entry::bytes));
        long at = 0;
        for (Entry entry : sorted) {
            if (entry.offset() != at) {
                throw new FormatException(path + ": tensor '" + entry.name() + "' begins at byte " + entry.offset()
                        + (entry.offset() < at ? ", inside the one before it" : ", the one before it ends at " + at));
            }
            if (entry.bytes() > dataBytes - at) {
                throw new FormatException(path + ": truncated, tensor '" + entry.name() + "' ends at byte "
                        + (at + entry.bytes()) + " of the data and " + dataBytes
                        + " are there: copy or download the file again");
            }
            at += entry.bytes();
        }
        if (at != dataBytes) {
            throw new FormatException(path + ": " + (dataBytes - at) + " bytes follow the last tensor");
        }
    }

    /** The file's map of strings, in the file's order. */
    @Override
    public Map<String, String> metadata() {
        return metadata;
    }

    /** Names of the tensors, in the header's order. */
    @Override
    public Set<String> names() {
        return entries.keySet();
    }

    /** Writers of safetensors sort by type and by name. */
    @Override
    public boolean keepsOrder() {
        return false;
    }

    @Override
    public long[] shape(String name) {
        return entry(name).shape().clone();
    }

    @Override
    public boolean contains(String name) {
        return entries.containsKey(name);
    }

    /**
     * {@return the type, shape and place of a tensor; {@link FormatException} names those that exist if this one does
     * not}
     *
     * @param name of a tensor
     */
    public Entry entry(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new FormatException(path + " has no tensor '" + name + "'; it has " + entries.keySet());
        }
        return entry;
    }

    /** Reads a tensor of floats into memory of {@code region}. F64 is rounded, F16 and BF16 are widened exactly. */
    @Override
    public FloatTensor floats(String name, Region region) throws IOException {
        Entry entry = entry(name);
        checkFloat(entry);
        FloatTensor tensor = region.tensor(entry.shape());
        copyFloats(entry, tensor.segment());
        return tensor;
    }

    /**
     * Reads a tensor of floats into one that exists; its shape must be the file's.
     *
     * @param name of a tensor
     * @param into of the tensor's shape
     * @throws IOException if the file cannot be read
     */
    public void floats(String name, FloatTensor into) throws IOException {
        Entry entry = entry(name);
        checkFloat(entry);
        if (!Arrays.equals(entry.shape(), into.shape())) {
            throw new FormatException(path + ": tensor '" + name + "' has shape " + Arrays.toString(entry.shape())
                    + ", " + Arrays.toString(into.shape()) + " is needed");
        }
        copyFloats(entry, into.segment());
    }

    private void checkFloat(Entry entry) {
        if (!entry.type().isFloat()) {
            throw new FormatException(
                    path + ": tensor '" + entry.name() + "' has type " + entry.type() + ", floats are needed");
        }
    }

    private void copyFloats(Entry entry, MemorySegment to) throws IOException {
        if (entry.type() == ElementType.F32 && NATIVE_IS_LITTLE) {
            read(entry, 0, to);
            return;
        }
        int size = entry.type().bytes();
        MemorySegment chunk = MemorySegment.ofArray(new byte[(int) Math.min(CHUNK_BYTES, entry.bytes())]);
        for (long at = 0; at < entry.bytes(); at += chunk.byteSize()) {
            MemorySegment part = chunk.asSlice(0, Math.min(chunk.byteSize(), entry.bytes() - at));
            read(entry, at, part);
            for (long i = 0; i < part.byteSize() / size; i++) {
                to.setAtIndex(ValueLayout.JAVA_FLOAT, at / size + i, entry.type().floatAt(part, i));
            }
        }
    }

    /** Reads a tensor of integers of any width to the heap; U64 values above the range of long are refused. */
    @Override
    public long[] longs(String name) throws IOException {
        Entry entry = entry(name);
        if (entry.type().isFloat()) {
            throw new FormatException(
                    path + ": tensor '" + name + "' has type " + entry.type() + ", integers are needed");
        }
        checkHeap(path, "tensor '" + name + "'", entry.bytes() + Long.BYTES * entry.count());
        MemorySegment from = MemorySegment.ofArray(bytes(name));
        long[] values = new long[Math.toIntExact(entry.count())];
        for (int i = 0; i < values.length; i++) {
            values[i] = entry.type().longAt(from, i);
            if (entry.type() == ElementType.U64 && values[i] < 0) {
                throw new FormatException(path + ": tensor '" + name + "' holds "
                        + Long.toUnsignedString(values[i]) + ", which does not fit into 63 bits");
            }
        }
        return values;
    }

    /**
     * {@return a tensor's bytes as the file has them, on the heap; at most 2 GiB}
     *
     * @param name of a tensor
     * @throws IOException if the file cannot be read
     */
    public byte[] bytes(String name) throws IOException {
        Entry entry = entry(name);
        if (entry.bytes() > Integer.MAX_VALUE - 8) {
            throw new FormatException(path + ": tensor '" + name + "' of " + entry.bytes()
                    + " bytes does not fit into a Java array");
        }
        checkHeap(path, "tensor '" + name + "'", entry.bytes());
        byte[] bytes = new byte[(int) entry.bytes()];
        read(entry, 0, MemorySegment.ofArray(bytes));
        return bytes;
    }

    private void read(Entry entry, long skip, MemorySegment to) throws IOException {
        long at = dataAt + entry.offset() + skip;
        for (long done = 0; done < to.byteSize(); done += CHUNK_BYTES) {
            MemorySegment part = to.asSlice(done, Math.min(CHUNK_BYTES, to.byteSize() - done));
            readFully(path, channel, part.asByteBuffer(), at + done);
        }
    }

    private static void readFully(Path path, FileChannel channel, ByteBuffer into, long at) throws IOException {
        long position = at;
        while (into.hasRemaining()) {
            int got = channel.read(into, position);
            if (got < 0) {
                throw new FormatException(path + ": truncated while it was read, at byte " + position);
            }
            position += got;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /**
     * Collects tensors and writes them as one file. Not thread-safe.
     *
     * <p>Tensors are not copied: they must stay as they are until {@link #write}. The same tensors and metadata, added
     * in the same order, give the same bytes.
     */
    public static final class Writer {
        record Pending(String name, ElementType type, long[] shape, MemorySegment data) {}

        private final Map<String, Pending> pending = new LinkedHashMap<>();
        private final Map<String, String> metadata = new TreeMap<>();

        /** A file without tensors yet. */
        public Writer() {}

        /**
         * Adds an entry to the map of strings, or replaces it. Written in the keys' order.
         *
         * @param key any text
         * @param value any text
         * @return this writer
         */
        public Writer metadata(String key, String value) {
            metadata.put(Objects.requireNonNull(key), Objects.requireNonNull(value));
            return this;
        }

        /**
         * Adds a tensor as F32.
         *
         * @param name of a tensor
         * @param tensor read by {@link #write}, so it must stay as it is until then
         * @return this writer
         */
        public Writer add(String name, FloatTensor tensor) {
            return add(name, ElementType.F32, tensor.shape(), tensor.segment());
        }

        /**
         * Adds a vector as I64.
         *
         * @param name of a tensor
         * @param values the elements
         * @return this writer
         */
        public Writer add(String name, long[] values) {
            byte[] bytes = new byte[Math.multiplyExact(values.length, Long.BYTES)];
            MemorySegment segment = MemorySegment.ofArray(bytes);
            for (int i = 0; i < values.length; i++) {
                segment.set(LE_I64, i * 8L, values[i]);
            }
            return add(name, ElementType.I64, new long[]{values.length}, segment);
        }

        /**
         * Adds little-endian {@code data} of the given type and shape.
         *
         * @param name of a tensor
         * @param type of its elements
         * @param shape sizes of the dimensions, the slowest first
         * @param data the elements, row-major, off-heap; read by {@link #write}, so it must stay as it is until then
         * @return this writer
         */
        public Writer add(String name, ElementType type, long[] shape, MemorySegment data) {
            if (name.equals("__metadata__")) {
                throw new IllegalArgumentException("'__metadata__' is not a name for a tensor");
            }
            if (shape.length > Strides.MAX_RANK) {
                throw new IllegalArgumentException(
                        "tensor '" + name + "' has more than " + Strides.MAX_RANK + " dimensions");
            }
            long bytes = Math.multiplyExact(FloatTensor.count(shape), (long) type.bytes());
            if (bytes != data.byteSize()) {
                throw new IllegalArgumentException("tensor '" + name + "' of type " + type + " and shape "
                        + Arrays.toString(shape) + " takes " + bytes + " bytes, given " + data.byteSize());
            }
            if (pending.putIfAbsent(name, new Pending(name, type, shape.clone(), data)) != null) {
                throw new IllegalArgumentException("tensor '" + name + "' was added before");
            }
            return this;
        }

        /**
         * Writes the whole file or nothing, see {@link AtomicFile}.
         *
         * @param path of the file, replaced as a whole
         * @throws IOException not thrown: what cannot be written is an {@link io.pare.file.FileException}
         */
        public void write(Path path) throws IOException {
            Jackson.needForJson("safetensors files");
            if (!NATIVE_IS_LITTLE) {
                throw new UnsupportedOperationException("writing safetensors needs a little-endian machine");
            }
            // Wide elements first, so that every tensor is aligned to its element size. The sort is stable.
            List<Pending> order = new ArrayList<>(pending.values());
            order.sort(Comparator.comparingInt((Pending p) -> -p.type().bytes()));
            byte[] header = Header.write(metadata, order);
            AtomicFile.write(path, out -> {
                ByteBuffer prefix = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
                writeFully(out, prefix.putLong(header.length).put(header).flip());
                for (Pending tensor : order) {
                    long size = tensor.data().byteSize();
                    for (long at = 0; at < size; at += CHUNK_BYTES) {
                        writeFully(out, tensor.data().asSlice(at, Math.min(CHUNK_BYTES, size - at)).asByteBuffer());
                    }
                }
            });
        }

        private static void writeFully(FileChannel out, ByteBuffer from) throws IOException {
            while (from.hasRemaining()) {
                out.write(from);
            }
        }
    }
}
