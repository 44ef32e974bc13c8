package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.train.StepCost.Link;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepCostTest {
    private static final Link NETWORK = new Link(1e-5, 1e9, true);

    @Test
    void aLineGoesThroughBothTimes() {
        StepCost cost = StepCost.of(32, 0.5, 128, 1.7, List.of());
        assertEquals(0.5, cost.compute(32), 1e-12);
        assertEquals(0.1, cost.pass(), 1e-12);
        assertEquals(1.7, cost.seconds(128, 1, 1, NETWORK), 1e-12);
    }

    @Test
    void aLinkGivesBackTheSumsThatItWasFoundBy() {
        Link link = Link.of(1024, 6.1e-4, 4 << 20, 7e-3, false);
        assertEquals(6.1e-4, link.sum(1024, 2), 1e-12);
        assertEquals(7e-3, link.sum(4 << 20, 2), 1e-12);
    }

    @Test
    void manyRanksSumFewBytesByDoubling() {
        assertEquals(2 * 9 * (1e-5 + 1e-6), NETWORK.sum(1000, 512), 1e-12);
        assertEquals(2 * 511 * (1e-5 + 1e9 / 1e9 / 512), NETWORK.sum(1_000_000_000, 512), 1e-9);
    }

    @Test
    void theBackwardPassHidesAllButTheLastBucket() {
        StepCost slow = new StepCost(0, 1, List.of(1_000_000L, 1000L));
        assertEquals(NETWORK.sum(1000, 2), slow.waiting(4, 2, NETWORK), 1e-15);
        StepCost fast = new StepCost(0, 0, List.of(1_000_000L, 1000L));
        double all = NETWORK.sum(1000, 2) + NETWORK.sum(1_000_000, 2);
        assertEquals(all, fast.waiting(4, 2, NETWORK), 1e-15);
        assertEquals(all, slow.waiting(4, 2, new Link(1e-5, 1e9, false)), 1e-15);
    }

    @Test
    void ranksThatShareProcessorsTakeLonger() {
        StepCost cost = new StepCost(0, 1, List.of(1000L));
        Link memory = new Link(1e-6, 1e10, false);
        assertTrue(cost.seconds(8, 4, 0.5, memory) > 4);
        assertEquals(2 * cost.seconds(8, 4, 1, memory), cost.seconds(8, 4, 0.5, memory), 1e-12);
    }
}
