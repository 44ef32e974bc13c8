package io.pare.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;

/**
 * Feeds a reader with damaged inputs: it must take each or refuse it clearly, and soon.
 *
 * <p>A test class holds a short run for every build, and a long one that a person starts:
 *
 * <pre>{@code
 * private static final Fuzz FUZZ = Fuzz.of("IDX", Mutations.of(seeds()), IdxFuzzTest::read, FormatException.class);
 *
 * @Test
 * void damagedFilesAreReadOrRefused() {
 *     FUZZ.run(2000);
 * }
 *
 * @Test
 * @Tag("long")
 * void manyDamagedFilesAreReadOrRefused() {
 *     FUZZ.runLong();
 * }
 * }</pre>
 *
 * <p>The long run is {@code mvn test -Dtest='*FuzzTest' -Dtest.excluded= -Dgroups=long -Dtest.heap=96m}. System
 * properties: {@code pare.fuzz.inputs} (1,000,000) and {@code pare.fuzz.seconds} (600) say when it ends, whichever is
 * first; {@code pare.fuzz.seed} (0) is the number of the first input.
 */
public final class Fuzz {
    /** Longest time that a reader may take for one input, of the processor. */
    private static final long SLOW_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int SHOWN_BYTES = 4000;

    /** Reads one input as a program would; what it allocates and how long it takes is measured. */
    public interface Reader {
        void read(byte[] input) throws Exception;
    }

    /**
     * What a run found.
     *
     * @param slowest number of the input that took longest
     * @param largest number of the input for which most was allocated
     */
    public record Report(String name, long inputs, long refused, long seconds, long slowest, long slowestNanos,
            long largest, long largestBytes) {
        @Override
        public String toString() {
            return "%s: %,d inputs, %,d refused, in %d s; slowest %d ms (input %d), most allocated %.1f MB (input %d)"
                    .formatted(name, inputs, refused, seconds, slowestNanos / 1_000_000, slowest, largestBytes / 1e6,
                            largest);
        }
    }

    private final String name;
    private final LongFunction<byte[]> inputs;
    private final Reader reader;
    private final List<Class<?>> refusals;

    private volatile long current;
    private volatile Throwable failure;
    private volatile Report report;

    private Fuzz(String name, LongFunction<byte[]> inputs, Reader reader,
            List<Class<?>> refusals) {
        this.name = name;
        this.inputs = inputs;
        this.reader = reader;
        this.refusals = refusals;
    }

    /**
     * @param name of the format, for messages
     * @param inputs damaged inputs by number, such as {@link Mutations}
     * @param refusals what a reader may throw: with a message of one line
     */
    public static Fuzz of(String name, LongFunction<byte[]> inputs, Reader reader,
            Class<?>... refusals) {
        return new Fuzz(name, inputs, reader, List.of(refusals));
    }

    /** Reads inputs 0 to {@code count} - 1; fails with the first that ends unclearly or takes too long. */
    public Report run(long count) {
        return run(0, count, Long.MAX_VALUE);
    }

    /** Reads as many inputs as the system properties say, and prints what it found. */
    public Report runLong() {
        Report found = run(Long.getLong("pare.fuzz.seed", 0), Long.getLong("pare.fuzz.inputs", 1_000_000),
                Long.getLong("pare.fuzz.seconds", 600));
        System.out.println(found);
        return found;
    }

    private Report run(long first, long count, long seconds) {
        failure = null;
        report = null;
        current = first;
        // A thread of its own, so that an input on which a reader hangs can be named.
        Thread thread = new Thread(() -> readAll(first, count, seconds), "fuzz " + name);
        thread.setDaemon(true);
        thread.start();
        long watched = -1;
        long since = 0;
        while (thread.isAlive()) {
            long input = current;
            long nanos = THREADS.getThreadCpuTime(thread.threadId());
            if (input != watched) {
                watched = input;
                since = nanos;
            } else if (nanos - since > 4 * SLOW_NANOS && current == input) {
                throw new AssertionError(describe(input, "takes more than 8 s"));
            }
            try {
                thread.join(200);
            } catch (InterruptedException e) {
                throw new IllegalStateException("interrupted", e);
            }
        }
        if (failure != null) {
            throw new AssertionError(describe(current, failure.toString()), failure);
        }
        return report;
    }

    private void readAll(long first, long count, long seconds) {
        long begin = System.nanoTime();
        long refused = 0;
        long slowest = first;
        long slowestNanos = 0;
        long largest = first;
        long largestBytes = 0;
        long done = 0;
        try {
            for (; done < count && (System.nanoTime() - begin) / 1_000_000_000 < seconds; done++) {
                current = first + done;
                byte[] input = inputs.apply(current);
                long allocated = THREADS.getCurrentThreadAllocatedBytes();
                long start = THREADS.getCurrentThreadCpuTime();
                refused += read(input) ? 0 : 1;
                long nanos = THREADS.getCurrentThreadCpuTime() - start;
                long bytes = THREADS.getCurrentThreadAllocatedBytes() - allocated;
                if (nanos > slowestNanos) {
                    slowestNanos = nanos;
                    slowest = current;
                }
                if (bytes > largestBytes) {
                    largestBytes = bytes;
                    largest = current;
                }
                if (nanos > SLOW_NANOS) {
                    throw new AssertionError("takes " + nanos / 1_000_000 + " ms");
                }
            }
            report = new Report(name, done, refused, (System.nanoTime() - begin) / 1_000_000_000, slowest,
                    slowestNanos, largest, largestBytes);
        } catch (Throwable e) {
            // An error of any kind, one of memory too, is what is looked for.
            failure = e;
        }
    }

    /** Whether the input was taken; {@code false} if it was refused clearly. */
    private boolean read(byte[] input) throws Exception {
        try {
            reader.read(input);
            return true;
        } catch (Exception e) {
            if (refusals.stream().noneMatch(refusal -> refusal.isInstance(e))) {
                throw e;
            }
            if (e.getMessage() == null || e.getMessage().isBlank() || e.getMessage().contains("\n")) {
                throw new AssertionError("is refused without a line that says why", e);
            }
            return false;
        }
    }

    private String describe(long number, String what) {
        byte[] input = inputs.apply(number);
        return "%s, input %d of %d bytes: %s; its first bytes in Base64: %s".formatted(name, number, input.length, what,
                Base64.getEncoder().encodeToString(Arrays.copyOf(input, Math.min(input.length, SHOWN_BYTES))));
    }
}
