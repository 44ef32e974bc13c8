package io.pare.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.pare.blas.Gemm;
import io.pare.blas.GemmProvider;
import io.pare.dnnl.Arg;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.InnerProduct;
import io.pare.dnnl.MemoryDesc;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.NativeThreads;
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
 * The products of LeNet-5's fully connected layers (batch x in x out: forward, gradient of the input, gradient of the
 * weights, in this order in one call) by each provider and by libtorch. Pin the process to as many cores as threads.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class GemmBench {
    static int[] sizes(String layer) {
        String[] part = layer.split("x");
        return new int[]{Integer.parseInt(part[0]), Integer.parseInt(part[1]), Integer.parseInt(part[2])};
    }

    /** Ours. */
    @State(Scope.Benchmark)
    public static class Pare {
        @Param({"64x800x500", "256x800x500", "64x500x10"})
        private String layer;
        @Param({"1", "2"})
        private int threads;

        private Region region;
        private int batch;
        private int in;
        private int out;
        private FloatTensor x;
        private FloatTensor w;
        private FloatTensor y;
        private FloatTensor dx;
        private FloatTensor dw;
        private Execution[] innerProduct;

        @Setup(Level.Trial)
        public void open() {
            NativeThreads.set(threads);
            region = Region.shared("bench");
            int[] size = sizes(layer);
            batch = size[0];
            in = size[1];
            out = size[2];
            x = random(1, batch, in);
            w = random(2, out, in);
            y = random(3, batch, out);
            dx = random(4, batch, in);
            dw = random(5, out, in);
            MemoryDesc images = MemoryDesc.plain(region, batch, in);
            MemoryDesc matrix = MemoryDesc.plain(region, out, in);
            InnerProduct layer = new InnerProduct(region, new long[]{batch, in}, out, true, true, true, images, matrix);
            DnnlMemory bias = DnnlMemory.over(region, region.tensor(out));
            innerProduct = new Execution[]{
                layer.forward().bind().with(Arg.SRC, memory(x)).with(Arg.WEIGHTS, memory(w)).with(Arg.BIAS, bias)
                        .with(Arg.DST, memory(y)).prepare(),
                layer.backwardData(images, matrix).bind().with(Arg.DIFF_DST, memory(y))
                        .with(Arg.WEIGHTS, memory(w)).with(Arg.DIFF_SRC, memory(dx)).prepare(),
                layer.backwardWeights(images, matrix).bind().with(Arg.SRC, memory(x))
                        .with(Arg.DIFF_DST, memory(y)).with(Arg.DIFF_WEIGHTS, memory(dw))
                        .with(Arg.DIFF_BIAS, bias).prepare()};
        }

        private FloatTensor random(long seed, long... dims) {
            return region.tensor(dims).copyFrom(ConvBench.random(FloatTensor.count(dims), seed));
        }

        private DnnlMemory memory(FloatTensor tensor) {
            return DnnlMemory.over(region, tensor);
        }

        void products(GemmProvider forward, GemmProvider data, GemmProvider weights) {
            forward.sgemm(false, true, batch, out, in, 1f, x.segment(), in, w.segment(), in, 0f, y.segment(), out);
            data.sgemm(false, false, batch, in, out, 1f, y.segment(), out, w.segment(), in, 0f, dx.segment(), in);
            weights.sgemm(true, false, out, in, batch, 1f, y.segment(), out, x.segment(), in, 0f, dw.segment(), in);
        }

        @TearDown(Level.Trial)
        public void close() {
            region.close();
        }
    }

    /** The peer. */
    @State(Scope.Benchmark)
    public static class Torch {
        @Param({"64x800x500", "256x800x500", "64x500x10"})
        private String layer;
        @Param({"1", "2"})
        private int threads;

        private NDManager manager;
        private NDArray x;
        private NDArray w;
        private NDArray wTransposed;
        private NDArray y;
        private NDArray yTransposed;

        @Setup(Level.Trial)
        public void open() {
            manager = TorchThreads.engine(threads).newBaseManager();
            int[] size = sizes(layer);
            x = array(1, size[0], size[1]);
            w = array(2, size[2], size[1]);
            y = array(3, size[0], size[2]);
            wTransposed = w.transpose();
            yTransposed = y.transpose();
        }

        private NDArray array(long seed, long... dims) {
            return manager.create(ConvBench.random(FloatTensor.count(dims), seed), new Shape(dims));
        }

        @TearDown(Level.Trial)
        public void close() {
            manager.close();
        }
    }

    /** What Pare picks. */
    @Benchmark
    public void pareChoice(Pare pare) {
        GemmProvider provider = Gemm.provider(pare.batch, pare.out, pare.in);
        pare.products(provider, provider, provider);
    }

    @Benchmark
    public void openblas(Pare pare) {
        pare.products(GemmProvider.OPENBLAS, GemmProvider.OPENBLAS, GemmProvider.OPENBLAS);
    }

    @Benchmark
    public void onednn(Pare pare) {
        pare.products(GemmProvider.ONEDNN, GemmProvider.ONEDNN, GemmProvider.ONEDNN);
    }

    /** With bias and ReLU on top. */
    @Benchmark
    public void innerProduct(Pare pare) {
        for (Execution execution : pare.innerProduct) {
            execution.run();
        }
    }

    @Benchmark
    public long torch(Torch torch) {
        try (NDArray y = torch.x.matMul(torch.wTransposed);
                NDArray dx = torch.y.matMul(torch.w);
                NDArray dw = torch.yTransposed.matMul(torch.x)) {
            return y.size() + dx.size() + dw.size();
        }
    }
}
