package io.pare.dnnl;

import static io.pare.dnnl.Workbench.assertClose;
import static io.pare.dnnl.Workbench.in;
import static io.pare.dnnl.Workbench.out;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.NativeException;
import io.pare.natives.NativeThreads;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("native")
class ConvolutionTest {
    static Stream<ConvShape> shapes() {
        return Stream.of(ConvShape.square(2, 1, 28, 20, 5, 1, 0), ConvShape.square(3, 20, 12, 50, 5, 1, 0),
                ConvShape.square(1, 1, 1, 1, 1, 1, 0), ConvShape.square(2, 3, 7, 5, 3, 2, 1),
                new ConvShape(2, 3, 11, 9, 7, 3, 5, 2, 1, 1, 2, 1, 2, 1, 1, 1),
                new ConvShape(2, 4, 13, 11, 6, 3, 3, 1, 2, 2, 3, 2, 3, 2, 3, 1),
                new ConvShape(3, 6, 9, 10, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3),
                new ConvShape(2, 8, 10, 9, 8, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 8),
                new ConvShape(1, 16, 17, 19, 32, 3, 3, 1, 1, 1, 1, 1, 1, 2, 2, 2),
                new ConvShape(5, 17, 6, 6, 33, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1),
                new ConvShape(2, 5, 9, 10, 7, 3, 2, 1, 3, 2, 0, 1, 3, 2, 1, 1),
                new ConvShape(2, 16, 9, 10, 32, 3, 2, 2, 1, 0, 1, 2, 0, 1, 3, 1),
                new ConvShape(2, 3, 32, 31, 16, 7, 7, 4, 3, 3, 3, 3, 3, 1, 1, 1));
    }

