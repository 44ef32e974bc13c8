package io.pare.mem;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
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
import org.jspecify.annotations.Nullable;

/**
 * Owns off-heap memory and native handles and frees both: the memory, then the handles in reverse order of their creation.
 *
 * <p>A region is the only way by which Pare allocates off-heap memory, so {@link #liveBytes()} is the whole of it, but for
 * that of {@link #inFile}, which lies on a disk.
 * Any thread may allocate, use the memory of, and close a {@link #shared} region; a {@link #confined} one is for the thread
 * that opened it. Memory that is touched after {@link #close()} throws {@link IllegalStateException}. Loops go by address,
 * which the memory's own checks do not see: what computes {@linkplain Hold holds} the region meanwhile.
 *
 * <p>With {@code -Dpare.debug.leaks=true} {@link #describeLive} says where each region was opened, and a region that is
 * garbage before it is closed is reported through {@link System.Logger}.
 */
public final class Region implements AutoCloseable {
    /** Alignment of every allocation, in bytes: one cache line, one 512-bit vector. */
    public static final long ALIGNMENT = 64;

    /**
     * Each block of at least this many bytes gets a different offset, so that equal-sized blocks do not map to the same
     * cache sets. Weights and their duals are read side by side; without offsets their ranges of 2^n bytes evict each other
     * (a third of the time of an ADMM step over 2^25 weights, and of a projection over 2^26). No offset is zero: where the
     * system lays each block below the one before, the distance of two blocks is the size and offset of the first.
     */
    private static final long LARGE = 4L << 20;
    private static final int SHIFTS = 8;
    private static final long SHIFT = 265 * ALIGNMENT;

    private static final AtomicLong LIVE_BYTES = new AtomicLong();
    private static final Map<MemorySegment.Scope, Hold> OPEN = new ConcurrentHashMap<>();

    /** Frees one native handle. */
    @FunctionalInterface
    public interface Release {
        /** Frees the handle. An exception is passed on by {@link Region#close}, after all others have been freed. */
        void run();
    }

    /**
     * Keeps a region open while something computes on its memory: {@link Region#close} is refused meanwhile. Any number of
     * threads may hold a region at the same time. A region has one such object, and taking it allocates nothing.
     *
     * <p>It is also what is known of a region when the region itself is garbage, so it does not refer to it.
     */
    public static final class Hold implements AutoCloseable {
        private final String name;
        /** {@code null} unless leaks are looked for. */
        private final Opening opening;
        private long bytes;
        private int handles;
        private int holders;
        private boolean closed;

        private Hold(String name, Opening opening) {
            this.name = name;
            this.opening = opening;
        }

        /**
         * Takes hold until {@link #close}, once for each time.
         *
         * @return this
         * @throws IllegalStateException if the region is closed
         */
        public synchronized Hold take() {
            checkOpen();
            holders++;
            return this;
        }

        /** Lets go of what was taken. */
        @Override
        public synchronized void close() {
            holders--;
        }

        private void checkOpen() {
            if (closed) {
                throw new IllegalStateException("region '" + name + "' is closed");
            }
        }

        private synchronized String describe() {
            return name + ": " + bytes + " bytes, " + handles + " handles";
        }

        private synchronized boolean isOpen() {
            return !closed;
        }
    }

    /** Tells of regions that are garbage before they are closed; there only where leaks are looked for. */
    private static final class Leaks {
        private static final System.Logger LOG = System.getLogger("io.pare.mem");
        private static final Cleaner CLEANER = Cleaner.create();

        static void watch(Region region) {
            Hold hold = region.hold;
            CLEANER.register(region, () -> {
                if (hold.isOpen()) {
                    LOG.log(System.Logger.Level.WARNING,
                            "a region was never closed, nor can be now, and keeps its memory: "
                                    + hold.describe(),
                            hold.opening);
                }
            });
        }
    }

    private final Hold hold;
    private final Arena arena;
    /** The only thread that may use it; {@code null} for any. */
    private final Thread owner;
    private final long capBytes;
    private final Path path;
    private final FileChannel file;
    private final Deque<Release> handles = new ArrayDeque<>();
    private int large;

