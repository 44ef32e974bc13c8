package io.pare.exec.java;

import io.pare.exec.Together;
import io.pare.mem.FloatTensor;
import org.jspecify.annotations.Nullable;

/**
 * Batch normalisation in plain Java over NCHW memory: the oracle of the oneDNN path and its stand-in. Sums are double, and of all
 * processes where there are several that see a batch together.
 */
record PlainBatchNorm(int n, int channels, int area, float epsilon, @Nullable Together together) {
    /** What a channel's values have in common. */
    private interface Plane {
        void at(int channel, long from, long to);
    }

    private void planes(Plane plane) {
        for (int i = 0; i < n * channels; i++) {
            plane.at(i % channels, (long) i * area, (long) (i + 1) * area);
        }
    }

    long perChannel() {
        return (long) n * area * (together == null ? 1 : together.size());
    }

    private void sum(double[] numbers) {
        if (together != null) {
            together.sum(numbers);
        }
    }

    /** Mean and variance, without Bessel's correction, of each channel. */
    void statistics(FloatTensor x, FloatTensor mean, FloatTensor variance) {
        double[] sums = new double[channels];
        planes((c, from, to) -> {
            for (long i = from; i < to; i++) {
                sums[c] += x.get(i);
            }
        });
        sum(sums);
        double[] squares = new double[channels];
        planes((c, from, to) -> {
            double center = sums[c] / perChannel();
            for (long i = from; i < to; i++) {
                squares[c] += (x.get(i) - center) * (x.get(i) - center);
            }
        });
        sum(squares);
        for (int c = 0; c < channels; c++) {
            mean.set(c, (float) (sums[c] / perChannel()));
            variance.set(c, (float) (squares[c] / perChannel()));
        }
    }

    private float factor(FloatTensor scale, FloatTensor variance, int channel) {
        return (float) (scale.get(channel) / Math.sqrt(variance.get(channel) + (double) epsilon));
    }

    void forward(FloatTensor x, FloatTensor scale, FloatTensor shift, FloatTensor mean, FloatTensor variance,
            FloatTensor y) {
        planes((c, from, to) -> {
            float factor = factor(scale, variance, c);
            for (long i = from; i < to; i++) {
                y.set(i, (x.get(i) - mean.get(c)) * factor + shift.get(c));
            }
        });
    }

    /** The gradients through the batch's own statistics; {@code dx} may be null. */
    void backward(FloatTensor x, FloatTensor scale, FloatTensor mean, FloatTensor variance, FloatTensor dy,
            FloatTensor dScale, FloatTensor dShift, FloatTensor dx) {
        double[] sums = new double[channels];
        double[] products = new double[channels];
        planes((c, from, to) -> {
            for (long i = from; i < to; i++) {
                sums[c] += dy.get(i);
                products[c] += (double) dy.get(i) * (x.get(i) - mean.get(c));
            }
        });
        for (int c = 0; c < channels; c++) {
            products[c] /= Math.sqrt(variance.get(c) + (double) epsilon);
            dShift.set(c, (float) sums[c]);
            dScale.set(c, (float) products[c]);
        }
        if (dx != null) {
            sum(sums);
            sum(products);
            planes((c, from, to) -> {
                double deviation = Math.sqrt(variance.get(c) + (double) epsilon);
                for (long i = from; i < to; i++) {
                    double normal = (x.get(i) - mean.get(c)) / deviation;
                    dx.set(i, (float) (scale.get(c) / deviation
                            * (dy.get(i) - sums[c] / perChannel() - normal * products[c] / perChannel())));
                }
            });
        }
    }
}
