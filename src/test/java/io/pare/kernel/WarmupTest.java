package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.pare.kernel.passes.Passes;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WarmupTest {
    /** A clock that tests set. */
    private static final class Clock {
        private double nanos;

        long now() {
            return (long) nanos;
        }
    }

    private final Clock clock = new Clock();
    private final Warmup warmup = new Warmup(clock::now);

    /** Runs a chunk; returns how long each of the two took. */
    private double[] chunk(int n, double plainEach, double vectorEach) {
        double[] took = new double[2];
        int end = 0;
        for (Warmup.Slices slice = warmup.slices(n); slice.next();) {
            assertEquals(end, slice.from);
            assertTrue(slice.count > 0);
            assertTrue(slice.count % Passes.STRIDE == 0 || slice.from + slice.count == n, "" + slice.count);
            double nanos = slice.count * (slice.vectors ? vectorEach : plainEach);
            took[slice.vectors ? 1 : 0] += nanos;
            clock.nanos += nanos;
            end += slice.count;
        }
        assertEquals(n, end);
        return took;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 17, 31, 32, 33, 255, 256, 257, 4095, 4096, 4097, 100_003, Passes.CHUNK})
    void slicesCoverEachElementOnce(int n) {
        for (double vectorEach : new double[]{500, 1, 1}) {
            chunk(n, 3, vectorEach);
            chunk(n, 300, vectorEach);
        }
    }

    @Test
    void whileVectorsAreBoxedTheTwinDoesAlmostAll() {
        double[] took = chunk(400_000, 5, 1000);
        // 2 ms of the twin squared and divided by 300 ms, and a slice more.
        assertTrue(took[0] >= 1.9e6 && took[1] <= 150_000, took[0] + " and " + took[1]);
        assertFalse(warmup.done());
    }

    @Test
    void vectorsGetAGrowingShare() {
        double plain = 0;
        double vectors = 0;
        for (int call = 0; call < 300; call++) {
            double[] took = chunk(400_000, 5, 500);
            plain += took[0];
            vectors += took[1];
            double granted = plain * plain / 300e6;
            assertTrue(vectors >= 0.9 * granted - 3e6 && vectors <= 1.1 * granted + 3e6, call + ": " + vectors);
        }
        assertTrue(vectors > plain, vectors + " and " + plain);
        assertFalse(warmup.done());
    }

    @Test
    void aLoopThatIsAsFastAsItsTwinHasWholeChunksFromThenOn() {
        chunk(400_000, 5, 500);
        chunk(4_000_000, 5, 4);
        assertTrue(warmup.done());
        Warmup.Slices slice = warmup.slices(1000);
        assertTrue(slice.next() && slice.vectors);
        assertEquals(1000, slice.count);
        clock.nanos += 1;
        assertFalse(slice.next());
    }

    @Test
    void boxedVectorsAreNotTakenForCompiledBecauseTheTwinIsInterpreted() {
        chunk(1_000_000, 900, 400);
        assertFalse(warmup.done());
    }

    @Test
    void oneSlowSliceOfTheTwinMakesVectorsNoFaster() {
        chunk(4_000_000, 5, 30);
        chunk(1_000_000, 45, 30);
        assertFalse(warmup.done());
    }

    @Test
    void onceCompiledNoPassAllocates() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int n = 100_000;
        try (Region region = Region.shared("warm-up"); Projections projections = Projections.open(1)) {
            MemorySegment x = region.allocate(n * 4L);
            MemorySegment u = region.allocate(n * 4L);
            MemorySegment z = region.allocate(n * 4L);
            MemorySegment.copy(Memory.gaussian(n, 1), 0, x, ValueLayout.JAVA_FLOAT, 0, n);
            long end = System.nanoTime() + 100_000_000_000L;
            long bytes;
            do {
                long before = threads.getCurrentThreadAllocatedBytes();
                projections.topK(x, 0, z, 0, n, n / 10);
                projections.topKAdmm(x, 0, u, 0, z, 0, n, n / 10);
                bytes = threads.getCurrentThreadAllocatedBytes() - before;
            } while (bytes > 2048 && System.nanoTime() < end);
            assertTrue(bytes <= 2048, bytes + " bytes in two calls");
        }
    }
}
