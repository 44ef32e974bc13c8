package io.pare.dnnl;

import java.util.Random;

/** The operations by definition, in double precision and without any thought of speed. Row-major throughout. */
final class Reference {
    private Reference() {}

    static float[] random(long count, long seed) {
        Random random = new Random(seed);
        float[] values = new float[Math.toIntExact(count)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** One product of a convolution: y[dst] = w[weight] * x[src] summed. */
    @FunctionalInterface
    interface Tap {
        void at(int dst, int weight, int src, int outputChannel);
    }

    /** Visits each pair of an output and an input pixel that a filter weight joins. */
    static void taps(ConvShape s, Tap tap) {
        int icg = s.ic() / s.groups();
        int ocg = s.oc() / s.groups();
        for (int n = 0; n < s.n(); n++) {
            for (int o = 0; o < s.oc(); o++) {
                for (int y = 0; y < s.oh(); y++) {
                    for (int x = 0; x < s.ow(); x++) {
                        int dst = ((n * s.oc() + o) * s.oh() + y) * s.ow() + x;
                        for (int i = 0; i < icg; i++) {
                            for (int r = 0; r < s.kh(); r++) {
                                for (int c = 0; c < s.kw(); c++) {
                                    int iy = y * s.strideH() - s.top() + r * s.dilationH();
                                    int ix = x * s.strideW() - s.left() + c * s.dilationW();
                                    if (iy < 0 || iy >= s.ih() || ix < 0 || ix >= s.iw()) {
                                        continue;
                                    }
                                    int channel = o / ocg * icg + i;
                                    int src = ((n * s.ic() + channel) * s.ih() + iy) * s.iw() + ix;
                                    int weight = ((o * icg + i) * s.kh() + r) * s.kw() + c;
                                    tap.at(dst, weight, src, o);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    static double[] conv(ConvShape s, float[] src, float[] weights, float[] bias) {
        double[] dst = new double[s.n() * s.oc() * s.oh() * s.ow()];
        taps(s, (d, w, x, o) -> dst[d] += (double) weights[w] * src[x]);
        int area = s.oh() * s.ow();
        for (int i = 0; i < dst.length; i++) {
            dst[i] += bias == null ? 0 : bias[i / area % s.oc()];
        }
        return dst;
    }

    static double[] convBackwardData(ConvShape s, float[] diffDst, float[] weights) {
        double[] diffSrc = new double[s.n() * s.ic() * s.ih() * s.iw()];
        taps(s, (d, w, x, o) -> diffSrc[x] += (double) weights[w] * diffDst[d]);
        return diffSrc;
    }

    static double[] convBackwardWeights(ConvShape s, float[] src, float[] diffDst) {
        double[] diff = new double[s.oc() * (s.ic() / s.groups()) * s.kh() * s.kw()];
        taps(s, (d, w, x, o) -> diff[w] += (double) src[x] * diffDst[d]);
        return diff;
    }

    static double[] convBackwardBias(ConvShape s, float[] diffDst) {
        double[] diff = new double[s.oc()];
        int area = s.oh() * s.ow();
        for (int i = 0; i < diffDst.length; i++) {
            diff[i / area % s.oc()] += diffDst[i];
        }
        return diff;
    }

    static double[] pool(PoolShape s, Pooling.Kind kind, float[] src) {
        double[] dst = new double[s.n() * s.c() * s.oh() * s.ow()];
        for (int d = 0; d < dst.length; d++) {
            double max = Double.NEGATIVE_INFINITY;
            double sum = 0;
            int inside = 0;
            for (int at : window(s, d)) {
                if (at >= 0) {
                    max = Math.max(max, src[at]);
                    sum += src[at];
                    inside++;
                }
            }
            dst[d] = switch (kind) {
                case MAX -> max;
                case AVERAGE -> sum / (s.kh() * s.kw());
                case AVERAGE_WITHOUT_PADDING -> sum / inside;
            };
        }
        return dst;
    }

    static double[] poolBackward(PoolShape s, Pooling.Kind kind, float[] src, float[] diffDst) {
        double[] diffSrc = new double[src.length];
        for (int d = 0; d < diffDst.length; d++) {
            int best = -1;
            int inside = 0;
            for (int at : window(s, d)) {
                if (at >= 0) {
                    inside++;
                    best = best < 0 || src[at] > src[best] ? at : best;
                }
            }
            if (kind == Pooling.Kind.MAX) {
                diffSrc[best] += diffDst[d];
                continue;
            }
            for (int at : window(s, d)) {
                if (at >= 0) {
                    diffSrc[at] += (double) diffDst[d] / (kind == Pooling.Kind.AVERAGE ? s.kh() * s.kw() : inside);
                }
            }
        }
        return diffSrc;
    }

    /** Source indices of an output's window, -1 where it lies in the padding. */
    private static int[] window(PoolShape s, int dst) {
        int x = dst % s.ow();
        int y = dst / s.ow() % s.oh();
        int plane = dst / (s.ow() * s.oh());
        int[] indices = new int[s.kh() * s.kw()];
        for (int i = 0; i < indices.length; i++) {
            int iy = y * s.strideH() - s.top() + i / s.kw();
            int ix = x * s.strideW() - s.left() + i % s.kw();
            boolean inside = iy >= 0 && iy < s.ih() && ix >= 0 && ix < s.iw();
            indices[i] = inside ? (plane * s.ih() + iy) * s.iw() + ix : -1;
        }
        return indices;
    }
}
