package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.AdmmOptions;
import io.pare.mpi.Mpirun;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Ranks that train apart, and what Z makes of it. */
class ConsensusTest {
    @Test
    @Tag("process")
    @Tag("native")
    void ranksThatTrainApartAgreeOnTheBestSparseVectorAndOnANetwork() throws IOException, InterruptedException {
        Mpirun.assumed();
        Mpirun.Ended ended = Mpirun.run(2, ConsensusProgram.class.getName());
        assertEquals(0, ended.code(), ended.err());
        List<String> lines = ended.out().lines().toList();
        assertEquals(14, lines.size(), ended.out());
        // The three largest of the means of what the ranks' losses draw to; each rank's own W is there too.
        assertEquals("z 4.000 0.000 -3.000 0.000 0.000 2.000", lines.get(0));
        assertEquals("bias 59.500 59.500", lines.get(1));
        assertEquals("own 4.000 0.000 -3.000 0.000 0.000 2.000", lines.get(2).replace("-0.000", "0.000"));
        assertEquals("united 0.500 0.500 0.500 0.500 0.500 0.500", lines.get(3));
        assertEquals("divided 5, same bits true", lines.get(4));
        assertEquals(List.of("epoch: alike false", "epoch: alike false", "epoch: alike true"), lines.subList(5, 8));
        assertTrue(lines.get(8).matches("649 of 2596, alike true, .*"), lines.get(8));
        assertEquals(lines.subList(5, 9), lines.subList(9, 13));
        // One of them has a limit, of which each takes half, and both plan within it.
        assertEquals("limit 536870912", lines.get(13));
    }

    @Test
    void importanceByGradientsDiffersBetweenRanks() {
        assertEquals("consensus and fisher exclude each other: each rank has gradients of its own",
                assertThrows(IllegalArgumentException.class, () -> new AdmmOptions(1e-3, Map.of(),
                        AdmmOptions.Rule.FIXED, 1.3, 1, 1, false, 0, true, true)).getMessage());
    }
}
