package io.pare.mpi;

import io.pare.ffm.lookup.Symbols;
import io.pare.mem.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The processes of a launcher, over MPI. There is one object of it in a process, which lives as long as MPI does. */
final class LaunchedRanks implements Ranks {
    /** {@code auto}, which loads MPI where a launcher started this process, or {@code off}. */
    static final String PROPERTY = "pare.mpi";
    /** The file of the library, where it is not to be looked for. */
    static final String PATH_PROPERTY = "pare.mpi.path";

    private static final int TEXT = 8192;
    /** A broadcast of more goes in pieces, for MPI counts in ints. */
    private static final int PIECE = 1 << 30;

    /** Nanoseconds of waiting. */
    private static final long YIELDING_AFTER = 100_000;
    private static final long SLEEPING_AFTER = 5_000_000;
    private static final long SLEEP = 50_000;

    private static @Nullable LaunchedRanks world;
    /** The same for threads that must not wait for one that begins or leaves. */
    private static volatile @Nullable LaunchedRanks alive;

    private final MpiLibrary mpi;
    private final Region region = Region.shared("MPI");
    private final int rank;
    private final int size;
    private final String words;
    /** Whether the others know that this process ends, and end themselves. */
    private boolean together;
    /** Whether it was this process that failed. */
    private boolean failed;
    /** Since when this process waits for others; 0 while it does not. Threads that end the process look at it. */
    private volatile long waitingSince;

    private LaunchedRanks(MpiLibrary mpi) {
        this.mpi = mpi;
        MemorySegment number = region.allocate(Integer.BYTES);
        check("MPI_Init_thread", mpi.init(number));
        check("MPI_Comm_rank", mpi.rank(number));
        this.rank = number.get(ValueLayout.JAVA_INT, 0);
        check("MPI_Comm_size", mpi.size(number));
        this.size = number.get(ValueLayout.JAVA_INT, 0);
        this.words = size + " ranks, " + text(region, mpi);
    }

    static synchronized Ranks world() {
        if (world == null) {
            Optional<Launcher> launcher = Launcher.found();
            if (launcher.isEmpty()) {
                return OneRank.INSTANCE;
            }
            LaunchedRanks begun = new LaunchedRanks(load(launcher.get()));
            if (launcher.get().size() > 0 && begun.size != launcher.get().size()) {
                throw new RanksException(launcher.get().name() + " started " + launcher.get().size()
                        + " processes, but its library finds " + begun.size
                        + ": launcher and library are of two kinds of MPI; name the right one by -D" + PATH_PROPERTY);
            }
            world = begun;
            alive = begun;
        }
        return world.size == 1 ? OneRank.INSTANCE : world;
    }

    static synchronized int leave(int code) {
        if (world == null) {
            return code;
        }
        LaunchedRanks left = world;
        world = null;
        alive = null;
        int agreed = left.together ? left.agreed(code) : code;
        if (code == 0 || left.together) {
            left.mpi.finish();
        } else {
            left.mpi.abort(code);
        }
        left.region.close();
        return agreed;
    }

    /** The code of the first process that failed by itself, else that of the first one: a launcher gives on any of them. */
    private int agreed(int code) {
        byte[][] all = gather(ByteBuffer.allocate(1 + Integer.BYTES).put((byte) (failed ? 1 : 0)).putInt(code).array());
        byte[] chosen = Arrays.stream(all).filter(one -> one[0] == 1).findFirst().orElse(all[0]);
        return ByteBuffer.wrap(chosen).getInt(1);
    }

    static long waiting() {
        LaunchedRanks asked = alive;
        long since = asked == null ? 0 : asked.waitingSince;
        return since == 0 ? 0 : Math.max(1, System.nanoTime() - since);
    }

    static synchronized boolean ending() {
        return world != null && world.together;
    }

    static String found() {
        if (!Launcher.wanted()) {
            return "off (-D" + PROPERTY + "=off)";
        }
        Optional<Launcher> launcher = Launcher.found();
        List<String> names = launcher.map(Launcher::libraries).orElse(Launcher.ANY);
        String started = launcher.map(by -> "rank " + by.rank() + " of " + by.name() + ", ").orElse("no launcher, ");
        String path = System.getProperty(PATH_PROPERTY);
        for (String name : path == null ? names : List.of(path)) {
            Optional<SymbolLookup> library = open(name);
            if (library.isPresent()) {
                Symbols.use(library.get());
                try (Region region = Region.shared("MPI version")) {
                    return started + text(region, bound(library.get())) + " (" + name + ")";
                }
            }
        }
        return started + "no library (" + String.join(", ", path == null ? names : List.of(path)) + ")";
    }

