package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Ranges of more than 2^31 elements; needs 18 GB. */
@Tag("long")
class LongRangeTest {
    @Test
    void aRangeBeyondAnIntIsProjectedToTheLastElement() {
        long n = (1L << 31) + 1_000_003;
        long step = 1_000_003;
        try (Region region = Region.shared("long range"); Projections p = Projections.open(2)) {
            MemorySegment x = region.allocate(n * 4);
            MemorySegment z = region.allocate(n * 4);
            long planted = 0;
            for (long i = n - 1; i >= 0; i -= step) {
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, planted % 2 == 0 ? 1 + i % 7 : -1 - i % 7);
                planted++;
            }
            p.topK(x, 0, z, 0, n, planted);
            assertEquals(-1, x.mismatch(z));
            Threshold t = p.threshold(x, 0, n, planted);
            assertEquals(1f, t.magnitude());
            assertEquals(planted, t.above() + t.ties());
            // One more survivor than there are non-zeros is the first zero: nothing changes.
            p.topK(x, 0, x, 0, n, planted + 1);
            assertEquals(-1, x.mismatch(z));
            p.topK(x, 0, x, 0, n, 1);
            long left = 0;
            for (long i = n - 1; i >= 0; i -= step) {
                left += x.getAtIndex(ValueLayout.JAVA_FLOAT, i) != 0 ? 1 : 0;
            }
            assertEquals(1, left);
        }
    }
}
