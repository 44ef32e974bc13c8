package io.pare.bench;

import static io.pare.bench.Baselines.Pivot.MEDIAN;
import static io.pare.bench.Baselines.Pivot.NEAR_RANK;
import static io.pare.bench.ProjectionSweep.Data.GAUSSIAN;
import static io.pare.bench.ProjectionSweep.Data.LAPLACE;

import io.pare.kernel.Kernels;
import io.pare.kernel.Projections;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/** The bars of projections. */
final class ProjectionBars {
    private static final String GROUP = "projections";
    /** Short inputs take turns: the branch predictor would learn a single one. */
    private static final int INPUTS = 4;
    private static final double BLOCK = 0.002;

    private final Consumer<Bar> out;
    private final double seconds;

    ProjectionBars(Consumer<Bar> out, double seconds) {
        this.out = out;
        this.seconds = seconds;
    }

    /** On the calling thread alone. */
    void oneThread() throws Throwable {
        Baselines cpp = Baselines.obstacle() == null ? new Baselines() : null;
        ProjectionSweep.warmUp();
        small(25_000, cpp);
        small(400_000, cpp);
        large();
    }

    private void small(int n, Baselines cpp) throws Throwable {
        try (Region region = Region.shared("bars"); Projections p = Projections.open(1)) {
            MemorySegment[] x = new MemorySegment[n > 100_000 ? 1 : INPUTS];
            for (int i = 0; i < x.length; i++) {
                x[i] = region.allocate(n * 4L);
                ProjectionSweep.fill(x[i], n, i + 1);
            }
            MemorySegment z = region.allocate(n * 4L);
            MemorySegment u = region.allocate(n * 4L);
            MemorySegment scratch = region.allocate(n * 4L);
            long bits = cpp == null ? 0 : cpp.quickselectBits();
            int[] at = new int[1];
            for (double keep : new double[]{0.01, 0.1, 0.5}) {
                long k = Math.round(n * keep);
                Turns turns = new Turns(BLOCK);
                turns.put("pare", () -> p.topK(x[at[0]++ % x.length], 0, z, 0, n, k));
                if (bits > 0) {
                    ProjectionSweep.checkPeers(cpp, p, x[0], z, scratch, u, n, k);
                    for (Baselines.Pivot pivot : Baselines.Pivot.values()) {
                        turns.put(pivot.name(),
                                () -> cpp.quickselect(x[at[0]++ % x.length], z, scratch, n, k, bits, pivot));
                    }
                }
                topK(n, keep, measure(turns, seconds), bits);
            }
            u.fill((byte) 0);
            if (n == 400_000) {
                fused(n, p, x[0], u, z, scratch);
            }
        }
    }

    private void topK(int n, double keep, Map<String, Turns.Times> times, long bits) {
        String what = String.format(Locale.ROOT, "top-k of %,d, %.0f %%", n, 100 * keep);
        Turns.Times pare = times.get("pare");
        if (n == 400_000) {
            out.accept(
                    new Bar(GROUP, what, Bar.Sample.of(pare), null, "10^9 elements a second", n * 1e-9 / pare.median(),
                            n * 1e-9 / pare.least(), 1.5, true, ""));
            return;
        }
        if (bits == 0) {
            out.accept(Bar.missing(GROUP, what, 1.3, false, Baselines.obstacle() == null
                    ? "the C++ quickselect has no code for this processor" : Baselines.obstacle()));
            return;
        }
        out.accept(Bar.share(GROUP, what, pare, "C++ quickselect, " + bits + " bits", times.get(MEDIAN.name()), 1.3));
        out.accept(Bar.share(GROUP, what, pare, "the same, pivot near the rank", times.get(NEAR_RANK.name()), 1.3));
    }

    private void fused(int n, Projections p, MemorySegment x, MemorySegment u, MemorySegment z,
            MemorySegment scratch) throws Throwable {
        Kernels kernels = Kernels.active();
        Turns turns = new Turns(BLOCK);
        turns.put("fused", () -> p.topKAdmm(x, 0, u, 0, z, 0, n, n / 10));
        turns.put("separate", () -> ProjectionSweep.separateStep(kernels, p, x, u, z, scratch, n, n / 10));
        Map<String, Turns.Times> times = measure(turns, seconds);
        out.accept(Bar.speed(GROUP, "fused step of 400,000, 10 %", times.get("fused"), "separate",
                times.get("separate"), 1.2));
    }

