package io.pare.mem;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Owns off-heap memory and native handles and frees both, handles first, in reverse order of their creation.
 *
 * <p>A region is the only way by which Pare allocates off-heap memory, so {@link #liveBytes()} is the whole of it, but for
 * that of {@link #inFile}, which lies on a disk.
 * Allocation and {@link #own} may be called by one thread at a time; memory of a {@link #shared} region may be read
 * and written by any thread, that of a {@link #confined} one only by the thread that opened it. {@link #close()} is
 * idempotent; memory that is touched after it throws {@link IllegalStateException}.
 */
public final class Region implements AutoCloseable {
    /** Alignment of every allocation, in bytes: one cache line, one 512-bit vector. */
    public static final long ALIGNMENT = 64;

    /**
     * Allocations of so many bytes begin at different places of a page and of a cache: ranges of 2^n bytes that are read
     * side by side, as weights and their duals, would otherwise displace each other (a third of the time of an ADMM step
     * over 2^25 weights, and of a projection over 2^26). None begins at once: where each block is laid below the one before,
     * the distance of two is the first one's size and shift.
     */
    private static final long LARGE = 4L << 20;
    private static final int SHIFTS = 8;
    private static final long SHIFT = 265 * ALIGNMENT;

    private static final AtomicLong LIVE_BYTES = new AtomicLong();
    private static final Map<Region, Boolean> OPEN = new ConcurrentHashMap<>();

    /** Frees one native handle. */
    @FunctionalInterface
    public interface Release {
        void run();
    }

    private final String name;
    private final Arena arena;
    private final long capBytes;
    private final Path path;
    private final FileChannel file;
    private final Deque<Release> handles = new ArrayDeque<>();
    private long bytes;
    private int large;
    private boolean closed;

    private Region(String name, Arena arena, long capBytes) {
        this(name, arena, capBytes, null, null);
    }

    private Region(String name, Arena arena, long capBytes, Path path, FileChannel file) {
        this.name = Objects.requireNonNull(name);
        this.arena = arena;
        this.capBytes = capBytes;
        this.path = path;
        this.file = file;
        OPEN.put(this, Boolean.TRUE);
    }

    /** Opens a region whose memory only the calling thread may touch. */
    public static Region confined(String name) {
        return new Region(name, Arena.ofConfined(), Long.MAX_VALUE);
    }

    /** Opens a region whose memory any thread may touch. Costs microseconds to close: one per model or run. */
    public static Region shared(String name) {
        return new Region(name, Arena.ofShared(), Long.MAX_VALUE);
    }

    /** As {@link #shared(String)}, and refuses with {@link MemoryLimitException} to hold more than {@code capBytes}. */
    public static Region shared(String name, long capBytes) {
        if (capBytes < 0) {
            throw new IllegalArgumentException("cap of region '" + name + "' is negative: " + capBytes);
        }
        return new Region(name, Arena.ofShared(), capBytes);
    }

    /**
     * Opens a region whose memory lies in a new file, mapped: the machine needs to hold no more of it than is in use.
     * Any thread may touch it. The file loses its name at once, so that its space is free again when the region is closed
     * or the process ends, in whatever way; space is taken when memory is allocated, not when it is written to.
     *
     * @throws UncheckedIOException if there is such a file already or none can be made; allocation throws it if the disk
     *         has no room
     */
    public static Region inFile(String name, Path path) {
        try {
            FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ,
                    StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
            return new Region(name, Arena.ofShared(), Long.MAX_VALUE, path, file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Allocates {@code bytes} zeroed bytes, aligned to 64 and followed by 64 bytes of slack that are not counted. */
    public MemorySegment allocate(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("negative size: " + bytes);
        }
        checkOpen();
        if (bytes > capBytes - this.bytes) {
            throw new MemoryLimitException(name, bytes, this.bytes, capBytes);
        }
        if (file != null) {
            return map(bytes);
        }
        long shift = bytes < LARGE ? 0 : (large++ % SHIFTS + 1) * SHIFT;
        MemorySegment segment = arena.allocate(shift + bytes + ALIGNMENT, ALIGNMENT).asSlice(shift, bytes);
        this.bytes += bytes;
        LIVE_BYTES.addAndGet(bytes);
        return segment;
    }

    /** Writes zeros first: a full disk is found out now, not by the one who touches the memory. */
    private MemorySegment map(long bytes) {
        try {
            long start = file.size();
            long left = Files.getFileStore(path.toAbsolutePath().getParent()).getUsableSpace();
            if (bytes > left) {
                throw new IOException(left + " are left");
            }
            long end = start + Math.ceilDiv(bytes + ALIGNMENT, ALIGNMENT) * ALIGNMENT;
            ByteBuffer zeros = ByteBuffer.allocate(1 << 20);
            for (long at = start; at < end;) {
                zeros.clear().limit((int) Math.min(zeros.capacity(), end - at));
                at += file.write(zeros, at);
            }
            return file.map(FileChannel.MapMode.READ_WRITE, start, end - start, arena).asSlice(0, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(new IOException(
                    path + ": the disk has no room for " + bytes + " bytes more: " + e.getMessage(), e));
        }
    }

    /** Allocates a zeroed float tensor of the given shape. */
    public FloatTensor tensor(long... shape) {
        long count = FloatTensor.count(shape);
        return new FloatTensor(allocate(Math.multiplyExact(count, (long) Float.BYTES)), shape);
    }

    /** Takes ownership of a native handle: {@code release} runs once, when this region closes. */
    public void own(Release release) {
        checkOpen();
        handles.push(Objects.requireNonNull(release));
    }

    /** The arena, for calls that allocate by themselves; what they allocate is not counted. */
    public Arena arena() {
        return arena;
    }

    public String name() {
        return name;
    }

    /** Bytes of memory that this region holds; those in a file are not counted. */
    public long bytes() {
        return bytes;
    }

    /** Bytes that all open regions hold together. */
    public static long liveBytes() {
        return LIVE_BYTES.get();
    }

    /** Number of regions that are open. */
    public static int liveRegions() {
        return OPEN.size();
    }

    /** One line for each open region: name, bytes, handles. For leak reports. */
    public static String describeLive() {
        StringBuilder text = new StringBuilder();
        for (Region region : OPEN.keySet()) {
            text.append(region.name).append(": ").append(region.bytes).append(" bytes, ").append(region.handles.size())
                    .append(" handles\n");
        }
        return text.toString();
    }

    /** Frees the handles in reverse order, then the memory. A handle that fails to close does not keep the rest. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        RuntimeException failure = null;
        while (!handles.isEmpty()) {
            try {
                handles.pop().run();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        arena.close();
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            failure = new UncheckedIOException(e);
        }
        OPEN.remove(this);
        LIVE_BYTES.addAndGet(-bytes);
        if (failure != null) {
            throw failure;
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("region '" + name + "' is closed");
        }
    }
}
