package io.pare.natives;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Java code on the threads of OpenMP that oneDNN computes with.
 *
 * <p>A second pool would fight with the first for the cores: OpenMP's threads spin between two primitives, see
 * {@link NativeThreads}. Measured on 16 cores of a Xeon, LeNet-5, batch 64: an optimiser on threads of its own gained
 * 0.3 ms in its own part of a step and lost 0.4 to 4 ms in the forward pass behind it.
 *
 * <p>Ask for as many threads as oneDNN has. libgomp ends threads that a smaller team leaves over and starts them again for
 * the next primitive: 13 in place of 16 made the LeNet-5 step 1.1 to 1.6 times slower.
 *
 * <p>Belongs to one calling thread; a run allocates nothing. Where there is no OpenMP, or one thread is asked for, the
 * caller does all shares. Lives as long as its arena, which {@link #close} closes.
 */
public final class Team implements AutoCloseable {
    /** What is done once for each share. */
    @FunctionalInterface
    public interface Task {
        /**
         * Does share {@code share} of {@code shares}, in any thread.
         *
         * @param share number of the share, from 0
         * @param shares how many there are
         */
        void run(int share, int shares);
    }

    private static final class OpenMp {
        /** {@code void GOMP_parallel(void (*)(void *), void *, unsigned, unsigned)}, of libgomp and of LLVM's runtime; null without. */
        static final MethodHandle PARALLEL = function("GOMP_parallel", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS,
                ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        /** Number of the thread in its team, and how many there are: fewer than asked for under OMP_THREAD_LIMIT. */
        static final MethodHandle NUMBER = count("omp_get_thread_num");
        static final MethodHandle THREADS = count("omp_get_num_threads");

        private static MethodHandle count(String name) {
            return function(name, FunctionDescriptor.of(ValueLayout.JAVA_INT), Linker.Option.critical(false));
        }

        @SuppressWarnings("restricted")
        private static MethodHandle function(String name, FunctionDescriptor type, Linker.Option... options) {
            MemorySegment address = Natives.symbols().find(name).orElse(null);
            return address == null ? null : Linker.nativeLinker().downcallHandle(address, type, options);
        }
    }

    private final Task task;
    private final int shares;
    private final Arena arena;
    private final MemorySegment entry;
    private volatile Throwable failure;

    /**
     * Makes a team; its threads are OpenMP's, and none is started now.
     *
     * @param shares threads that take part, the caller's among them
     * @param task what each run does
     */
    @SuppressWarnings("restricted")
    public Team(int shares, Task task) {
        this.task = task;
        this.shares = shares;
        boolean alone = shares == 1 || !Natives.enabled() || OpenMp.PARALLEL == null;
        this.arena = alone ? null : Arena.ofShared();
        try {
            this.entry = alone
                    ? null
                    : Linker.nativeLinker()
                            .upcallStub(MethodHandles.lookup().bind(this, "enter",
                                    MethodType.methodType(void.class, MemorySegment.class)),
                                    FunctionDescriptor.ofVoid(ValueLayout.ADDRESS), arena);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Does all shares and waits for them.
     *
     * @throws RuntimeException or an Error as a share has thrown it; the others are done
     */
    public void run() {
        if (entry == null) {
            for (int share = 0; share < shares; share++) {
                task.run(share, shares);
            }
            return;
        }
        failure = null;
        try {
            OpenMp.PARALLEL.invokeExact(entry, MemorySegment.NULL, shares, 0);
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        switch (failure) {
            case null -> {
            }
            case Error e -> throw e;
            case RuntimeException e -> throw e;
            default -> throw new AssertionError(failure);
        }
    }

    /** What each of OpenMP's threads calls; an exception that left it would end the process. */
    private void enter(MemorySegment nothing) {
        try {
            int threads = (int) OpenMp.THREADS.invokeExact();
            for (int share = (int) OpenMp.NUMBER.invokeExact(); share < shares; share += threads) {
                task.run(share, shares);
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    /** Frees the way from OpenMP into Java; the threads are OpenMP's and stay. */
    @Override
    public void close() {
        if (arena != null && arena.scope().isAlive()) {
            arena.close();
        }
    }
}