    private static String text(Region region, MpiLibrary mpi) {
        MemorySegment text = region.allocate(TEXT);
        MemorySegment length = region.allocate(Integer.BYTES);
        return mpi.version(text, length) == 0 ? text.getString(0).split("[,\n]")[0].replaceAll("\\s+", " ").strip()
                : "";
    }

    private static MpiLibrary load(Launcher launcher) {
        String path = System.getProperty(PATH_PROPERTY);
        for (String name : path == null ? launcher.libraries() : List.of(path)) {
            Optional<SymbolLookup> library = open(name);
            if (library.isPresent()) {
                Symbols.use(library.get());
                return bound(library.get());
            }
        }
        throw new RanksException("this is rank " + launcher.rank() + " of " + launcher.name() + ", and "
                + (path == null ? String.join(" or ", launcher.libraries()) : path)
                + " cannot be loaded: install it, name it by -D" + PATH_PROPERTY + ", or run alone by -D" + PROPERTY
                + "=off");
    }

    private static MpiLibrary bound(SymbolLookup library) {
        return library.find(OpenMpi.MARK).isPresent() ? new OpenMpi(library) : new Mpich();
    }

    /** A library by file name, as the system finds it, or by path; empty where there is none. */
    @SuppressWarnings("restricted")
    private static Optional<SymbolLookup> open(String name) {
        try {
            return Optional.of(SymbolLookup.libraryLookup(name, Arena.global()));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public int here() {
        String own;
        try (Region scratch = Region.shared("host name")) {
            MemorySegment text = scratch.allocate(TEXT);
            check("MPI_Get_processor_name", mpi.host(text, scratch.allocate(Integer.BYTES)));
            own = text.getString(0);
        }
        byte[] name = own.getBytes(StandardCharsets.UTF_8);
        return (int) Arrays.stream(gather(name)).filter(each -> Arrays.equals(each, name)).count();
    }

    @Override
    public String words() {
        return words;
    }

    @Override
    public byte[][] gather(byte[] own) {
        try (Region scratch = Region.shared("gathered bytes")) {
            int[] lengths = lengths(scratch, own.length);
            int longest = Math.max(1, Arrays.stream(lengths).max().orElseThrow());
            MemorySegment all = scratch.allocate(Math.multiplyExact(longest, size));
            MemorySegment.copy(own, 0, all, ValueLayout.JAVA_BYTE, (long) rank * longest, own.length);
            spreadNow(scratch, all, longest);
            byte[][] gathered = new byte[size][];
            for (int i = 0; i < size; i++) {
                gathered[i] = all.asSlice((long) i * longest, lengths[i]).toArray(ValueLayout.JAVA_BYTE);
            }
            return gathered;
        }
    }

    private int[] lengths(Region scratch, int own) {
        MemorySegment all = scratch.allocate((long) Integer.BYTES * size);
        all.setAtIndex(ValueLayout.JAVA_INT, rank, own);
        spreadNow(scratch, all, Integer.BYTES);
        return all.asSlice(0, (long) Integer.BYTES * size).toArray(ValueLayout.JAVA_INT);
    }

    private void spreadNow(Region scratch, MemorySegment parts, int bytesEach) {
        MemorySegment request = scratch.allocate(MpiLibrary.REQUEST_BYTES);
        check("MPI_Iallgather", mpi.startSpread(parts, bytesEach, request));
        await(request, scratch.allocate(Integer.BYTES));
    }

    /**
     * Waits for a request: at first as fast as can be, then in turn with other processes, at last asleep in between. The
     * functions of MPI that wait would take a whole core, which ranks that share cores have not.
     */
    private void await(MemorySegment request, MemorySegment flag) {
        long from = System.nanoTime();
        waitingSince = from;
        try {
            await(request, flag, from);
        } finally {
            waitingSince = 0;
        }
    }

    private void await(MemorySegment request, MemorySegment flag, long from) {
        while (true) {
            check("MPI_Test", mpi.test(request, flag));
            if (flag.get(ValueLayout.JAVA_INT, 0) != 0) {
                return;
            }
            long waited = System.nanoTime() - from;
            if (waited > SLEEPING_AFTER) {
                LockSupport.parkNanos(SLEEP);
            } else if (waited > YIELDING_AFTER) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }

    private void broadcast(MemorySegment memory, int bytes, int root) {
        waitingSince = System.nanoTime();
        try {
            check("MPI_Bcast", mpi.broadcastBytes(memory, bytes, root));
        } finally {
            waitingSince = 0;
        }
    }

    @Override
    public byte[] fromFirst(byte[] own) {
        try (Region scratch = Region.shared("broadcast bytes")) {
            MemorySegment length = scratch.allocate(Integer.BYTES);
            length.set(ValueLayout.JAVA_INT, 0, own.length);
            broadcast(length, Integer.BYTES, 0);
            int bytes = length.get(ValueLayout.JAVA_INT, 0);
            MemorySegment memory = scratch.allocate(Math.max(1, bytes));
            if (rank == 0) {
                MemorySegment.copy(own, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes);
            }
            broadcast(memory, bytes, 0);
            return memory.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    @Override
    public void from(int root, MemorySegment memory) {
        for (long from = 0; from < memory.byteSize(); from += PIECE) {
            int bytes = (int) Math.min(PIECE, memory.byteSize() - from);
            broadcast(memory.asSlice(from), bytes, root);
        }
    }

    @Override
    public Transfer sum(MemorySegment floats) {
        int count = Math.toIntExact(floats.byteSize() / Float.BYTES);
        return new Started("MPI_Iallreduce") {
            @Override
            int begin(MemorySegment request) {
                return mpi.startSum(floats, count, request);
            }
        };
    }

    @Override
    public Transfer exchange(MemorySegment send, MemorySegment receive) {
        int each = each(send);
        return new Started("MPI_Ialltoall") {
            @Override
            int begin(MemorySegment request) {
                return mpi.startExchange(send, receive, each, request);
            }
        };
    }

    @Override
    public Transfer spread(MemorySegment parts) {
        int each = each(parts);
        return new Started("MPI_Iallgather") {
            @Override
            int begin(MemorySegment request) {
                return mpi.startSpread(parts, each, request);
            }
        };
    }

    private int each(MemorySegment parts) {
        if (parts.byteSize() % size != 0) {
            throw new IllegalArgumentException(parts.byteSize() + " bytes are not " + size + " equal parts");
        }
        return Math.toIntExact(parts.byteSize() / size);
    }

    /** A transfer with its request. */
    private abstract class Started implements Transfer {
        private final String function;
        private final MemorySegment request = region.allocate(MpiLibrary.REQUEST_BYTES);
        private final MemorySegment flag = region.allocate(Integer.BYTES);
        private boolean running;

        Started(String function) {
            this.function = function;
        }

        abstract int begin(MemorySegment into);

        @Override
        public void start() {
            if (running) {
                throw new IllegalStateException(function + " is under way");
            }
            check(function, begin(request));
            running = true;
        }

        @Override
        public boolean test() {
            if (running) {
                check("MPI_Test", mpi.test(request, flag));
                running = flag.get(ValueLayout.JAVA_INT, 0) == 0;
            }
            return !running;
        }

        @Override
        public void await() {
            if (running) {
                LaunchedRanks.this.await(request, flag);
                running = false;
            }
        }
    }

    @Override
    public <T, E extends Exception> T together(Work<T, E> work) throws E {
        T result;
        try {
            result = work.run();
        } catch (Exception | Error e) {
            failed = true;
            share(String.valueOf(e.getMessage() == null ? e : e.getMessage()));
            throw e;
        }
        String failure = share("");
        if (failure != null) {
            throw new RanksException(failure, true);
        }
        return result;
    }

    /** Tells all what failed here, if anything; gives the first failure, or null where all went well. */
    private @Nullable String share(String own) {
        byte[][] all = gather(own.getBytes(StandardCharsets.UTF_8));
        List<String> failures = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            if (all[i].length > 0) {
                String text = new String(all[i], StandardCharsets.UTF_8);
                failures.add(i == 0 ? text : "rank " + i + ": " + text);
            }
        }
        if (failures.isEmpty()) {
            return null;
        }
        together = true;
        return failures.getFirst();
    }

    @Override
    public void endTogether() {
        together = true;
    }

    private void check(String function, int status) {
        if (status != 0) {
            try (Region scratch = Region.shared("MPI error")) {
                MemorySegment text = scratch.allocate(TEXT);
                MemorySegment length = scratch.allocate(Integer.BYTES);
                String why = mpi.error(status, text, length) == 0 ? text.getString(0) : "status " + status;
                throw new RanksException(function + " failed on rank " + rank + ": " + why.strip());
            }
        }
    }
}
