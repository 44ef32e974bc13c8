package io.pare.dnnl;

import static io.pare.dnnl.Workbench.assertClose;
import static io.pare.dnnl.Workbench.in;
import static io.pare.dnnl.Workbench.out;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.NativeException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("native")
class OtherPrimitivesTest {
    @Test
    void reluForwardAndBackwardOnBlockedMemory() {
        try (Workbench bench = new Workbench()) {
            Convolution conv = new Convolution(bench.region, ConvShape.square(2, 3, 9, 17, 3, 1, 1),
                    Convolution.Options.of(false, true));
            MemoryDesc desc = conv.forward().desc(Arg.DST);
            Eltwise relu = new Eltwise(bench.region, desc, Activation.RELU);
            float[] x = Reference.random(FloatTensor.count(desc.dims()), 1);
            float[] dy = Reference.random(x.length, 2);
            x[0] = 0;
            x[1] = -0.0f;
            FloatTensor src = bench.tensor(x, desc.dims());
            FloatTensor dst = bench.region.tensor(desc.dims());
            FloatTensor diffSrc = bench.region.tensor(desc.dims());
            bench.run(relu.forward(), in(Arg.SRC, src), out(Arg.DST, dst));
            bench.run(relu.backward(), in(Arg.DST, dst), in(Arg.DIFF_DST, bench.tensor(dy, desc.dims())),
                    out(Arg.DIFF_SRC, diffSrc));
            for (int i = 0; i < x.length; i++) {
                assertEquals(Math.max(0, x[i]), dst.get(i), 0f);
                assertEquals(x[i] > 0 ? dy[i] : 0, diffSrc.get(i), 0f);
            }
        }
    }

    @Test
    void reluWorksInPlace() {
        try (Region region = Region.confined("relu")) {
            DnnlMemory memory = DnnlMemory.over(region, region.tensor(5).copyFrom(new float[]{-1, 2, -3, 4, 0}));
            DnnlMemory gradient = DnnlMemory.over(region, region.tensor(5).copyFrom(new float[]{1, 2, 3, 4, 5}));
            Eltwise relu = new Eltwise(region, memory.desc(), Activation.RELU);
            relu.forward().bind().with(Arg.SRC, memory).with(Arg.DST, memory).prepare().run();
            relu.backward().bind().with(Arg.DST, memory).with(Arg.DIFF_DST, gradient).with(Arg.DIFF_SRC, gradient)
                    .prepare().run();
            assertArrayEquals(new float[]{0, 2, 0, 4, 0}, new FloatTensor(memory.data(), 5).toArray());
            assertArrayEquals(new float[]{0, 2, 0, 4, 0}, new FloatTensor(gradient.data(), 5).toArray());
        }
    }

    @Test
    void reorderThereAndBackGivesTheSameAndIsCounted() {
        try (Region region = Region.confined("reorder")) {
            float[] values = Reference.random(2 * 3 * 5 * 7, 1);
            DnnlMemory plain = DnnlMemory.over(region, region.tensor(2, 3, 5, 7).copyFrom(values));
            DnnlMemory last = DnnlMemory.allocate(region, MemoryDesc.channelsLast(region, 2, 3, 5, 7));
            FloatTensor back = region.tensor(2, 3, 5, 7);
            long created = Reorder.created();
            long executed = Reorder.executed();
            Reorder.between(region, plain, last).run();
            Reorder.between(region, last, DnnlMemory.over(region, back)).run();
            assertArrayEquals(values, back.toArray());
            assertEquals(created + 2, Reorder.created());
            assertEquals(executed + 2, Reorder.executed());
            assertEquals(values[35], new FloatTensor(last.data(), 210).get(1), 0f);
        }
    }

    @Test
    void descriptorsSayWhatTheyAre() {
        try (Region region = Region.confined("descriptors")) {
            MemoryDesc plain = MemoryDesc.plain(region, 2, 20, 4, 4);
            assertTrue(plain.isPlain());
            assertEquals(2 * 20 * 16 * 4, plain.sizeBytes());
            assertFalse(MemoryDesc.channelsLast(region, 2, 20, 4, 4).isPlain());
            assertTrue(plain.toString().contains("strides [320, 16, 4, 1]"), plain.toString());
            assertEquals(0, MemoryDesc.any(region, 2, 3).sizeBytes());
            assertThrows(IllegalArgumentException.class, () -> DnnlMemory.allocate(region, MemoryDesc.any(region, 2)));
            assertThrows(IllegalArgumentException.class,
                    () -> DnnlMemory.over(region, plain, region.allocate(plain.sizeBytes() - 1)));
            assertThrows(IllegalArgumentException.class,
                    () -> DnnlMemory.over(region, plain, MemorySegment.ofArray(new float[2 * 20 * 16])));
        }
    }

