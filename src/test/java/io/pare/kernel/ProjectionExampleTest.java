package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The example of the projections in docs/library.md, as a user would paste it. */
class ProjectionExampleTest {
    @Test
    void theExampleOfTheReadme() {
        long n = 400_000;
        try (Arena arena = Arena.ofShared(); Projections projections = Projections.open(1)) {
            MemorySegment w = arena.allocate(n * 4, 64);
            MemorySegment u = arena.allocate(n * 4, 64);
            MemorySegment z = arena.allocate(n * 4, 64);
            Random random = new Random(1);
            for (long i = 0; i < n; i++) {
                w.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
            }
            // Exactly the 4,000 greatest magnitudes stay.
            projections.topK(w, 0, z, 0, n, 4_000);
            // An ADMM step in one pass: z = top-k of w + u, u = u + w - z.
            Residuals left = projections.topKAdmm(w, 0, u, 0, z, 0, n, 4_000);
            // Eight free values, started from the last ones next time; zeros stay zero.
            MemorySegment codebook = arena.allocate(8 * 4);
            projections.linearStart(z, 0, n, 8, codebook, 0);
            Clusters found = projections.kMeans(z, 0, n, null, 0, 8, codebook, 0, 1_000);
            projections.assign(z, 0, n, found.size(), codebook, 0, z, 0, null, 0);
            assertTrue(left.primal() > 0);
            assertEquals(0, left.dual(), 1e-5);
            assertEquals(8, found.size());
        }
    }
}
