package io.pare.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.pare.dnnl.Arg;
import io.pare.dnnl.ConvShape;
import io.pare.dnnl.Convolution;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.MemoryDesc;
import io.pare.dnnl.Primitive;
import io.pare.dnnl.Reorder;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.NativeThreads;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
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
 * One convolution with bias, fp32: forward, and forward with both gradients, ours and libtorch's.
 *
 * <p>Ours converts the filters from row-major memory and their gradient back in every call, as training must. The
 * images stay in the layout that the primitives chose, as they do between the layers of a network; the methods named
 * {@code RowMajor} convert them too, as if the layer stood alone, and so do what libtorch does for its row-major
 * tensors. The first layer needs no gradient of its images on either side. Pin the process to as many cores as threads.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class ConvBench {
    static ConvShape shape(String layer) {
        return switch (layer) {
            case "lenet-conv1" -> ConvShape.square(64, 1, 28, 20, 5, 1, 0);
            case "lenet-conv2" -> ConvShape.square(64, 20, 12, 50, 5, 1, 0);
            default -> ConvShape.square(8, 64, 56, 64, 3, 1, 1);
        };
    }

    static float[] random(long count, long seed) {
        Random random = new Random(seed);
        float[] values = new float[(int) count];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Ours. */
    @State(Scope.Benchmark)
    public static class Pare {
        @Param({"lenet-conv1", "lenet-conv2", "block-64x56x56"})
        private String layer;
        @Param({"1", "2"})
        private int threads;

        private Region region;
        private Convolution convolution;
        private Execution[] forward;
        private Execution[] all;
        private Execution[] forwardRowMajor;
        private Execution[] allRowMajor;
        private final Map<DnnlMemory, List<DnnlMemory>> conversions = new HashMap<>();

        /** The state outside JMH. */
        static Pare of(String layer, int threads) {
            Pare state = new Pare();
            state.layer = layer;
            state.threads = threads;
            state.open();
            return state;
        }

        @Setup(Level.Trial)
        public void open() {
            NativeThreads.set(threads);
            region = Region.shared("bench");
            ConvShape s = shape(layer);
            convolution = new Convolution(region, s, Convolution.Options.of(false, true));
            forward = passes(false, false);
            all = passes(true, false);
            forwardRowMajor = passes(false, true);
            allRowMajor = passes(true, true);
        }

        private Execution[] passes(boolean backward, boolean rowMajor) {
            ConvShape s = convolution.shape();
            DnnlMemory x = memory(s.srcDims(), 1);
            DnnlMemory w = memory(s.weightDims(), 2);
            DnnlMemory dy = memory(s.dstDims(), 3);
            DnnlMemory b = memory(new long[]{s.oc()}, 4);
            List<Execution> runs = new ArrayList<>();
            add(runs, convolution.forward(), rowMajor, new Arg[]{Arg.SRC, Arg.WEIGHTS, Arg.BIAS},
                    new DnnlMemory[]{x, w, b}, Arg.DST);
            if (backward) {
                if (s.ic() > 1) {
                    add(runs, convolution.backwardData(), rowMajor, new Arg[]{Arg.DIFF_DST, Arg.WEIGHTS},
                            new DnnlMemory[]{dy, w}, Arg.DIFF_SRC);
                }
                add(runs, convolution.backwardWeights(), rowMajor, new Arg[]{Arg.SRC, Arg.DIFF_DST},
                        new DnnlMemory[]{x, dy}, Arg.DIFF_WEIGHTS, Arg.DIFF_BIAS);
            }
            return runs.toArray(Execution[]::new);
        }

        private void add(List<Execution> runs, Primitive primitive, boolean rowMajor, Arg[] inputs, DnnlMemory[] given,
                Arg... outputs) {
            Primitive.Binding binding = primitive.bind();
            for (int i = 0; i < inputs.length; i++) {
                binding.with(inputs[i], converted(runs, given[i], primitive.desc(inputs[i]),
                        rowMajor || inputs[i] == Arg.WEIGHTS));
            }
            List<Execution> after = new ArrayList<>();
            for (Arg output : outputs) {
                MemoryDesc desc = primitive.desc(output);
                DnnlMemory used = DnnlMemory.allocate(region, desc);
                if (!desc.isPlain() && (rowMajor || output == Arg.DIFF_WEIGHTS)) {
                    DnnlMemory plain = DnnlMemory.allocate(region, MemoryDesc.plain(region, desc.dims()));
                    after.add(Reorder.between(region, used, plain));
                }
                binding.with(output, used);
            }
            runs.add(binding.prepare());
            runs.addAll(after);
        }

        /** {@code given} in the wanted layout; several passes that want the same share one conversion. */
        private DnnlMemory converted(List<Execution> runs, DnnlMemory given, MemoryDesc wanted, boolean eachTime) {
            if (given.desc().sameAs(wanted)) {
                return given;
            }
            List<DnnlMemory> known = conversions.computeIfAbsent(given, key -> new ArrayList<>());
            for (DnnlMemory memory : known) {
                if (memory.desc().sameAs(wanted)) {
                    return memory;
                }
            }
            DnnlMemory memory = DnnlMemory.allocate(region, wanted);
            known.add(memory);
            Execution conversion = Reorder.between(region, given, memory);
            conversion.run();
            if (eachTime) {
                runs.add(conversion);
            }
            return memory;
        }

        private DnnlMemory memory(long[] dims, long seed) {
            return DnnlMemory.over(region,
                    region.tensor(dims).copyFrom(ConvBench.random(FloatTensor.count(dims), seed)));
        }

        @TearDown(Level.Trial)
        public void close() {
            region.close();
        }
    }

    /** The peer. */
    @State(Scope.Benchmark)
    public static class Torch {
        @Param({"lenet-conv1", "lenet-conv2", "block-64x56x56"})
        private String layer;
        @Param({"1", "2"})
        private int threads;

        private NDManager manager;
        private Engine engine;
        private ConvShape shape;
        private NDArray x;
        private NDArray w;
        private NDArray b;
        private NDArray dy;
        private Shape stride;
        private Shape padding;
        private Shape dilation;

        /** The state outside JMH. */
        static Torch of(String layer, int threads) {
            Torch state = new Torch();
            state.layer = layer;
            state.threads = threads;
            state.open();
            return state;
        }

        @Setup(Level.Trial)
        public void open() {
            engine = TorchThreads.engine(threads);
            manager = engine.newBaseManager();
            shape = ConvBench.shape(layer);
            x = array(1, shape.srcDims());
            w = array(2, shape.weightDims());
            b = array(4, shape.oc());
            dy = array(3, shape.dstDims());
            stride = new Shape(shape.strideH(), shape.strideW());
            padding = new Shape(shape.top(), shape.left());
            dilation = new Shape(1, 1);
        }

        private NDArray array(long seed, long... dims) {
            return manager.create(ConvBench.random(FloatTensor.count(dims), seed), new Shape(dims));
        }

        NDArray convolve(NDArray images, NDArray filters, NDArray bias) {
            return Conv2d.conv2d(images, filters, bias, stride, padding, dilation, 1).singletonOrThrow();
        }

        @TearDown(Level.Trial)
        public void close() {
            manager.close();
        }
    }

    private static void run(Execution[] executions) {
        for (Execution execution : executions) {
            execution.run();
        }
    }

    @Benchmark
    public void pareForward(Pare pare) {
        run(pare.forward);
    }

    @Benchmark
    public void pareForwardBackward(Pare pare) {
        run(pare.all);
    }

    @Benchmark
    public void pareForwardRowMajor(Pare pare) {
        run(pare.forwardRowMajor);
    }

    @Benchmark
    public void pareForwardBackwardRowMajor(Pare pare) {
        run(pare.allRowMajor);
    }

    @Benchmark
    public long torchForward(Torch torch) {
        try (NDArray y = torch.convolve(torch.x, torch.w, torch.b)) {
            return y.size();
        }
    }

    /** New leaves in each call, so that no gradient is added to an old one. */
    @Benchmark
    public long torchForwardBackward(Torch torch) {
        try (NDManager step = torch.manager.newSubManager(); var recording = torch.engine.newGradientCollector()) {
            NDArray x = leaf(step, torch.x, torch.shape.ic() > 1);
            NDArray w = leaf(step, torch.w, true);
            NDArray b = leaf(step, torch.b, true);
            NDArray y = torch.convolve(x, w, b);
            y.attach(step);
            JniUtils.backward((PtNDArray) y, (PtNDArray) torch.dy, false, false);
            try (NDArray dw = w.getGradient()) {
                return dw.size();
            }
        }
    }

    private static NDArray leaf(NDManager step, NDArray array, boolean gradient) {
        NDArray leaf = array.stopGradient();
        leaf.attach(step);
        if (gradient) {
            leaf.setRequiresGradient(true);
        }
        return leaf;
    }
}
