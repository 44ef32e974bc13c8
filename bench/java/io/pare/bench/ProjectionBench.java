package io.pare.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.pare.kernel.Kernels;
import io.pare.kernel.Projections;
import io.pare.kernel.Residuals;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
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
 * The top-k projection and its fused ADMM step beside libtorch, C++ (std::nth_element and a quickselect on vectors), Arrays.sort and a plain copy of
 * the same memory, in one run. Pin the process to as many cores as threads.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
    "-Xmx3g"})
public class ProjectionBench {
    /** Weights of one kind and length. */
    @State(Scope.Benchmark)
    public static class Weights {
        @Param("16800000")
        private long n;
        @Param({"0.01", "0.5"})
        private double keep;
        @Param("gaussian")
        private String data;

        private Region region;
        private MemorySegment x;
        private MemorySegment z;
        private MemorySegment u;
        private MemorySegment sum;
        private long k;

        @Setup(Level.Trial)
        public void open() {
            region = Region.shared("bench");
            x = region.allocate(n * 4);
            z = region.allocate(n * 4);
            u = region.allocate(n * 4);
            sum = region.allocate(n * 4);
            k = Math.round(n * keep);
            SplittableRandom random = new SplittableRandom(1);
            for (long i = 0; i < n; i++) {
                float v = switch (data) {
                    case "equal" -> 0.25f;
                    case "pruned" -> random.nextInt(100) == 0 ? (float) (0.02 * random.nextGaussian()) : 0;
                    case "two" -> random.nextBoolean() ? 1 : -2;
                    case "rising" -> (float) i / n;
                    case "falling" -> (float) (n - i) / n;
                    default -> (float) (0.02 * random.nextGaussian());
                };
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, v);
            }
        }

        @TearDown(Level.Trial)
        public void close() {
            region.close();
        }
    }

    /** Ours. */
    @State(Scope.Benchmark)
    public static class Pare {
        @Param({"1", "2"})
        private int threads;
        private Projections projections;

        @Setup(Level.Trial)
        public void open() {
            projections = Projections.open(threads);
        }

        @TearDown(Level.Trial)
        public void close() {
            projections.close();
        }
    }

    /** C++. */
    @State(Scope.Benchmark)
    public static class Cpp {
        private Baselines baselines;

        @Setup(Level.Trial)
        public void open() {
            baselines = new Baselines();
        }
    }

    /** libtorch through DJL, one thread. */
    @State(Scope.Benchmark)
    public static class Torch {
        private NDManager manager;
        private NDArray x;

        @Setup(Level.Trial)
        public void open(Weights weights) {
            System.setProperty("ai.djl.pytorch.num_threads", "1");
            System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
            manager = Engine.getEngine("PyTorch").newBaseManager();
            x = manager.create(weights.x.toArray(ValueLayout.JAVA_FLOAT));
        }

        @TearDown(Level.Trial)
        public void close() {
            manager.close();
        }
    }

    /** A heap copy to sort. */
    @State(Scope.Benchmark)
    public static class Heap {
        private float[] magnitudes;

        @Setup(Level.Trial)
        public void open(Weights weights) {
            magnitudes = new float[(int) weights.n];
        }
    }

    /** The bandwidth of the machine: 8 bytes an element. */
    @Benchmark
    public void copy(Weights w) {
        MemorySegment.copy(w.x, 0, w.z, 0, w.n * 4);
    }

    @Benchmark
    public void pareTopK(Weights w, Pare p) {
        p.projections.topK(w.x, 0, w.z, 0, w.n, w.k);
    }

    @Benchmark
    public Residuals pareFusedStep(Weights w, Pare p) {
        return p.projections.topKAdmm(w.x, 0, w.u, 0, w.z, 0, w.n, w.k);
    }

    /** Add, project, subtract by the same kernels, without the residuals that the fused step returns besides. */
    @Benchmark
    public void pareSeparateStep(Weights w, Pare p) {
        Kernels kernels = Kernels.active();
        kernels.add(w.x, 0, w.u, 0, w.sum, 0, w.n);
        p.projections.topK(w.sum, 0, w.z, 0, w.n, w.k);
        kernels.subtract(w.sum, 0, w.z, 0, w.u, 0, w.n);
    }

    @Benchmark
    public void cppNthElement(Weights w, Cpp cpp) throws Throwable {
        cpp.baselines.nthElement(w.x, w.z, w.sum, w.n, w.k);
    }

    @Benchmark
    public void cppQuickselect(Weights w, Cpp cpp) throws Throwable {
        cpp.baselines.quickselect(w.x, w.z, w.sum, w.n, w.k, cpp.baselines.quickselectBits(), Baselines.Pivot.MEDIAN);
    }

    @Benchmark
    public long torchTopK(Weights w, Torch torch) {
        try (NDManager manager = torch.manager.newSubManager()) {
            torch.x.attach(manager);
            NDArray magnitude = torch.x.abs();
            NDArray least = magnitude.topK((int) w.k, 0, true, false).get(0).min();
            NDArray z = torch.x.mul(magnitude.gte(least));
            torch.x.attach(torch.manager);
            return z.size();
        }
    }

    @Benchmark
    public float sortedThreshold(Weights w, Heap heap) {
        for (int i = 0; i < heap.magnitudes.length; i++) {
            heap.magnitudes[i] = Math.abs(w.x.getAtIndex(ValueLayout.JAVA_FLOAT, i));
        }
        Arrays.sort(heap.magnitudes);
        return heap.magnitudes[(int) (w.n - w.k)];
    }
}
