package io.pare;

import io.pare.blas.Blas;
import io.pare.blas.Gemm;
import io.pare.blas.JavaBlas;
import io.pare.dnnl.DnnlEngine;
import io.pare.kernel.KernelProvider;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mpi.Ranks;
import io.pare.natives.LoadedLibrary;
import io.pare.natives.NativeStatus;
import io.pare.natives.NativeThreads;
import io.pare.natives.Natives;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;

/** What this build is, and what it uses on this machine: a health check for services, and the command {@code doctor}. */
public final class Pare {
    private static final int SIDE = 67;
    private static final double TOLERANCE = 1e-4;

    private Pare() {}

    /**
     * A fact and its name.
     *
     * @param name in one word, such as {@code kernels}
     * @param text what is the case, and why
     */
    public record Line(String name, String text) {
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%-10s %s", name, text);
        }
    }

    /**
     * The state of Pare in this process. Its text is what {@code doctor} prints, but for a measurement of speed.
     *
     * @param healthy whether the self-test gave the right product
     * @param natives whether oneDNN and OpenBLAS are in use
     * @param kernels those of Pare's own in use, such as {@code simd} and {@code scalar}
     * @param threads of native operations
     * @param error largest difference of the self-test's product, relative to its largest value
     * @param liveBytes off-heap memory of all open regions
     * @param liveRegions open regions
     * @param lines all of it in words
     */
    public record Status(boolean healthy, boolean natives, String kernels, int threads, double error, long liveBytes,
            int liveRegions, List<Line> lines) {
        /** Keeps the lines as they are. */
        public Status {
            lines = List.copyOf(lines);
        }

        @Override
        public String toString() {
            return lines.stream().map(Line::toString).collect(Collectors.joining("\n"));
        }
    }

    /**
     * Looks at this process and tests it. Loads the native libraries if they are not loaded yet; that apart it takes a few
     * milliseconds. Any thread may call it.
     *
     * @return the state at this moment
     * @throws io.pare.natives.NativesUnavailableException if native libraries are demanded and cannot be had
     * @throws IllegalArgumentException if a system property of Pare's has no such value
     */
    public static Status status() {
        List<Line> lines = new ArrayList<>();
        Runtime runtime = Runtime.getRuntime();
        lines.add(new Line("pare", version() + ", commit " + commit()));
        lines.add(new Line("jdk", Runtime.version() + ", " + System.getProperty("java.vm.name") + ", "
                + System.getProperty("java.home")));
        lines.add(new Line("system", System.getProperty("os.name") + " " + System.getProperty("os.arch") + ", "
                + runtime.availableProcessors() + " processors, heap up to " + (runtime.maxMemory() >> 20) + " MB"));
        int threads = NativeThreads.get();
        lines.add(new Line("threads", Integer.toString(threads)));
        lines.add(new Line("kernels", KernelProvider.reason()));
        natives(lines);
        lines.add(new Line("mpi", Ranks.found()));
        long liveBytes = Region.liveBytes();
        int liveRegions = Region.liveRegions();
        lines.add(new Line("memory", (liveBytes >> 20) + " MB off-heap in " + liveRegions + " regions"));
        double error = selfTest();
        boolean healthy = error < TOLERANCE;
        lines.add(new Line("self-test", String.format(Locale.ROOT,
                "product of %dx%d matrices: largest relative error %.1e, %s", SIDE, SIDE, error,
                healthy ? "good" : "WRONG")));
        return new Status(healthy, Natives.enabled(), KernelProvider.active().name(), threads, error,
                liveBytes, liveRegions, lines);
    }

    private static void natives(List<Line> lines) {
        NativeStatus status = Natives.status();
        lines.add(new Line("native", (status.available() ? "on" : "off") + " ("
                + status.mode().name().toLowerCase(Locale.ROOT) + "), " + status.platform() + ": " + status.reason()));
        lines.add(new Line("cache", Natives.cacheFolder().toString()));
        status.notes().forEach(note -> lines.add(new Line("note", note)));
        for (LoadedLibrary library : status.libraries()) {
            lines.add(new Line(library.role(),
                    library.path() + " (" + library.origin().name().toLowerCase(Locale.ROOT) + ")"));
        }
        if (Natives.enabled()) {
            lines.add(new Line("onednn", DnnlEngine.get().version() + ", code for " + DnnlEngine.get().isa()));
            lines.add(new Line("openblas", Blas.config().trim() + ", kernels for " + Blas.core()));
        }
    }

    /** Largest difference between the product in use and the plain one, relative to the largest value. */
    private static double selfTest() {
        try (Region region = Region.shared("self-test")) {
            FloatTensor a = matrix(region, 1);
            FloatTensor b = matrix(region, 2);
            FloatTensor found = region.tensor(SIDE, SIDE);
            FloatTensor expected = region.tensor(SIDE, SIDE);
            Gemm.sgemm(false, true, SIDE, SIDE, SIDE, 1, a.segment(), SIDE, b.segment(), SIDE, 0, found.segment(),
                    SIDE);
            JavaBlas.sgemm(false, true, SIDE, SIDE, SIDE, 1, a.segment(), SIDE, b.segment(), SIDE, 0,
                    expected.segment(), SIDE);
            double largest = 0;
            double difference = 0;
            for (long i = 0; i < expected.count(); i++) {
                largest = Math.max(largest, Math.abs(expected.get(i)));
                difference = Math.max(difference, Math.abs(expected.get(i) - found.get(i)));
            }
            return difference / largest;
        }
    }

    private static FloatTensor matrix(Region region, int seed) {
        FloatTensor matrix = region.tensor(SIDE, SIDE);
        for (long i = 0; i < matrix.count(); i++) {
            matrix.set(i, (float) Math.sin(seed + 0.37 * i));
        }
        return matrix;
    }

    /**
     * The version of this build.
     *
     * @return the one in the jar's manifest, or "development" outside a jar
     */
    public static String version() {
        return Optional.ofNullable(Pare.class.getPackage().getImplementationVersion()).orElse("development");
    }

    /**
     * The commit that was built.
     *
     * @return its hash, with "-dirty" where the tree had changes; "unknown" without git
     */
    public static String commit() {
        Properties build = new Properties();
        try (InputStream in = Pare.class.getResourceAsStream("build.properties")) {
            if (in != null) {
                build.load(in);
            }
        } catch (IOException e) {
            return "unknown";
        }
        String commit = build.getProperty("commit", "");
        return commit.isBlank() || commit.startsWith("$") ? "unknown" : commit;
    }
}