    @Test
    void memoryCanBeReboundToAnotherBatch() {
        try (Region region = Region.confined("rebind")) {
            FloatTensor first = region.tensor(3).copyFrom(new float[]{-1, 1, 2});
            FloatTensor second = region.tensor(3).copyFrom(new float[]{5, -5, 7});
            FloatTensor result = region.tensor(3);
            DnnlMemory src = DnnlMemory.over(region, first);
            Execution relu = new Eltwise(region, src.desc(), Activation.RELU).forward().bind().with(Arg.SRC, src)
                    .with(Arg.DST, DnnlMemory.over(region, result)).prepare();
            relu.run();
            assertArrayEquals(new float[]{0, 1, 2}, result.toArray());
            src.rebind(second.segment());
            relu.run();
            assertArrayEquals(new float[]{5, 0, 7}, result.toArray());
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,1", "3,5,7", "64,800,500", "17,500,10", "5,33,129"})
    void innerProduct(int n, int ic, int oc) {
        for (boolean relu : new boolean[]{false, true}) {
            try (Workbench bench = new Workbench()) {
                float[] x = Reference.random((long) n * ic, 1);
                float[] w = Reference.random((long) oc * ic, 2);
                float[] b = Reference.random(oc, 3);
                float[] dy = Reference.random((long) n * oc, 4);
                FloatTensor src = bench.tensor(x, n, ic);
                FloatTensor weights = bench.tensor(w, oc, ic);
                FloatTensor diffDst = bench.tensor(dy, n, oc);
                FloatTensor dst = bench.region.tensor(n, oc);
                FloatTensor diffSrc = bench.region.tensor(n, ic);
                FloatTensor diffWeights = bench.region.tensor(oc, ic);
                FloatTensor diffBias = bench.region.tensor(oc);
                InnerProduct layer = new InnerProduct(bench.region, new long[]{n, ic}, oc, true, relu, true, null,
                        null);
                bench.run(layer.forward(), in(Arg.SRC, src), in(Arg.WEIGHTS, weights),
                        in(Arg.BIAS, bench.tensor(b, oc)), out(Arg.DST, dst));
                bench.run(layer.backwardData(null, null), in(Arg.DIFF_DST, diffDst), in(Arg.WEIGHTS, weights),
                        out(Arg.DIFF_SRC, diffSrc));
                bench.run(layer.backwardWeights(null, null), in(Arg.SRC, src), in(Arg.DIFF_DST, diffDst),
                        out(Arg.DIFF_WEIGHTS, diffWeights), out(Arg.DIFF_BIAS, diffBias));
                // A fully connected layer is a convolution of 1x1 images with 1x1 filters.
                ConvShape same = ConvShape.square(n, ic, 1, oc, 1, 1, 0);
                double[] y = Reference.conv(same, x, w, b);
                for (int i = 0; i < y.length; i++) {
                    y[i] = relu ? Math.max(0, y[i]) : y[i];
                }
                assertClose("forward", y, dst, ic);
                assertClose("backward data", Reference.convBackwardData(same, dy, w), diffSrc, oc);
                assertClose("backward weights", Reference.convBackwardWeights(same, x, dy), diffWeights, n);
                assertClose("backward bias", Reference.convBackwardBias(same, dy), diffBias, n);
            }
        }
    }

    @Test
    void innerProductTakesImagesInTheLayoutOfAPooling() {
        try (Workbench bench = new Workbench()) {
            long[] dims = {3, 50, 4, 4};
            MemoryDesc last = MemoryDesc.channelsLast(bench.region, 3, 50, 4, 4);
            float[] x = Reference.random(3 * 800, 1);
            float[] w = Reference.random(500 * 800, 2);
            FloatTensor dst = bench.region.tensor(3, 500);
            InnerProduct layer = new InnerProduct(bench.region, dims, 500, false, false, true, last, null);
            bench.run(layer.forward(), in(Arg.SRC, bench.tensor(x, dims)),
                    in(Arg.WEIGHTS, bench.tensor(w, 500, 50, 4, 4)), out(Arg.DST, dst));
            assertClose("forward", Reference.conv(ConvShape.square(3, 800, 1, 500, 1, 1, 0), x, w, null), dst, 800);
        }
    }

    @Test
    void sharedScratchpadGrowsUnderThoseWhoUseIt() {
        try (Region region = Region.confined("scratchpad")) {
            Scratchpad scratchpad = new Scratchpad(region);
            ConvShape[] shapes = {ConvShape.square(1, 1, 8, 4, 3, 1, 1), ConvShape.square(8, 32, 28, 64, 5, 1, 2)};
            for (ConvShape s : shapes) {
                Primitive backward = new Convolution(region, s, Convolution.Options.of(false, true)).backwardWeights();
                Primitive.Binding binding = backward.bind(scratchpad);
                for (Arg arg : new Arg[]{Arg.SRC, Arg.DIFF_DST, Arg.DIFF_WEIGHTS, Arg.DIFF_BIAS}) {
                    binding.with(arg, DnnlMemory.allocate(region, backward.desc(arg)));
                }
                binding.prepare().run();
                if (backward.has(Arg.SCRATCHPAD)) {
                    assertTrue(scratchpad.sizeBytes() >= backward.desc(Arg.SCRATCHPAD).sizeBytes());
                }
            }
        }
    }

    @Test
    void runningAllocatesNothing() {
        try (Region region = Region.confined("allocation")) {
            Convolution conv = new Convolution(region, ConvShape.square(1, 1, 8, 4, 3, 1, 1),
                    Convolution.Options.of(true, false));
            Primitive.Binding binding = conv.forward().bind();
            for (Arg arg : new Arg[]{Arg.SRC, Arg.WEIGHTS, Arg.BIAS, Arg.DST}) {
                binding.with(arg, DnnlMemory.allocate(region, conv.forward().desc(arg)));
            }
            Execution execution = binding.prepare();
            for (int i = 0; i < 30_000; i++) {
                execution.run();
            }
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 10_000; i++) {
                execution.run();
            }
            long bytes = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(bytes < 10_000, bytes + " bytes in 10,000 runs");
        }
    }

    @Test
    void anUnknownCombinationIsToldApartFromAMistake() {
        try (Region region = Region.confined("unimplemented")) {
            // No kernel pools blocked memory whose channels are fewer than the source that is described.
            MemoryDesc src = MemoryDesc.plain(region, 2, 3, 8, 8);
            PoolShape other = PoolShape.square(2, 4, 8, 2, 2, 0);
            assertThrows(NativeException.class,
                    () -> new Pooling(region, other, Pooling.Kind.MAX, src, true));
        }
    }

    @Test
    void engineDescribesItself() {
        DnnlEngine engine = DnnlEngine.get();
        assertTrue(engine.version().startsWith("3."), engine.version());
        assertFalse(engine.isa().startsWith("0x"), engine.isa());
        assertTrue(engine.threads() >= 1);
    }

    @ParameterizedTest
    @CsvSource({"1,3,4,4", "2,20,5,3", "3,16,7,7"})
    void scalesTheChannelsOfImages(int n, int c, int h, int w) {
        try (Workbench bench = new Workbench()) {
            float[] images = Reference.random(n * c * h * w, 1);
            float[] factors = Reference.random(n * c, 2);
            FloatTensor dst = bench.region.tensor(n, c, h, w);
            Scaling scaling = new Scaling(bench.region, n, c, h, w);
            assertFalse(scaling.forward().implementation().startsWith("ref"), scaling.forward().toString());
            bench.run(scaling.forward(), in(Arg.SRC, bench.tensor(images, n, c, h, w)),
                    in(Arg.SRC_1, bench.tensor(factors, n, c, 1, 1)), out(Arg.DST, dst));
            for (int i = 0; i < images.length; i++) {
                assertEquals(images[i] * factors[i / (h * w)], dst.get(i), 0f);
            }
        }
    }

    /** Any layout that oneDNN chooses for the weights fits channels-last images, but for a single row. */
    @ParameterizedTest
    @CsvSource({"1,3,2,2", "5,16,4,3", "16,20,4,12", "2,4,1,1"})
    void innerProductOfChannelsLastImagesInChosenWeights(int n, int c, int size, int oc) {
        try (Workbench bench = new Workbench()) {
            long[] dims = {n, c, size, size};
            MemoryDesc last = MemoryDesc.channelsLast(bench.region, n, c, size, size);
            InnerProduct product = new InnerProduct(bench.region, dims, oc, false, false, false, last, null);
            float[] x = new float[n * c * size * size];
            float[] w = new float[oc * c * size * size];
            for (int i = 0; i < x.length; i++) {
                x[i] = i * 7 % 5 - 2;
            }
            for (int i = 0; i < w.length; i++) {
                w[i] = i * 5 % 7 - 3;
            }
            FloatTensor dst = bench.region.tensor(n, oc);
            bench.run(product.forward(), in(Arg.SRC, bench.tensor(x, dims)),
                    in(Arg.WEIGHTS, bench.tensor(w, oc, c, size, size)), out(Arg.DST, dst));
            int in = c * size * size;
            for (int i = 0; i < n * oc; i++) {
                float sum = 0;
                for (int k = 0; k < in; k++) {
                    sum += x[i / oc * in + k] * w[i % oc * in + k];
                }
                assertEquals(sum, dst.get(i), 0f);
            }
        }
    }
}
