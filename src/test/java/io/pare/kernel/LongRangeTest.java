package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Ranges of more than 2^31 elements; needs 10 GB. */
@Tag("long")
class LongRangeTest {
    @Test
    void aRangeBeyondAnIntIsProjectedToTheLastElement() {
        long step = 1_000_003;
        long planted = 2150;
        long n = (planted - 1) * step + 1;
        assertTrue(n > 1L << 31);
        try (Region region = Region.shared("long range"); Projections p = Projections.open(2)) {
            MemorySegment x = region.allocate(n * 4);
            MemorySegment bits = region.allocate(Bits.bytes(n));
            // The first is the greatest, the last element of all the least of those that are not zero.
            for (long i = 0; i < planted; i++) {
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i * step, (i % 2 == 0 ? 1 : -1) * (float) (planted - i));
            }
            assertEquals(new Threshold(1, planted - 1, 1), p.threshold(x, 0, n, planted));
            assertEquals(new Threshold(0, planted, 7), p.threshold(x, 0, n, planted + 7));
            p.topKBits(x, 0, n, planted, bits, 0);
            Bits kept = new Bits(bits, 0);
            long set = 0;
            for (long i = 0; i < Bits.bytes(n); i++) {
                set += Integer.bitCount(bits.get(ValueLayout.JAVA_BYTE, i) & 0xff);
            }
            assertEquals(planted, set);
            p.topK(x, 0, x, 0, n, planted - 1);
            for (long i = 0; i < planted; i++) {
                assertTrue(kept.get(i * step));
                float expected = i == planted - 1 ? 0 : (i % 2 == 0 ? 1 : -1) * (float) (planted - i);
                assertEquals(expected, x.getAtIndex(ValueLayout.JAVA_FLOAT, i * step));
            }
            MemorySegment words = region.allocate(2 * 4);
            words.set(ValueLayout.JAVA_FLOAT, 0, -1000);
            words.set(ValueLayout.JAVA_FLOAT, 4, 1000);
            p.assign(x, 0, n, 2, words, 0, x, 0, null, 0);
            for (long i = 0; i < planted; i++) {
                float expected = i == planted - 1 ? 0 : i % 2 == 0 ? 1000 : -1000;
                assertEquals(expected, x.getAtIndex(ValueLayout.JAVA_FLOAT, i * step));
            }
        }
    }
}
