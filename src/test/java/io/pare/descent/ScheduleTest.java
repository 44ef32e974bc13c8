package io.pare.descent;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.descent.Schedule.Course;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    private static final double RATE = 0.02;

    @Test
    void aCosineFallsFromTheRateToItsFloorWithTheLastStep() {
        Schedule cosine = Schedule.cosine(RATE, 0.1);
        assertEquals(RATE, cosine.ofStep(0, 101, 1), 1e-12);
        assertEquals(0.55 * RATE, cosine.ofStep(50, 101, 1), 1e-12);
        assertEquals(0.1 * RATE, cosine.ofStep(100, 101, 1), 1e-12);
        assertEquals(RATE, cosine.ofStep(0, 1, 1), 1e-12);
        assertEquals(0.1 * RATE, cosine.ofShare(1), 1e-12);
    }

    @Test
    void aWarmUpRisesThenHandsOver() {
        Schedule steps = new Schedule(RATE, Course.COSINE, 0, 4.0 / 26);
        assertEquals(4, steps.risingSteps(26));
        assertEquals(0.25 * RATE, steps.ofStep(0, 26, 4), 1e-12);
        assertEquals(RATE, steps.ofStep(3, 26, 4), 1e-12);
        assertEquals(RATE, steps.ofStep(4, 26, 4), 1e-12);
        assertEquals(0, steps.ofStep(103, 26, 4), 1e-12);
        Schedule share = new Schedule(RATE, Course.COSINE, 0, 0.25);
        assertEquals(1e-3 * RATE, share.ofShare(0), 1e-12);
        assertEquals(0.5 * RATE, share.ofShare(0.125), 1e-12);
        assertEquals(RATE, share.ofShare(0.25), 1e-12);
        assertEquals(0.5 * RATE, share.ofShare(0.625), 1e-12);
        assertEquals(0, share.ofShare(1), 1e-12);
    }

    @Test
    void aConstantRateStays() {
        assertEquals(RATE, Schedule.constant(RATE).ofStep(7, 4, 2));
        assertEquals(RATE, Schedule.constant(RATE).ofShare(0.9));
    }

    /** Which third a step is in, by whole numbers: no rounding moves a step from one to the next. */
    @Property
    void stepsAreATenthAfterEachThird(@ForAll @IntRange(min = 1, max = 100_000) int perEpoch,
            @ForAll @IntRange(min = 1, max = 1000) int epochs, @ForAll @DoubleRange(min = 0, max = 1) double where) {
        Schedule steps = new Schedule(1, Course.STEP, 0.5, 0);
        long total = (long) perEpoch * epochs;
        long step = Math.min(total - 1, (long) (where * total));
        for (long each : new long[]{step, total / 3, total - 1 - (total - 1) / 3}) {
            assertEquals(Math.pow(0.1, 3 * each / total), steps.ofStep(each, perEpoch, epochs), 1e-15);
            assertEquals(Math.pow(0.1, 3 * each / total), steps.ofShare((double) each / total), 1e-15);
        }
        assertEquals(Math.pow(0.1, 2), steps.ofShare(1), 1e-15);
    }
}
