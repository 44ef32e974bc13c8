package io.pare.bench;

import io.pare.kernel.Clusters;
import io.pare.kernel.Projections;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * K-means to convergence from a linear start, ours and plain C++; and ours from the codebook of slightly other weights,
 * which is what it meets inside ADMM.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 8, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class ClusterBench {
    /** Weights, their start and, for the warm call, the fixed point of the weights before. */
    @State(Scope.Benchmark)
    public static class Weights {
        @Param({"16800000:16", "400000:8"})
        private String shape;

        private Region region;
        private long n;
        private int m;
        private MemorySegment x;
        private MemorySegment moved;
        private MemorySegment z;
        private MemorySegment start;
        private MemorySegment fixed;
        private MemorySegment codebook;
        private Projections projections;
        private Baselines cpp;

        @Setup(Level.Trial)
        public void open() {
            n = Long.parseLong(shape.split(":")[0]);
            m = Integer.parseInt(shape.split(":")[1]);
            region = Region.shared("bench");
            x = region.allocate(n * 4);
            moved = region.allocate(n * 4);
            z = region.allocate(n * 4);
            start = region.allocate(m * 4L);
            fixed = region.allocate(m * 4L);
            codebook = region.allocate(m * 4L);
            SplittableRandom random = new SplittableRandom(1);
            for (long i = 0; i < n; i++) {
                float v = (float) (0.02 * random.nextGaussian());
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, v);
                moved.setAtIndex(ValueLayout.JAVA_FLOAT, i, v + (float) (2e-4 * random.nextGaussian()));
            }
            projections = Projections.open(1);
            projections.linearStart(x, 0, n, m, start, 0);
            fixed.copyFrom(start);
            projections.kMeans(x, 0, n, null, 0, m, fixed, 0, 100_000);
            cpp = new Baselines();
        }

        @TearDown(Level.Trial)
        public void close() {
            projections.close();
            region.close();
        }
    }

    @Benchmark
    public Clusters pareCold(Weights w) {
        w.codebook.copyFrom(w.start);
        Clusters clusters = w.projections.kMeans(w.x, 0, w.n, null, 0, w.m, w.codebook, 0, 100_000);
        w.projections.assign(w.x, 0, w.n, w.m, w.codebook, 0, w.z, 0, null, 0);
        return clusters;
    }

    @Benchmark
    public Clusters pareWarm(Weights w) {
        w.codebook.copyFrom(w.fixed);
        Clusters clusters = w.projections.kMeans(w.moved, 0, w.n, null, 0, w.m, w.codebook, 0, 100_000);
        w.projections.assign(w.moved, 0, w.n, w.m, w.codebook, 0, w.z, 0, null, 0);
        return clusters;
    }

    /** What the warm call is measured in. */
    @Benchmark
    public void pareTopK(Weights w) {
        w.projections.topK(w.moved, 0, w.z, 0, w.n, w.n / 10);
    }

    /** Takes about a minute at 16.8 M. */
    @Benchmark
    @Warmup(iterations = 0)
    @Measurement(iterations = 1)
    public long cppLloyd(Weights w) throws Throwable {
        w.codebook.copyFrom(w.start);
        return w.cpp.lloyd(w.x, w.z, w.n, w.codebook, w.m, 100_000);
    }
}
