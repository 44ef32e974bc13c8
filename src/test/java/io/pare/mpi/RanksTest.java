package io.pare.mpi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class RanksTest {
    private static final String EXPECTED = """
            size 3 rank 2
            here 3
            gather [, x, xx]
            first of 0
            summed
            exchanged [2, 102, 202]
            spread [1, 8, 15]
            memory 40
            divided 5, same bits true
            """;

    @Test
    void launchersAreKnownByWhatTheyLeaveInTheEnvironment() {
        assertEquals(Optional.empty(), Launcher.of(Map.of("PATH", "/bin", "SLURM_NTASKS", "4")));
        Launcher open = Launcher.of(Map.of("OMPI_COMM_WORLD_RANK", "2", "OMPI_COMM_WORLD_SIZE", "4", "PMIX_RANK", "2"))
                .orElseThrow();
        assertEquals(List.of(2, 4), List.of(open.rank(), open.size()));
        assertEquals("libmpich.so.12",
                Launcher.of(Map.of("PMI_RANK", "1", "PMI_SIZE", "2")).orElseThrow().libraries().getFirst());
        assertEquals(5, Launcher.of(Map.of("PMIX_RANK", "5")).orElseThrow().rank());
        assertEquals(Optional.empty(), Launcher.of(Map.of("PMI_RANK", "x", "PMI_SIZE", "2")));
    }

    @Test
    void aProcessThatIsStartedAloneNeedsNoLibrary() {
        assertEquals(Optional.empty(), Launcher.of(Map.of("OMPI_COMM_WORLD_RANK", "0", "OMPI_COMM_WORLD_SIZE", "1")));
        assertSame(Ranks.alone(), Ranks.world());
        assertEquals(7, Ranks.alone().together(() -> 7));
        assertTrue(Ranks.alone().first());
    }

    @Test
    @Tag("process")
    void threeRanksOfOpenMpiReachEachOther() throws IOException, InterruptedException {
        Mpirun.assumed();
        Mpirun.Ended ended = Mpirun.run(3, RanksProgram.class.getName());
        assertEquals(0, ended.code(), ended.err());
        assertEquals(EXPECTED, ended.out());
    }

    @Test
    @Tag("process")
    void whatFailsInOneRankFailsInAll() throws IOException, InterruptedException {
        Mpirun.assumed();
        Mpirun.Ended ended = Mpirun.run(3, RanksProgram.class.getName(), "1");
        assertEquals(3, ended.code(), ended.err());
        assertEquals(EXPECTED + "failed: rank 1: no data, shared true\n", ended.out());
    }

    @Test
    @Tag("process")
    void threeRanksOfMpichReachEachOther() throws IOException, InterruptedException {
        assumeTrue(Mpirun.onPath("mpirun.mpich"), "no mpirun.mpich on the PATH: install mpich");
        Mpirun.Ended ended = Mpirun.run(
                Mpirun.command("mpirun.mpich", 3, List.of(), RanksProgram.class.getName()));
        assertEquals(0, ended.code(), ended.err());
        assertEquals(EXPECTED, ended.out());
    }
}
