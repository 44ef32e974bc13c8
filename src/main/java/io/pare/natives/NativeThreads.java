package io.pare.natives;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * One thread count for all native pools.
 *
 * <p>OpenMP (oneDNN) owns the cores; OpenBLAS runs on the calling thread. Two pools that both spin for work halve each
 * other's speed.
 *
 * <p>Idle OpenMP workers spin for {@link #SPIN_COUNT} turns, some 17 us, and then sleep. Measured on two cores, a product of
 * 64 x 500 x 10 takes 5 us where the worker still spins and 41 us where it has to be woken. A training step of LeNet-5 has
 * gaps that are longer: 20,000 turns save 5 % of it on a free machine. Where other programs want the cores, they take a
 * third to a half more time than 1,000, for who spins has used up its share when work comes. Who sets {@code
 * OMP_WAIT_POLICY} or {@code GOMP_SPINCOUNT} keeps it.
 */
public final class NativeThreads {
    /** Turns that an idle OpenMP worker waits for work before it sleeps. */
    static final int SPIN_COUNT = 1_000;

    /** 0 until it is first asked for: a bad property shall not be an error of class loading. */
    private static volatile int current;

    private NativeThreads() {}

    /** The count that {@code -Dpare.threads} asks for; 1 where it is not set: no thread is started unasked. */
    static int initial() {
        String text = System.getProperty(Natives.THREADS_PROPERTY, "1");
        if (!text.matches("[1-9][0-9]{0,4}")) {
            throw new IllegalArgumentException(
                    "-D" + Natives.THREADS_PROPERTY + "=" + text + ": use a whole number from 1");
        }
        return Integer.parseInt(text);
    }

    /**
     * Sets the number of threads that native operations use.
     *
     * <p>Call it before building primitives, on the thread that will run them: OpenMP keeps one count per calling
     * thread, and oneDNN chooses and divides its kernels for the count that it sees when a primitive is built. Called
     * before the libraries are loaded, it holds for every thread.
     *
     * @param threads at least 1
     */
    public static synchronized void set(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("thread count must be at least 1, not " + threads);
        }
        current = threads;
        if (Natives.enabled()) {
            call("omp_set_num_threads", threads);
        }
    }

    /** What the environment says otherwise, as far as it can be said to libraries that are loaded already. */
    static void applyAfterLoading() {
        call("omp_set_num_threads", get());
        call("openblas_set_num_threads", 1);
    }

    /** {@return the count that was set last; before that, what {@code -Dpare.threads} asks for, or 1} */
    public static int get() {
        int set = current;
        return set > 0 ? set : initial();
    }

    @SuppressWarnings("restricted")
    private static void call(String function, int value) {
        MemorySegment address = Natives.symbols().find(function).orElse(null);
        if (address == null) {
            // A build of oneDNN without OpenMP: it has no pool to set.
            return;
        }
        MethodHandle handle = Linker.nativeLinker().downcallHandle(address,
                FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT));
        try {
            handle.invokeExact(value);
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