    private Region(String name, Arena arena, Thread owner, long capBytes, Path path, FileChannel file) {
        this.hold = new Hold(Objects.requireNonNull(name), Opening.here());
        this.arena = arena;
        this.owner = owner;
        this.capBytes = capBytes;
        this.path = path;
        this.file = file;
        OPEN.put(arena.scope(), hold);
        if (hold.opening != null) {
            Leaks.watch(this);
        }
    }

    /**
     * Opens a region whose memory only the calling thread may touch.
     *
     * @param name for messages and reports, such as {@code network lenet5}
     * @return the region, which its opener closes
     */
    public static Region confined(String name) {
        return new Region(name, Arena.ofConfined(), Thread.currentThread(), Long.MAX_VALUE, null, null);
    }

    /**
     * Opens a region whose memory any thread may touch. Costs microseconds to close: one per model or run.
     *
     * @param name for messages and reports, such as {@code network lenet5}
     * @return the region, which its opener closes
     */
    public static Region shared(String name) {
        return new Region(name, Arena.ofShared(), null, Long.MAX_VALUE, null, null);
    }

    /**
     * As {@link #shared(String)}, and refuses with {@link MemoryLimitException} to hold more than {@code capBytes}.
     *
     * @param name for messages and reports, such as {@code network lenet5}
     * @param capBytes the most that it may hold, at least 0
     * @return the region, which its opener closes
     */
    public static Region shared(String name, long capBytes) {
        if (capBytes < 0) {
            throw new IllegalArgumentException("cap of region '" + name + "' is negative: " + capBytes);
        }
        return new Region(name, Arena.ofShared(), null, capBytes, null, null);
    }

