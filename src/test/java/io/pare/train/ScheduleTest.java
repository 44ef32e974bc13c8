package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ScheduleTest {
    @Test
    void cosineFallsFromOneToItsFloor() {
        Schedule cosine = new Schedule.Cosine(0.1);
        assertEquals(1, cosine.factor(0, 101), 1e-12);
        assertEquals(0.55, cosine.factor(50, 101), 1e-12);
        assertEquals(0.1, cosine.factor(100, 101), 1e-12);
        assertEquals(1, cosine.factor(0, 1), 1e-12);
    }

    @Test
    void stepsDecayAtEachPiece() {
        Schedule steps = new Schedule.Steps(3, 0.1);
        assertEquals(1, steps.factor(32, 99), 1e-12);
        assertEquals(0.1, steps.factor(33, 99), 1e-12);
        assertEquals(0.01, steps.factor(98, 99), 1e-12);
    }

    @Test
    void warmUpRisesThenHandsOver() {
        Schedule warm = new Schedule.WarmUp(4, new Schedule.Cosine(0));
        assertEquals(0.25, warm.factor(0, 104), 1e-12);
        assertEquals(1, warm.factor(3, 104), 1e-12);
        assertEquals(1, warm.factor(4, 104), 1e-12);
        assertEquals(0, warm.factor(103, 104), 1e-12);
    }
}
