package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mpi.Mpirun;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Processes that train together take the steps that one process takes in as many passes. */
class RankTrainingTest {
    /** Sums of another order in six steps: weights are below 1, and a sum of them is rounded to 2^-24. */
    private static final double ROUNDING = 2e-5;

    @Test
    @Tag("process")
    @Tag("native")
    void ranksTrainAsOneProcessDoesInAsManyPasses() throws IOException, InterruptedException {
        Mpirun.assumed();
        Mpirun.Ended ended = Mpirun.run(2, RankTrainingProgram.class.getName());
        assertEquals(0, ended.code(), ended.err());
        List<String> lines = ended.out().lines().toList();
        assertEquals(15, lines.size(), ended.out());
        assertNear("usual ", lines.get(0), ROUNDING);
        assertNear("in order ", lines.get(1), ROUNDING);
        assertEquals("in order again 0.0", lines.get(2));
        assertNear("bf16 ", lines.get(3), 5e-3);
        assertTrue(number("bf16 ", lines.get(3)) > ROUNDING, lines.get(3));
        assertNear("accumulated ", lines.get(4), ROUNDING);
        assertNear("whole batch ", lines.get(5), ROUNDING);
        assertTrue(number("parts ", lines.get(6)) > 10 * ROUNDING, lines.get(6));
        for (int i = 7; i < 11; i += 2) {
            assertNear("masked ", lines.get(i), ROUNDING);
            String[] bytes = lines.get(i + 1).split(" ");
            assertTrue(100 * Long.parseLong(bytes[1]) <= Long.parseLong(bytes[3]), lines.get(i + 1));
        }
        assertEquals("evaluation true", lines.get(11));
        assertEquals("stopped after 4", lines.get(12));
        assertTrue(lines.get(13).startsWith("warning: rank 1 is slow: it computed for "), lines.get(13));
        assertTrue(lines.get(14).startsWith("rank 1 no longer has the weights of rank 0"), lines.get(14));
    }

    private static double number(String name, String line) {
        assertTrue(line.startsWith(name), line);
        return Double.parseDouble(line.substring(name.length()));
    }

    private static void assertNear(String name, String line, double most) {
        assertTrue(number(name, line) <= most, line);
    }
}