    @AfterEach
    void nothingLeaks() {
        assertEquals("", Region.describeLive());
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void forward(ConvShape s) {
        for (boolean training : new boolean[]{true, false}) {
            for (boolean relu : new boolean[]{true, false}) {
                try (Workbench bench = new Workbench()) {
                    Data data = new Data(bench, s);
                    FloatTensor dst = bench.region.tensor(s.dstDims());
                    Convolution conv = new Convolution(bench.region, s, Convolution.Options.of(relu, training));
                    bench.run(conv.forward(), in(Arg.SRC, data.src), in(Arg.WEIGHTS, data.weights),
                            in(Arg.BIAS, data.bias), out(Arg.DST, dst));
                    double[] expected = Reference.conv(s, data.src.toArray(), data.weights.toArray(),
                            data.bias.toArray());
                    for (int i = 0; i < expected.length; i++) {
                        expected[i] = relu ? Math.max(0, expected[i]) : expected[i];
                    }
                    assertClose(conv.forward().toString(), expected, dst, data.terms);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void forwardWithoutBiasInPlainLayouts(ConvShape s) {
        try (Workbench bench = new Workbench()) {
            Data data = new Data(bench, s);
            FloatTensor dst = bench.region.tensor(s.dstDims());
            Convolution conv = new Convolution(bench.region, s, new Convolution.Options(false, false, null, true,
                    MemoryDesc.plain(bench.region, s.srcDims()), MemoryDesc.plain(bench.region, s.weightDims()),
                    MemoryDesc.plain(bench.region, s.dstDims()), DataType.F32));
            long reorders = Reorder.created();
            bench.run(conv.forward(), in(Arg.SRC, data.src), in(Arg.WEIGHTS, data.weights), out(Arg.DST, dst));
            assertEquals(reorders, Reorder.created(), "layouts were given");
            assertClose(conv.forward().toString(),
                    Reference.conv(s, data.src.toArray(), data.weights.toArray(), null), dst, data.terms);
        }
    }

    /** The kernels by small products come first in oneDNN's list and spend a whole register on the remainder. */
    @Test
    void channelsThatLeaveARemainderGoToADirectKernelWhereThereIsOne() {
        try (Region region = Region.confined("test")) {
            Convolution conv = new Convolution(region, ConvShape.square(4, 20, 12, 50, 5, 1, 0),
                    Convolution.Options.of(false, true));
            for (Primitive pass : List.of(conv.forward(), conv.backwardData(), conv.backwardWeights())) {
                assertFalse(pass.implementation().startsWith("brg"), pass.toString());
            }
        }
    }

    @Test
    void twoThreadsGiveTheSameAsTheDefinition() {
        int before = NativeThreads.get();
        NativeThreads.set(2);
        try {
            ConvShape s = ConvShape.square(5, 20, 12, 50, 5, 1, 0);
            forward(s);
            backwardData(s);
            backwardWeights(s);
        } finally {
            NativeThreads.set(before);
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void backwardData(ConvShape s) {
        try (Workbench bench = new Workbench()) {
            Data data = new Data(bench, s);
            Convolution conv = new Convolution(bench.region, s, Convolution.Options.of(false, true));
            FloatTensor diffSrc = bench.region.tensor(s.srcDims());
            bench.run(conv.backwardData(), in(Arg.DIFF_DST, data.diffDst), in(Arg.WEIGHTS, data.weights),
                    out(Arg.DIFF_SRC, diffSrc));
            assertClose(conv.backwardData().toString(),
                    Reference.convBackwardData(s, data.diffDst.toArray(), data.weights.toArray()), diffSrc,
                    s.oc() / s.groups() * s.kh() * s.kw());
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void backwardWeights(ConvShape s) {
        try (Workbench bench = new Workbench()) {
            Data data = new Data(bench, s);
            Convolution conv = new Convolution(bench.region, s, Convolution.Options.of(false, true));
            FloatTensor diffWeights = bench.region.tensor(s.weightDims());
            FloatTensor diffBias = bench.region.tensor(s.oc());
            bench.run(conv.backwardWeights(), in(Arg.SRC, data.src), in(Arg.DIFF_DST, data.diffDst),
                    out(Arg.DIFF_WEIGHTS, diffWeights), out(Arg.DIFF_BIAS, diffBias));
            int terms = s.n() * s.oh() * s.ow();
            assertClose(conv.backwardWeights().toString(),
                    Reference.convBackwardWeights(s, data.src.toArray(), data.diffDst.toArray()), diffWeights, terms);
            assertClose("bias of " + conv.backwardWeights(), Reference.convBackwardBias(s, data.diffDst.toArray()),
                    diffBias, terms);
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void noPassFallsToTheReferenceKernel(ConvShape s) {
        try (Workbench bench = new Workbench()) {
            Convolution conv = new Convolution(bench.region, s, Convolution.Options.of(false, true));
            for (Primitive pass : List.of(conv.forward(), conv.backwardData(), conv.backwardWeights())) {
                assertFalse(pass.implementation().contains("ref"), pass.toString());
            }
        }
    }

    @Test
    void refusesMemoryOfAnotherLayout() {
        ConvShape s = ConvShape.square(2, 3, 8, 4, 3, 1, 1);
        try (Workbench bench = new Workbench()) {
            Convolution conv = new Convolution(bench.region, s, Convolution.Options.of(false, true));
            DnnlMemory wrong = DnnlMemory.over(bench.region, bench.region.tensor(2, 3, 8, 9));
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                    () -> conv.forward().bind().with(Arg.SRC, wrong));
            assertTrue(e.getMessage().contains("[2, 3, 8, 9]"), e.getMessage());
        }
    }

    @Test
    void namesTheCallAndTheShapeOfAMissingOperand() {
        ConvShape s = ConvShape.square(2, 3, 8, 4, 3, 1, 1);
        try (Workbench bench = new Workbench()) {
            Convolution conv = new Convolution(bench.region, s, Convolution.Options.of(false, true));
            Execution empty = conv.forward().bind().prepare();
            NativeException e = assertThrows(NativeException.class, empty::run);
            assertTrue(e.getMessage().startsWith("dnnl_primitive_execute: invalid arguments (2)"), e.getMessage());
            assertTrue(e.getMessage().contains("oc=4"), e.getMessage());
        }
    }

    @Test
    void cannotRunOnceTheRegionIsClosed() {
        ConvShape s = ConvShape.square(2, 3, 8, 4, 3, 1, 1);
        Execution execution;
        try (Workbench bench = new Workbench()) {
            execution = new Convolution(bench.region, s, Convolution.Options.of(false, true)).forward().bind()
                    .prepare();
        }
        assertThrows(IllegalStateException.class, execution::run);
    }

    @Test
    void rejectsImpossibleShapes() {
        assertThrows(IllegalArgumentException.class, () -> ConvShape.square(1, 1, 4, 1, 5, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> ConvShape.square(1, 1, 4, 1, 3, 0, 0));
        assertThrows(IllegalArgumentException.class,
                () -> new ConvShape(1, 3, 4, 4, 4, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 2));
    }

    private static final class Data {
        final FloatTensor src;
        final FloatTensor weights;
        final FloatTensor bias;
        final FloatTensor diffDst;
        final int terms;

        Data(Workbench bench, ConvShape s) {
            terms = s.ic() / s.groups() * s.kh() * s.kw();
            src = random(bench, 1, s.srcDims());
            weights = random(bench, 2, s.weightDims());
            bias = random(bench, 3, s.oc());
            diffDst = random(bench, 4, s.dstDims());
        }

        private static FloatTensor random(Workbench bench, long seed, long... dims) {
            return bench.tensor(Reference.random(FloatTensor.count(dims), seed), dims);
        }
    }
}
