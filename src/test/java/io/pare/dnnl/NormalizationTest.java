package io.pare.dnnl;

import static io.pare.dnnl.Workbench.assertClose;
import static io.pare.dnnl.Workbench.in;
import static io.pare.dnnl.Workbench.out;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.FloatTensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Batch and response normalisation and addition, in several layouts, against their definitions. */
@Tag("native")
class NormalizationTest {
    private static final int N = 3;
    private static final int H = 5;
    private static final int W = 4;

    /** A number of channels and a layout. */
    private record Case(int channels, String layout, boolean relu) {
        long[] dims() {
            return new long[]{N, channels, H, W};
        }

        MemoryDesc desc(Workbench bench) {
            return switch (layout) {
                case "plain" -> MemoryDesc.plain(bench.region, dims());
                case "channels last" -> MemoryDesc.channelsLast(bench.region, N, channels, H, W);
                // What a convolution of many channels chooses: blocks of 16 or 8, padded where they do not divide.
                default ->
                        new Convolution(bench.region,
                                new ConvShape(N, 16, H, W, channels, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1),
                                Convolution.Options.of(false, true).withDst(
                                        MemoryDesc.any(bench.region, dims())))
                                .forward().desc(Arg.DST);
            };
        }
    }

    static Stream<Case> cases() {
        return Stream.of("plain", "channels last", "blocked").flatMap(layout -> Stream.of(1, 16, 19)
                .flatMap(channels -> Stream.of(false, true).map(relu -> new Case(channels, layout, relu))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void batchNormalizationInTraining(Case c) {
        try (Workbench bench = new Workbench()) {
            float epsilon = 1e-5f;
            BatchNormalization norm = new BatchNormalization(bench.region, c.desc(bench), epsilon, c.relu, true);
            int channels = c.channels;
            int area = H * W;
            float[] x = Reference.random((long) N * channels * area, 1);
            float[] dy = Reference.random(x.length, 2);
            float[] scale = Reference.random(channels, 3);
            float[] shift = Reference.random(channels, 4);
            double[] mean = new double[channels];
            double[] variance = new double[channels];
            int count = N * area;
            for (int i = 0; i < x.length; i++) {
                mean[i / area % channels] += (double) x[i] / count;
            }
            for (int i = 0; i < x.length; i++) {
                double off = x[i] - mean[i / area % channels];
                variance[i / area % channels] += off * off / count;
            }
            double[] y = new double[x.length];
            double[] g = new double[x.length];
            double[] dScale = new double[channels];
            double[] dShift = new double[channels];
            for (int i = 0; i < x.length; i++) {
                int k = i / area % channels;
                double normal = (x[i] - mean[k]) / Math.sqrt(variance[k] + epsilon);
                y[i] = scale[k] * normal + shift[k];
                g[i] = c.relu && y[i] <= 0 ? 0 : dy[i];
                y[i] = c.relu ? Math.max(0, y[i]) : y[i];
                dScale[k] += g[i] * normal;
                dShift[k] += g[i];
            }
            double[] dx = new double[x.length];
            for (int i = 0; i < x.length; i++) {
                int k = i / area % channels;
                double deviation = Math.sqrt(variance[k] + epsilon);
                double normal = (x[i] - mean[k]) / deviation;
                dx[i] = scale[k] / deviation * (g[i] - dShift[k] / count - normal * dScale[k] / count);
            }
            FloatTensor src = bench.tensor(x, c.dims());
            FloatTensor scales = bench.tensor(scale, channels);
            FloatTensor dst = bench.region.tensor(c.dims());
            FloatTensor means = bench.region.tensor(channels);
            FloatTensor variances = bench.region.tensor(channels);
            bench.run(norm.forward(), in(Arg.SRC, src), in(Arg.SCALE, scales),
                    in(Arg.SHIFT, bench.tensor(shift, channels)), out(Arg.DST, dst), out(Arg.MEAN, means),
                    out(Arg.VARIANCE, variances));
            FloatTensor diffSrc = bench.region.tensor(c.dims());
            FloatTensor diffScale = bench.region.tensor(channels);
            FloatTensor diffShift = bench.region.tensor(channels);
            bench.run(norm.backward(), in(Arg.SRC, src), in(Arg.MEAN, means), in(Arg.VARIANCE, variances),
                    in(Arg.SCALE, scales), in(Arg.DIFF_DST, bench.tensor(dy, c.dims())), out(Arg.DIFF_SRC, diffSrc),
                    out(Arg.DIFF_SCALE, diffScale), out(Arg.DIFF_SHIFT, diffShift));
            String what = norm.forward().toString();
            assertClose(what, mean, means, count);
            assertClose(what, variance, variances, count);
            assertClose(what, y, dst, count);
            assertClose(what, dScale, diffScale, count);
            assertClose(what, dShift, diffShift, count);
            assertClose(norm.backward().toString(), dx, diffSrc, count);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void batchNormalizationInInferenceUsesTheGivenStatistics(Case c) {
        try (Workbench bench = new Workbench()) {
            BatchNormalization norm = new BatchNormalization(bench.region, c.desc(bench), 1e-3f, c.relu, false);
            int channels = c.channels;
            float[] x = Reference.random((long) N * channels * H * W, 5);
            float[] scale = Reference.random(channels, 6);
            float[] shift = Reference.random(channels, 7);
            float[] mean = Reference.random(channels, 8);
            float[] variance = Reference.random(channels, 9);
            for (int k = 0; k < channels; k++) {
                variance[k] = Math.abs(variance[k]);
            }
            double[] y = new double[x.length];
            for (int i = 0; i < x.length; i++) {
                int k = i / (H * W) % channels;
                y[i] = scale[k] * (x[i] - mean[k]) / Math.sqrt(variance[k] + 1e-3) + shift[k];
                y[i] = c.relu ? Math.max(0, y[i]) : y[i];
            }
            FloatTensor dst = bench.region.tensor(c.dims());
            bench.run(norm.forward(), in(Arg.SRC, bench.tensor(x, c.dims())),
                    in(Arg.SCALE, bench.tensor(scale, channels)), in(Arg.SHIFT, bench.tensor(shift, channels)),
                    in(Arg.MEAN, bench.tensor(mean, channels)), in(Arg.VARIANCE, bench.tensor(variance, channels)),
                    out(Arg.DST, dst));
            assertClose(norm.forward().toString(), y, dst, 16);
            assertFalse(norm.forward().has(Arg.WORKSPACE));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void responseNormalization(Case c) {
        ResponseNormalization.Window window = new ResponseNormalization.Window(5, 0.2f, 0.75f, 1.5f);
        try (Workbench bench = new Workbench()) {
            ResponseNormalization norm = new ResponseNormalization(bench.region, c.desc(bench), window, true);
            int area = H * W;
            int channels = c.channels;
            float[] x = Reference.random((long) N * channels * area, 1);
            float[] dy = Reference.random(x.length, 2);
            double[] base = new double[x.length];
            double[] y = new double[x.length];
            for (int i = 0; i < x.length; i++) {
                int k = i / area % channels;
                base[i] = window.k();
                for (int j = Math.max(0, k - 2); j <= Math.min(channels - 1, k + 2); j++) {
                    double near = x[i + (j - k) * area];
                    base[i] += window.alpha() / window.size() * near * near;
                }
                y[i] = x[i] * Math.pow(base[i], -window.beta());
            }
            double[] dx = new double[x.length];
            for (int i = 0; i < x.length; i++) {
                int k = i / area % channels;
                dx[i] = dy[i] * Math.pow(base[i], -window.beta());
                for (int j = Math.max(0, k - 2); j <= Math.min(channels - 1, k + 2); j++) {
                    int near = i + (j - k) * area;
                    dx[i] -= 2 * window.alpha() * window.beta() / window.size() * x[i] * dy[near] * y[near]
                            / base[near];
                }
            }
            FloatTensor src = bench.tensor(x, c.dims());
            FloatTensor dst = bench.region.tensor(c.dims());
            FloatTensor diffSrc = bench.region.tensor(c.dims());
            bench.run(norm.forward(), in(Arg.SRC, src), out(Arg.DST, dst));
            bench.run(norm.backward(), in(Arg.SRC, src), in(Arg.DIFF_DST, bench.tensor(dy, c.dims())),
                    out(Arg.DIFF_SRC, diffSrc));
            assertClose(norm.forward().toString(), y, dst, 16);
            assertClose(norm.backward().toString(), dx, diffSrc, 16);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void additionWithAndWithoutRelu(Case c) {
        try (Workbench bench = new Workbench()) {
            Addition addition = new Addition(bench.region, c.desc(bench),
                    c.relu ? Activation.RELU : null);
            float[] left = Reference.random(FloatTensor.count(c.dims()), 1);
            float[] right = Reference.random(left.length, 2);
            FloatTensor dst = bench.region.tensor(c.dims());
            bench.run(addition.forward(), in(Arg.SRC, bench.tensor(left, c.dims())),
                    in(Arg.SRC_1, bench.tensor(right, c.dims())), out(Arg.DST, dst));
            for (int i = 0; i < left.length; i++) {
                float sum = left[i] + right[i];
                assertEquals(c.relu ? Math.max(0, sum) : sum, dst.get(i), 0f, addition.forward().toString());
            }
        }
    }

    @Test
    void operandsAreThoseOfThePrimitive() {
        try (Workbench bench = new Workbench()) {
            MemoryDesc desc = MemoryDesc.plain(bench.region, N, 16, H, W);
            BatchNormalization norm = new BatchNormalization(bench.region, desc, 1e-5f, true, true);
            assertTrue(norm.forward().has(Arg.WORKSPACE) && norm.backward().has(Arg.WORKSPACE));
            assertFalse(norm.forward().has(Arg.WEIGHTS), "scale and shift are no weights");
            Convolution conv = new Convolution(bench.region, ConvShape.square(1, 3, 8, 4, 3, 1, 0),
                    Convolution.Options.of(false, true));
            assertFalse(conv.forward().has(Arg.SCALE) || conv.forward().has(Arg.MEAN));
        }
    }
}
