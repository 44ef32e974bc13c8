package io.pare.cli;

import io.pare.Pare;
import io.pare.Pare;
import io.pare.blas.Gemm;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Says what a run would use on this machine and why, and tests it. */
@Command(name = "doctor", mixinStandardHelpOptions = true,
        header = "Say what this machine uses and why, and how fast it is.",
        description = "Exit code 1 if what is asked for cannot be had or computes wrong results.",
        optionListHeading = "%nOptions:%n", footer = {
            "", "What can be forced, as JVM options before -jar:",
            "  -Dpare.kernels=auto|simd|scalar   Pare's own kernels",
            "  -Dpare.simd.bits=128|256|512      their vector width",
            "  -Dpare.native=auto|on|off         oneDNN and OpenBLAS",
            "  -Dpare.native.path=DIR            libraries of your own",
            "  -Dpare.cache=DIR                  where libraries are unpacked",
            "  -Dpare.env=on|off                 settings of their threads in the environment",
            "  -Dpare.mpi=auto|off               MPI, where a launcher started the process",
            "  -Dpare.mpi.path=FILE              its library"})
final class DoctorCommand implements Callable<Integer> {
    private static final int LARGE = 1024;
    private static final long MEASURE_NANOS = 300_000_000L;

    @Mixin
    private ThreadOption threads;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        int count = threads.orElse(ThreadOption.processors());
        ThreadOption.apply(count);
        Pare.Status status = Pare.status();
        status.lines().forEach(this::line);
        line(new Pare.Line("speed",
                String.format(Locale.ROOT, "%.1f GFLOP/s in float products of %dx%d", speed(), LARGE, LARGE)));
        return status.healthy() ? Commands.OK : Commands.FAILURE;
    }

    private void line(Pare.Line line) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        // At once: who measures a slow machine, or an interpreting JVM, sees how far it has come.
        out.flush();
    }

    private static double speed() {
        try (Region region = Region.shared("doctor")) {
            FloatTensor a = matrix(region, 1);
            FloatTensor b = matrix(region, 2);
            FloatTensor c = region.tensor(LARGE, LARGE);
            double best = 0;
            long start = System.nanoTime();
            do {
                long before = System.nanoTime();
                Gemm.sgemm(false, false, LARGE, LARGE, LARGE, 1, a.segment(), LARGE, b.segment(), LARGE, 0, c.segment(),
                        LARGE);
                best = Math.max(best, 2.0 * LARGE * LARGE * LARGE / (System.nanoTime() - before));
            } while (System.nanoTime() - start < MEASURE_NANOS);
            return best;
        }
    }

    private static FloatTensor matrix(Region region, int seed) {
        FloatTensor matrix = region.tensor(LARGE, LARGE);
        for (long i = 0; i < matrix.count(); i++) {
            matrix.set(i, (float) Math.sin(seed + 0.37 * i));
        }
        return matrix;
    }
}
