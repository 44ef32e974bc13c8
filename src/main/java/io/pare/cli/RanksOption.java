package io.pare.cli;

import io.pare.Pare;
import io.pare.exec.backend.Precision;
import io.pare.mpi.Ranks;
import io.pare.train.Reduction;
import java.io.PrintWriter;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** How the processes that a launcher such as mpirun started train together; without one there is nothing to say. */
final class RanksOption {
    /** Open MPI gives a process a second between the signal and the kill. */
    private static final int LOOKS = 10;
    private static final long LOOK_MILLIS = 30;

    @Option(names = "--deterministic",
            description = "Under mpirun, sum gradients in the order of ranks: the same number of ranks gives the same bits."
                    + " One process gives the same bits in any case.")
    private boolean deterministic;

    @Option(names = "--gradients", paramLabel = "NUMBERS", defaultValue = "fp32",
            description = "Under mpirun, numbers that gradients travel as: fp32 or bf16, which is half as many bytes. Sums"
                    + " are of fp32 (default: ${DEFAULT-VALUE}).")
    private Precision gradients;

    @Option(names = "--whole-batch-norm",
            description = "Under mpirun, take statistics of batch normalisation from the whole batch, as one process does,"
                    + " rather than from the part of each rank. It waits for all ranks twice in each such layer and pass.")
    private boolean wholeBatch;

    /**
     * The processes; all but the first say nothing from now on, unless they alone fail.
     *
     * @param wayOn what goes on with the run if it is ended from outside, in words
     */
    Ranks begin(CommandLine line, String wayOn) {
        Ranks ranks = Ranks.world();
        if (ranks == Ranks.alone() && gradients != Precision.FP32) {
            throw new UsageException("--gradients is for several processes: start Pare by mpirun, or leave it out");
        }
        if (ranks == Ranks.alone() && wholeBatch) {
            throw new UsageException(
                    "--whole-batch-norm is for several processes: start Pare by mpirun, or leave it out");
        }
        if (!ranks.first()) {
            line.setOut(new PrintWriter(PrintWriter.nullWriter()));
            line.setErr(new PrintWriter(PrintWriter.nullWriter()));
        }
        if (ranks.size() > 1 && ranks.first()) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> sayIfCutOff(wayOn), "pare-ranks"));
        }
        ranks.requireSame(Map.of("its version of pare", Pare.version() + ", commit " + Pare.commit()));
        return ranks;
    }

    /**
     * When a rank is gone, its launcher ends the others, which wait for it: the first one says how to go on. In any other
     * end it no longer waits, or not for so long.
     */
    private static void sayIfCutOff(String wayOn) {
        try {
            for (int i = 0; i < LOOKS; i++) {
                if (Ranks.waiting() == 0) {
                    return;
                }
                Thread.sleep(LOOK_MILLIS);
            }
            System.err
                    .println("pare: told to end while waiting for other ranks, as where one of them is gone; " + wayOn);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    Reduction reduction() {
        return new Reduction(deterministic, gradients, wholeBatch);
    }
}