    /**
     * Opens a region whose memory lies in a new file, mapped: the machine needs to hold no more of it than is in use.
     * Any thread may touch it. The file loses its name at once, so that its space is free again when the region is closed
     * or the process ends, in whatever way; space is taken when memory is allocated, not when it is written to.
     *
     * @param name for messages and reports, such as {@code network lenet5}
     * @param path of a file that does not exist, in a folder that does
     * @return the region, which its opener closes
     * @throws UncheckedIOException if there is such a file already or none can be made; allocation throws it if the disk
     *         has no room
     */
    public static Region inFile(String name, Path path) {
        try {
            FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ,
                    StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
            return new Region(name, Arena.ofShared(), null, Long.MAX_VALUE, path, file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Allocates {@code bytes} zeroed bytes, aligned to 64 and followed by 64 bytes of slack that are not counted.
     *
     * @param bytes at least 0
     * @return memory of the region: it ends with it
     * @throws OutOfMemoryError if the system has no more, with what this region and all regions hold
     * @throws IllegalStateException if the region is closed
     */
    public MemorySegment allocate(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("negative size: " + bytes);
        }
        synchronized (hold) {
            hold.checkOpen();
            if (bytes > capBytes - hold.bytes) {
                throw new MemoryLimitException(hold.name, bytes, hold.bytes, capBytes);
            }
            if (file != null) {
                return map(bytes);
            }
            MemorySegment segment = take(bytes);
            hold.bytes += bytes;
            LIVE_BYTES.addAndGet(bytes);
            return segment;
        }
    }

    private MemorySegment take(long bytes) {
        long shift = bytes < LARGE ? 0 : (large++ % SHIFTS + 1) * SHIFT;
        try {
            return arena.allocate(Math.addExact(bytes, shift + ALIGNMENT), ALIGNMENT).asSlice(shift, bytes);
        } catch (OutOfMemoryError | ArithmeticException e) {
            OutOfMemoryError named = new OutOfMemoryError("region '" + hold.name + "' cannot get " + bytes
                    + " bytes more: it holds " + hold.bytes + ", all regions together " + LIVE_BYTES.get()
                    + "; use a smaller batch or network, close what is no longer needed, or give the process more memory");
            named.initCause(e);
            throw named;
        }
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

    /**
     * Allocates a zeroed float tensor of the given shape.
     *
     * @param shape sizes of the dimensions, the slowest first
     * @return a view of memory of the region
     */
    public FloatTensor tensor(long... shape) {
        long count = FloatTensor.count(shape);
        return new FloatTensor(allocate(Math.multiplyExact(count, (long) Float.BYTES)), shape);
    }

    /**
     * Takes ownership of a native handle: {@code release} runs once, after this region's memory is freed. If the region is
     * closed already it runs now.
     *
     * @param release frees the handle; must not use this region's memory
     * @throws IllegalStateException if the region is closed
     */
    public void own(Release release) {
        synchronized (hold) {
            if (!hold.closed) {
                handles.push(release);
                hold.handles++;
                return;
            }
        }
        release.run();
        hold.checkOpen();
    }

    /**
     * {@return the arena, for calls that allocate by themselves; what they allocate is not counted} Never close it
     * itself.
     */
    public Arena arena() {
        return arena;
    }

    /** {@return the name that messages and reports have} */
    public String name() {
        return hold.name;
    }

    /** {@return how many bytes of memory that this region holds; those in a file are not counted} */
    public long bytes() {
        synchronized (hold) {
            return hold.bytes;
        }
    }

    /** {@return what keeps this region open} */
    public Hold hold() {
        return hold;
    }

    /**
     * {@return what keeps the region open that the memory belongs to; {@code null} for memory of no open region}
     *
     * @param memory any off-heap memory
     */
    public static @Nullable Hold holdOf(MemorySegment memory) {
        return OPEN.get(memory.scope());
    }

    /** {@return the bytes that all open regions hold together} */
    public static long liveBytes() {
        return LIVE_BYTES.get();
    }

    /** {@return the number of regions that are open} */
    public static int liveRegions() {
        return OPEN.size();
    }

    /**
     * {@return one line for each open region: name, bytes, handles} For leak reports. With {@code
     * -Dpare.debug.leaks=true} the stack of its opening follows.
     */
    public static String describeLive() {
        StringBuilder text = new StringBuilder();
        for (Hold hold : OPEN.values()) {
            text.append(hold.describe()).append('\n');
            if (hold.opening != null) {
                text.append(hold.opening.describe());
            }
        }
        return text.toString();
    }

    /**
     * Frees the memory, then the handles in reverse order; what is closed already stays so. A handle that fails to close
     * does not keep the rest.
     *
     * @throws IllegalStateException if something computes on the memory; the region stays open then
     * @throws WrongThreadException if the region is confined to another thread; it stays open then
     */
    @Override
    public void close() {
        synchronized (hold) {
            if (hold.closed) {
                return;
            }
            closeArena();
            hold.closed = true;
            OPEN.remove(arena.scope());
            LIVE_BYTES.addAndGet(-hold.bytes);
        }
        RuntimeException failure = null;
        while (!handles.isEmpty()) {
            failure = attempt(handles.pop(), failure);
        }
        if (file != null) {
            failure = attempt(this::closeFile, failure);
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** From here on a call that takes memory or a handle is refused, and none is running: the arena sees to both. */
    private void closeArena() {
        if (owner != null && owner != Thread.currentThread()) {
            throw new WrongThreadException("region '" + hold.name + "' is confined to thread '" + owner.getName()
                    + "': only that can close it");
        }
        if (hold.holders > 0) {
            throw inUse(null);
        }
        try {
            arena.close();
        } catch (IllegalStateException e) {
            if (arena.scope().isAlive()) {
                throw inUse(e);
            }
        }
    }

    private IllegalStateException inUse(Throwable cause) {
        return new IllegalStateException("region '" + hold.name
                + "' is in use and stays open: close it when what computes on it has ended", cause);
    }

    private void closeFile() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static RuntimeException attempt(Release release, RuntimeException before) {
        try {
            release.run();
        } catch (RuntimeException e) {
            if (before == null) {
                return e;
            }
            before.addSuppressed(e);
        }
        return before;
    }
}
