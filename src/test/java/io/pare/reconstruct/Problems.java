package io.pare.reconstruct;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Layers with inputs of a known spectrum, and what they are worth, in double. */
final class Problems {
    private Problems() {}

    /**
     * Inputs whose covariance has eigenvalues i^-power, in directions that mix all inputs, and then channels of unequal size: by
     * exp(g / 2) with g Gaussian. Gaussian samples, times the roots of the eigenvalues, go through two fast Hadamard transforms
     * with random signs.
     *
     * @param d a power of two
     */
    static FloatTensor inputs(Region region, int rows, int d, double power, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        double[] channel = IntStream.range(0, d).mapToDouble(i -> Math.exp(random.nextGaussian() / 2)).toArray();
        double[] first = signs(random, d);
        double[] second = signs(random, d);
        FloatTensor x = region.tensor(rows, d);
        double[] row = new double[d];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < d; i++) {
                row[i] = random.nextGaussian() * Math.pow(i + 1, -power / 2) * first[i];
            }
            hadamard(row);
            for (int i = 0; i < d; i++) {
                row[i] *= second[i];
            }
            hadamard(row);
            for (int i = 0; i < d; i++) {
                x.set((long) r * d + i, (float) (row[i] * channel[i]));
            }
        }
        return x;
    }

    private static double[] signs(SplittableRandom random, int d) {
        return IntStream.range(0, d).mapToDouble(i -> random.nextBoolean() ? 1 : -1).toArray();
    }

    private static void hadamard(double[] x) {
        for (int half = 1; half < x.length; half *= 2) {
            for (int start = 0; start < x.length; start += 2 * half) {
                for (int i = start; i < start + half; i++) {
                    double sum = x[i] + x[i + half];
                    x[i + half] = (x[i] - x[i + half]) * Math.sqrt(0.5);
                    x[i] = sum * Math.sqrt(0.5);
                }
            }
        }
    }

    /** Gaussian values. */
    static FloatTensor gaussian(Region region, long seed, long... shape) {
        SplittableRandom random = new SplittableRandom(seed);
        FloatTensor tensor = region.tensor(shape);
        for (long at = 0; at < tensor.count(); at++) {
            tensor.set(at, (float) random.nextGaussian());
        }
        return tensor;
    }

    /** The error of changed outputs over the outputs, both squared, from the inputs themselves. */
    static double error(FloatTensor x, FloatTensor w, FloatTensor z) {
        int d = (int) x.size(1);
        double error = 0;
        double all = 0;
        for (long row = 0; row < x.size(0); row++) {
            for (long out = 0; out < w.size(0); out++) {
                double sum = 0;
                double changed = 0;
                for (int i = 0; i < d; i++) {
                    sum += (double) x.get(row * d + i) * w.get(out * d + i);
                    changed += (double) x.get(row * d + i) * z.get(out * d + i);
                }
                error += (sum - changed) * (sum - changed);
                all += sum * sum;
            }
        }
        return error / all;
    }
}
