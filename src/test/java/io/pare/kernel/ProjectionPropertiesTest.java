package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.kernel.passes.Passes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tag;
import net.jqwik.api.constraints.IntRange;

/** What makes a projection one, for any finite input: it lies in the set, stays there, and nothing is nearer. */
@Tag("providers")
class ProjectionPropertiesTest {
    @Provide
    Arbitrary<float[]> weights() {
        Arbitrary<Float> awkward = Arbitraries.of(0f, -0f, 1f, -1f, 2f, -2f, Float.MIN_VALUE, -Float.MIN_VALUE, 1e-38f);
        Arbitrary<Float> any = Arbitraries.floats().between(-10, 10);
        return Arbitraries.oneOf(awkward, any).array(float[].class).ofMinSize(1).ofMaxSize(70);
    }

    private static double squares(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
        }
        return sum;
    }

    private static int nonZeros(float[] x) {
        int count = 0;
        for (float v : x) {
            count += v != 0 ? 1 : 0;
        }
        return count;
    }

    private static boolean holds(MemorySegment words, int size, float value) {
        for (int i = 0; i < size; i++) {
            if (words.getAtIndex(ValueLayout.JAVA_FLOAT, i) == value) {
                return true;
            }
        }
        return false;
    }

    private interface Projection {
        void apply(Projections p, MemorySegment x, MemorySegment z);
    }

    /** The projection by both providers and one to three threads, which must agree, applied once more at the end. */
    private static float[] project(float[] x, Projection projection) {
        int n = x.length;
        float[] first = null;
        for (Passes passes : MixedPasses.all().toList()) {
            for (int threads = 1; threads <= 3; threads++) {
                try (Projections p = new Projections(passes, threads)) {
                    MemorySegment z = Memory.zeros(n);
                    projection.apply(p, Memory.floats(x), z);
                    float[] now = Memory.array(z, 0, n);
                    if (first == null) {
                        first = now;
                    }
                    assertArrayEquals(Memory.rawBits(first), Memory.rawBits(now));
                    MemorySegment again = Memory.zeros(n);
                    projection.apply(p, z, again);
                    float[] twice = Memory.array(again, 0, n);
                    for (int i = 0; i < n; i++) {
                        // As numbers: a codeword may be -0, and zeros become +0.
                        assertTrue(now[i] == twice[i], "idempotent");
                    }
                }
            }
        }
        return first;
    }

    @Property(tries = 300)
    void topKIsTheNearestOfAllVectorsWithKNonZeros(@ForAll("weights") float[] x, @ForAll @IntRange(max = 70) int most) {
        int n = x.length;
        int k = Math.min(most, n);
        float[] z = project(x, (p, from, to) -> p.topK(from, 0, to, 0, n, k));
        double[] sorted = new double[n];
        for (int i = 0; i < n; i++) {
            sorted[i] = (double) x[i] * x[i];
            assertTrue(z[i] == x[i] || z[i] == 0);
        }
        Arrays.sort(sorted);
        double nearest = 0;
        for (int i = 0; i < n - k; i++) {
            nearest += sorted[i];
        }
        assertEquals(nearest, squares(x, z), 1e-12 * nearest);
        assertEquals(Math.min(k, nonZeros(x)), nonZeros(z));
    }

    @Property(tries = 200)
    void nOfMIsTheTopKOfEachGroup(@ForAll("weights") float[] x, @ForAll @IntRange(min = 1, max = 9) int group,
            @ForAll @IntRange(max = 9) int most) {
        int n = x.length;
        int keep = Math.min(most, group);
        float[] z = project(x, (p, from, to) -> p.keepOfGroups(from, 0, to, 0, n, keep, group));
        for (int at = 0; at < n; at += group) {
            int to = Math.min(n, at + group);
            float[] part = Arrays.copyOfRange(x, at, to);
            float[] kept = TopKTest.oracle(part, Math.min(keep, part.length));
            assertArrayEquals(kept, Arrays.copyOfRange(z, at, to));
        }
    }

    @Property(tries = 200)
    void theExactCodebookIsAFixedPointAndNoOtherIsBetter(@ForAll("weights") float[] x,
            @ForAll @IntRange(min = 1, max = 6) int m, @ForAll("weights") float[] other) {
        int n = x.length;
        MemorySegment words = Memory.zeros(m);
        MemorySegment in = Memory.floats(x);
        try (Projections p = Projections.open(1)) {
            Clusters exact = p.kMeansExact(in, 0, n, null, 0, m, words, 0);
            assertTrue(exact.size() <= m);
            if (exact.size() == 0) {
                assertEquals(0, nonZeros(x));
                return;
            }
            float[] z = project(x, (q, from, to) -> q.assign(from, 0, n, exact.size(), words, 0, to, 0, null, 0));
            for (int i = 0; i < n; i++) {
                // The mean of 1 and -1 is a codeword too, so a weight that was not zero may become zero.
                assertTrue(x[i] == 0 ? Float.floatToRawIntBits(z[i]) == 0 : holds(words, exact.size(), z[i]));
            }
            double error = squares(x, z);
            // Codewords are rounded to floats.
            double rounding = 1e-5 * (error + 1e-8);
            assertEquals(exact.error(), error, rounding);
            // Any codebook does as a comparison: here, the first values of another array.
            float[] rival = Arrays.copyOf(other, Math.min(m, other.length));
            Arrays.sort(rival);
            double rivalError = p.assign(in, 0, n, rival.length, Memory.floats(rival), 0, null, 0, null, 0);
            assertTrue(exact.error() <= rivalError + rounding);
        }
    }

    @Property(tries = 100)
    void theJointProjectionHoldsBothConstraintsAndMoreRoundsNeverHurt(@ForAll("weights") float[] x,
            @ForAll @IntRange(min = 1, max = 70) int most, @ForAll @IntRange(min = 1, max = 4) int m) {
        int n = x.length;
        int k = Math.min(most, n);
        double last = Double.POSITIVE_INFINITY;
        try (Projections p = Projections.open(1)) {
            for (int rounds = 1; rounds <= 4; rounds++) {
                MemorySegment words = Memory.zeros(m);
                MemorySegment z = Memory.zeros(n);
                Joint joint = p.joint(Memory.floats(x), 0, n, k, m, false, words, 0, rounds, z, 0, null, 0);
                float[] result = Memory.array(z, 0, n);
                assertTrue(nonZeros(result) <= k);
                assertTrue(Arrays.stream(Memory.rawBits(result)).filter(bits -> bits != 0).distinct().count() <= m);
                assertEquals(squares(x, result), joint.error(), 1e-9 * (1 + joint.error()));
                assertTrue(joint.error() <= last * (1 + 1e-6) + 1e-12);
                last = joint.error();
            }
        }
    }
}
