package io.pare.descent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BestTest {
    @Test
    void accuracyDecidesThenLossThenWhoCameFirst() {
        try (Region region = Region.confined("best")) {
            FloatTensor live = region.tensor(1);
            Best best = new Best(region, Map.of("w", live));
            assertTrue(Double.isNaN(best.accuracy()) && best.beatenBy(0, Double.POSITIVE_INFINITY));
            assertTrue(offer(best, live, 1, 0.5, 0.9));
            assertFalse(offer(best, live, 2, 0.4, 0.1));
            assertTrue(offer(best, live, 3, 0.5, 0.8));
            assertFalse(offer(best, live, 4, 0.5, 0.8));
            best.restore();
            assertEquals(3, live.get(0));
            assertTrue(offer(best, live, 5, 0.6, 2));
            assertEquals(0.6, best.accuracy());
            assertEquals(2, best.loss());
        }
    }

    private static boolean offer(Best best, FloatTensor live, float value, double accuracy, double loss) {
        live.set(0, value);
        return best.offer(accuracy, loss);
    }
}
