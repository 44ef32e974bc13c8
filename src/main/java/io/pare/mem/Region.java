package io.pare.mem;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Owns off-heap memory and native handles and frees both, handles first, in reverse order of their creation.
 *
 * <p>A region is the only way by which Pare allocates off-heap memory, so {@link #liveBytes()} is the whole of it.
 * Allocation and {@link #own} may be called by one thread at a time; memory of a {@link #shared} region may be read
 * and written by any thread, that of a {@link #confined} one only by the thread that opened it. {@link #close()} is
 * idempotent; memory that is touched after it throws {@link IllegalStateException}.
 */
public final class Region implements AutoCloseable {
    /** Alignment of every allocation, in bytes: one cache line, one 512-bit vector. */
    public static final long ALIGNMENT = 64;

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
    private final Deque<Release> handles = new ArrayDeque<>();
    private long bytes;
    private boolean closed;

    private Region(String name, Arena arena, long capBytes) {
        this.name = Objects.requireNonNull(name);
        this.arena = arena;
        this.capBytes = capBytes;
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

    /** Allocates {@code bytes} zeroed bytes, aligned to 64 and followed by 64 bytes of slack that are not counted. */
    public MemorySegment allocate(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("negative size: " + bytes);
        }
        checkOpen();
        if (bytes > capBytes - this.bytes) {
            throw new MemoryLimitException(name, bytes, this.bytes, capBytes);
        }
        MemorySegment segment = arena.allocate(bytes + ALIGNMENT, ALIGNMENT).asSlice(0, bytes);
        this.bytes += bytes;
        LIVE_BYTES.addAndGet(bytes);
        return segment;
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

    /** Bytes that this region holds. */
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
