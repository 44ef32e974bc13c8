package io.pare.cli;

import io.pare.blas.Blas;
import io.pare.blas.Gemm;
import io.pare.blas.JavaBlas;
import io.pare.dnnl.DnnlEngine;
import io.pare.kernel.KernelProvider;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.LoadedLibrary;
import io.pare.natives.NativeStatus;
import io.pare.natives.Natives;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Says what a run would use on this machine and why, and tests it. */
@Command(name = "doctor", mixinStandardHelpOptions = true,
        header = "Say what this machine uses and why, and how fast it is.%n",
        description = "Exit code 1 if what is asked for cannot be had or computes wrong results.",
        optionListHeading = "%nOptions:%n", footer = {
            "", "What can be forced, as JVM options before -jar:",
            "  -Dpare.kernels=auto|simd|scalar   Pare's own kernels",
            "  -Dpare.simd.bits=128|256|512      their vector width",
            "  -Dpare.native=auto|on|off         oneDNN and OpenBLAS",
            "  -Dpare.native.path=DIR            libraries of your own",
            "  -Dpare.cache=DIR                  where libraries are unpacked"})
final class DoctorCommand implements Callable<Integer> {
    private static final int SMALL = 67;
    private static final int LARGE = 1024;
    private static final double TOLERANCE = 1e-4;
    private static final long MEASURE_NANOS = 300_000_000L;

    @Mixin
    private ThreadOption threads;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        int count = threads.orElse(ThreadOption.processors());
        ThreadOption.apply(count);
        line("pare", Version.number() + ", commit " + BuildInfo.commit());
        line("jdk", Runtime.version() + ", " + System.getProperty("java.vm.name") + ", "
                + System.getProperty("java.home"));
        line("system", System.getProperty("os.name") + " " + System.getProperty("os.arch") + ", "
                + ThreadOption.processors() + " processors, heap up to " + (Runtime.getRuntime().maxMemory() >> 20)
                + " MB");
        line("threads", Integer.toString(count));
        line("kernels", KernelProvider.reason());
        NativeStatus status = Natives.status();
        line("native", (status.available() ? "on" : "off") + " (" + status.mode().name().toLowerCase(Locale.ROOT)
                + "), " + status.platform() + ": " + status.reason());
        line("cache", Natives.cacheFolder().toString());
        status.notes().forEach(note -> line("note", note));
        for (LoadedLibrary library : status.libraries()) {
            line(library.role(), library.path() + " (" + library.origin().name().toLowerCase(Locale.ROOT) + ")");
        }
        if (Natives.enabled()) {
            line("onednn", DnnlEngine.get().version() + ", code for " + DnnlEngine.get().isa());
            line("openblas", Blas.config().trim() + ", kernels for " + Blas.core());
        }
        double error = selfTest();
        line("self-test",
                String.format(Locale.ROOT, "product of %dx%d matrices: largest relative error %.1e, %s", SMALL,
                        SMALL, error, error < TOLERANCE ? "good" : "WRONG"));
        line("speed", String.format(Locale.ROOT, "%.1f GFLOP/s in float products of %dx%d", speed(), LARGE, LARGE));
        return error < TOLERANCE ? Commands.OK : Commands.FAILURE;
    }

    private void line(String name, String text) {
        PrintWriter out = spec.commandLine().getOut();
        out.printf("%-10s %s%n", name, text);
        // At once: who measures a slow machine, or an interpreting JVM, sees how far it has come.
        out.flush();
    }

    /** Largest difference between the product in use and the plain one, relative to the largest value. */
    private static double selfTest() {
        try (Region region = Region.shared("doctor")) {
            FloatTensor a = matrix(region, SMALL, 1);
            FloatTensor b = matrix(region, SMALL, 2);
            FloatTensor found = region.tensor(SMALL, SMALL);
            FloatTensor expected = region.tensor(SMALL, SMALL);
            Gemm.sgemm(false, true, SMALL, SMALL, SMALL, 1, a.segment(), SMALL, b.segment(), SMALL, 0,
                    found.segment(), SMALL);
            JavaBlas.sgemm(false, true, SMALL, SMALL, SMALL, 1, a.segment(), SMALL, b.segment(), SMALL, 0,
                    expected.segment(), SMALL);
            double largest = 0;
            double difference = 0;
            for (long i = 0; i < expected.count(); i++) {
                largest = Math.max(largest, Math.abs(expected.get(i)));
                difference = Math.max(difference, Math.abs(expected.get(i) - found.get(i)));
            }
            return difference / largest;
        }
    }

    private static double speed() {
        try (Region region = Region.shared("doctor")) {
            FloatTensor a = matrix(region, LARGE, 1);
            FloatTensor b = matrix(region, LARGE, 2);
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

    private static FloatTensor matrix(Region region, int side, int seed) {
        FloatTensor matrix = region.tensor(side, side);
        for (long i = 0; i < matrix.count(); i++) {
            matrix.set(i, (float) Math.sin(seed + 0.37 * i));
        }
        return matrix;
    }
}
