package io.pare.mem.direct;

import io.pare.mem.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.Reference;
import java.util.function.Supplier;

/**
 * Keeps memory from being freed while a call addresses it directly, as {@link Unconfined} does.
 *
 * <p>Memory of a {@link Region} is kept by the region's {@linkplain Region.Hold hold}. All other memory is kept by the JDK,
 * which holds an arena open for the time of a native call that is given one of its segments; there is no other public way.
 * So the call is made by a native function that calls back, {@code bsearch} of the C library, which compares its key
 * with an array of one element. This takes about 60 ns, but 0.1 s when the function is linked, in the first call of a
 * process. Whoever closes the arena meanwhile gets {@link IllegalStateException}, and it stays open. An automatic arena is
 * kept reachable likewise. A confined one needs nothing, because its owner is in the call.
 *
 * <p>Where the JVM denies native access nothing is kept: then nothing is addressed directly either. As with every call
 * from native code, a stack that overflows on the way in, a few hundred bytes, ends the process.
 */
public final class KeepAlive {
    private static final MemorySegment.Scope NEVER_CLOSED = Arena.global().scope();
    /** What a thread hands through the native function. */
    private static final ThreadLocal<Call<?>[]> HANDED = ThreadLocal.withInitial(() -> new Call<?>[1]);

    /** Linked when memory of no region first needs it. */
    private static final class Native {
        /** {@code bsearch}; {@code null} where native access is denied. */
        static final MethodHandle SEARCH = search();
        /** {@link #compare}, to be called from native code. */
        static final MemorySegment COMPARE = SEARCH == null ? null : compare();

        private Native() {}
    }

    private KeepAlive() {}

    @SuppressWarnings("restricted")
    private static MethodHandle search() {
        try {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().findOrThrow("bsearch"),
                    FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
        } catch (IllegalCallerException denied) {
            return null;
        }
    }

    @SuppressWarnings("restricted")
    private static MemorySegment compare() {
        try {
            MethodHandle compare = MethodHandles.lookup().findStatic(KeepAlive.class, "compare",
                    MethodType.methodType(int.class, long.class, long.class));
            return Linker.nativeLinker().upcallStub(compare,
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG),
                    Arena.global());
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Runs {@code body} while none of {@code memory} can be freed.
     *
     * @param memory off-heap segments; {@code null} counts for none
     * @throws IllegalStateException if a segment's arena is closed
     */
    public static void during(Runnable body, MemorySegment... memory) {
        during(() -> {
            body.run();
            return null;
        }, memory);
    }

    /** As {@link #during(Runnable, MemorySegment...)}, and returns what {@code body} does. */
    public static <T> T during(Supplier<T> body, MemorySegment... memory) {
        Region.Hold[] holds = new Region.Hold[memory.length];
        try {
            MemorySegment[] others = hold(memory, holds);
            int first = next(others, 0);
            if (first == others.length || Native.SEARCH == null) {
                return body.get();
            }
            Call<T> call = new Call<>(body, others, first);
            call.run();
            return call.result;
        } finally {
            for (Region.Hold hold : holds) {
                if (hold != null) {
                    hold.close();
                }
            }
            Reference.reachabilityFence(memory);
        }
    }

    /** Takes hold of all regions to which memory belongs; returns the other memory, with {@code null} in their places. */
    private static MemorySegment[] hold(MemorySegment[] memory, Region.Hold[] holds) {
        MemorySegment[] others = memory.clone();
        for (int i = 0; i < memory.length; i++) {
            Region.Hold hold = memory[i] == null ? null : Region.holdOf(memory[i]);
            if (hold != null) {
                holds[i] = hold.take();
                others[i] = null;
            }
        }
        return others;
    }

    /** Number of the first segment from {@code from} on that another thread can free, unless one before is of its arena. */
    private static int next(MemorySegment[] memory, int from) {
        int i = from;
        while (i < memory.length && !isToKeep(memory, i)) {
            i++;
        }
        return i;
    }

    private static boolean isToKeep(MemorySegment[] memory, int i) {
        if (memory[i] == null || !Unconfined.isAccessibleByAll(memory[i])) {
            return false;
        }
        MemorySegment.Scope scope = memory[i].scope();
        if (scope.equals(NEVER_CLOSED)) {
            return false;
        }
        for (int j = 0; j < i; j++) {
            if (memory[j] != null && memory[j].scope().equals(scope)) {
                return false;
            }
        }
        return true;
    }

    private static final class Call<T> {
        private final Supplier<T> body;
        private final MemorySegment[] memory;
        /** The first segment that is not kept yet. */
        private int next;
        private T result;
        private Throwable failure;

        Call(Supplier<T> body, MemorySegment[] memory, int next) {
            this.body = body;
            this.memory = memory;
            this.next = next;
        }

        /** Keeps two segments, as many as the native function is given, and within that the others. */
        void run() {
            if (next == memory.length) {
                result = body.get();
                return;
            }
            int one = next;
            int other = next(memory, one + 1);
            next = other == memory.length ? other : next(memory, other + 1);
            HANDED.get()[0] = this;
            try {
                Native.SEARCH.invokeExact(memory[one], memory[other == memory.length ? one : other], 1L, 1L,
                        Native.COMPARE);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
            if (failure instanceof Error error) {
                throw error;
            }
            if (failure != null) {
                throw (RuntimeException) failure;
            }
        }
    }

    /** Called back: nothing may be thrown through native code. */
    private static int compare(long key, long element) {
        Call<?>[] handed = HANDED.get();
        Call<?> call = handed[0];
        handed[0] = null;
        try {
            call.run();
        } catch (RuntimeException | Error e) {
            call.failure = e;
        }
        return 0;
    }
}
