package io.pare.dnnl;

import static io.pare.dnnl.Workbench.assertClose;
import static io.pare.dnnl.Workbench.in;
import static io.pare.dnnl.Workbench.out;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.FloatTensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("native")
class PoolingTest {
    static Stream<Arguments> cases() {
        Stream<PoolShape> shapes = Stream.of(PoolShape.square(2, 20, 24, 2, 2, 0), PoolShape.square(3, 50, 8, 2, 2, 0),
                PoolShape.square(1, 1, 1, 1, 1, 0), PoolShape.square(2, 5, 9, 3, 2, 1),
                new PoolShape(2, 17, 11, 7, 3, 2, 1, 3, 1, 0, 1, 0),
                new PoolShape(1, 3, 5, 13, 4, 5, 3, 2, 2, 1, 2, 1),
                new PoolShape(2, 17, 9, 7, 3, 2, 1, 3, 2, 0, 1, 1), new PoolShape(2, 16, 6, 7, 2, 3, 3, 2, 0, 2, 1, 1));
        return shapes.flatMap(s -> Stream.of(Pooling.Kind.values()).map(kind -> Arguments.of(s, kind)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void forwardAndBackwardInPlainLayout(PoolShape s, Pooling.Kind kind) {
        try (Workbench bench = new Workbench()) {
            check(bench, s, kind, MemoryDesc.plain(bench.region, s.srcDims()));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void forwardAndBackwardInChannelsLast(PoolShape s, Pooling.Kind kind) {
        try (Workbench bench = new Workbench()) {
            check(bench, s, kind, MemoryDesc.channelsLast(bench.region, s.n(), s.c(), s.ih(), s.iw()));
        }
    }

    @Test
    void takesTheLayoutThatAConvolutionLeaves() {
        try (Workbench bench = new Workbench()) {
            Convolution conv = new Convolution(bench.region, ConvShape.square(2, 20, 12, 50, 5, 1, 0),
                    Convolution.Options.of(true, true));
            check(bench, PoolShape.square(2, 50, 8, 2, 2, 0), Pooling.Kind.MAX, conv.forward().desc(Arg.DST));
        }
    }

    @Test
    void onlyTrainingOfAMaximumNeedsAWorkspace() {
        try (Workbench bench = new Workbench()) {
            PoolShape s = PoolShape.square(2, 3, 8, 2, 2, 0);
            MemoryDesc src = MemoryDesc.plain(bench.region, s.srcDims());
            assertTrue(new Pooling(bench.region, s, Pooling.Kind.MAX, src, true).forward().has(Arg.WORKSPACE));
            assertFalse(new Pooling(bench.region, s, Pooling.Kind.MAX, src, false).forward().has(Arg.WORKSPACE));
            assertFalse(new Pooling(bench.region, s, Pooling.Kind.AVERAGE, src, true).forward().has(Arg.WORKSPACE));
        }
    }

    @Test
    void rejectsImpossibleShapes() {
        assertThrows(IllegalArgumentException.class, () -> PoolShape.square(1, 1, 4, 5, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> PoolShape.square(1, 1, 4, 2, 1, 2));
    }

    private static void check(Workbench bench, PoolShape s, Pooling.Kind kind, MemoryDesc layout) {
        FloatTensor src = bench.tensor(Reference.random(FloatTensor.count(s.srcDims()), 1), s.srcDims());
        FloatTensor diffDst = bench.tensor(Reference.random(FloatTensor.count(s.dstDims()), 2), s.dstDims());
        FloatTensor dst = bench.region.tensor(s.dstDims());
        FloatTensor diffSrc = bench.region.tensor(s.srcDims());
        Pooling pool = new Pooling(bench.region, s, kind, layout, true);
        bench.run(pool.forward(), in(Arg.SRC, src), out(Arg.DST, dst));
        bench.run(pool.backward(), in(Arg.DIFF_DST, diffDst), out(Arg.DIFF_SRC, diffSrc));
        int terms = s.kh() * s.kw();
        assertClose(pool.forward().toString(), Reference.pool(s, kind, src.toArray()), dst, terms);
        assertClose(pool.backward().toString(), Reference.poolBackward(s, kind, src.toArray(), diffDst.toArray()),
                diffSrc, terms);
    }
}