    private static Map<String, Turns.Times> measure(Turns turns, double seconds) throws Throwable {
        turns.warmUp(seconds / 2);
        return turns.measure(seconds);
    }

    private void large() throws Throwable {
        long n = 16_800_000;
        try (Region region = Region.shared("bars"); Projections p = Projections.open(1)) {
            MemorySegment x = region.allocate(n * 4);
            MemorySegment z = region.allocate(n * 4);
            MemorySegment u = region.allocate(n * 4);
            MemorySegment from = region.allocate(n * 10);
            MemorySegment to = region.allocate(n * 10);
            ProjectionSweep.fill(x, n, 1);
            Turns turns = new Turns();
            turns.put("copy", () -> MemorySegment.copy(x, 0, z, 0, n * 4));
            turns.put("1 %", () -> p.topK(x, 0, z, 0, n, n / 100));
            turns.put("50 %", () -> p.topK(x, 0, z, 0, n, n / 2));
            turns.put("copy of 20 bytes", () -> MemorySegment.copy(from, 0, to, 0, n * 10));
            turns.put("fused", () -> p.topKAdmm(x, 0, u, 0, z, 0, n, n / 10));
            Map<String, Turns.Times> times = measure(turns, 2 * seconds);
            out.accept(Bar.share(GROUP, "top-k of 16.8 M, 1 %", times.get("1 %"), "copy", times.get("copy"), 1.7));
            out.accept(Bar.share(GROUP, "top-k of 16.8 M, 50 %", times.get("50 %"), "copy", times.get("copy"), 2));
            out.accept(Bar.share(GROUP, "fused step of 16.8 M, 10 %", times.get("fused"),
                    "copy of as many bytes, 20 a weight", times.get("copy of 20 bytes"), 1.25));
        }
    }

    /** So many threads against one, beside what they add to a plain copy. */
    void threads(int threads, long n) throws Throwable {
        ProjectionSweep.warmUp();
        try (Region region = Region.shared("bars");
                Projections one = Projections.open(1);
                Projections many = Projections.open(threads)) {
            MemorySegment x = region.allocate(n * 4);
            MemorySegment z = region.allocate(n * 4);
            ProjectionSweep.fill(x, n, 1);
            Turns turns = new Turns();
            turns.put("copy 1", () -> MemorySegment.copy(x, 0, z, 0, n * 4));
            turns.put("copy", () -> ProjectionSweep.copy(x, z, n, threads));
            turns.put("top-k 1", () -> one.topK(x, 0, z, 0, n, n / 10));
            turns.put("top-k", () -> many.topK(x, 0, z, 0, n, n / 10));
            Map<String, Turns.Times> t = measure(turns, 2 * seconds);
            out.accept(new Bar(GROUP,
                    String.format(Locale.ROOT, "top-k of %.1f M, 10 %%, %d threads against 1", n * 1e-6, threads),
                    Bar.Sample.of(t.get("top-k")), Bar.Sample.of(t.get("top-k 1")), "gain over 1, by the copy's gain",
                    t.get("top-k 1").median() / t.get("top-k").median()
                            / (t.get("copy 1").median() / t.get("copy").median()),
                    t.get("top-k 1").least() / t.get("top-k").least()
                            / (t.get("copy 1").least() / t.get("copy").least()),
                    0.9, true, String.format(Locale.ROOT, "copy %.2f times as fast as on 1",
                            t.get("copy 1").median() / t.get("copy").median())));
        }
    }

    /** The error of k-means from its own start over the global optimum. */
    void kMeans() {
        int n = 100_000;
        for (ProjectionSweep.Data data : List.of(GAUSSIAN, LAPLACE)) {
            for (int k : new int[]{32, 64, 256}) {
                try (Region region = Region.shared("bars"); Projections p = Projections.open(1)) {
                    MemorySegment x = region.allocate(n * 4L);
                    MemorySegment words = region.allocate(k * 4L);
                    data.fill(x, n);
                    double optimum = p.kMeansExact(x, 0, n, null, 0, k, words, 0).error();
                    double error = p.kMeansCold(x, 0, n, null, 0, k, words, 0, 100_000).error();
                    out.accept(new Bar("kmeans", "error, " + data.name().toLowerCase(Locale.ROOT) + ", k = " + k,
                            new Bar.Sample(error, error, ""), new Bar.Sample(optimum, optimum, ""),
                            "global optimum", error / optimum, error / optimum, k == 32 ? 1.02 : k == 64 ? 1.03 : 1.05,
                            false, ""));
                }
            }
        }
    }
}
