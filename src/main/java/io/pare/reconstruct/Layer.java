package io.pare.reconstruct;

import io.pare.blas.Gemm;
import io.pare.blas.LapackProvider;
import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;

/**
 * The least-squares problem of one layer, in units in which the Hessian's diagonal is 1.
 *
 * <p>With D the root of the diagonal, weights W become W D and the Hessian H becomes D^-1 H D^-1. Magnitude of a scaled
 * weight is then |w| times the norm of its input, and one penalty suits all inputs. A weight matrix has a row for each
 * output.
 */
final class Layer {
    final int outputs;
    final int inputs;
    /** What each column was multiplied by. */
    final float[] scale;
    /** Damped, inputs by inputs. */
    final FloatTensor hessian;
    /** The weights to come near to, scaled. */
    final FloatTensor dense;
    /** {@code dense} times {@code hessian}. */
    final FloatTensor target;
    /** The part of each diagonal element of the scaled Hessian that is damping. */
    private final double[] ridge;
    private final Region region;
    private final Kernels kernels = Kernels.active();

    /**
     * Scales a layer.
     *
     * @param damping added to the diagonal, as a multiple of its mean
     * @param region owns all matrices
     */
    Layer(FloatTensor weights, Hessian sums, double damping, Region region) {
        this.outputs = Math.toIntExact(weights.size(0));
        this.inputs = sums.inputs();
        this.region = region;
        this.scale = new float[inputs];
        this.ridge = new double[inputs];
        this.hessian = region.tensor(inputs, inputs);
        this.dense = matrix();
        this.target = matrix();
        double added = damping * sums.meanDiagonal();
        double[] root = new double[inputs];
        for (int i = 0; i < inputs; i++) {
            double diagonal = sums.at(i, i) + added;
            // An input that is always 0 has no say; any scale does.
            root[i] = diagonal > 0 ? Math.sqrt(diagonal) : 1;
            scale[i] = (float) root[i];
            ridge[i] = diagonal > 0 ? added / diagonal : 0;
        }
        for (int i = 0; i < inputs; i++) {
            for (int j = 0; j < inputs; j++) {
                double value = i == j ? 1 : sums.at(i, j) / root[i] / root[j];
                hessian.set((long) i * inputs + j, (float) value);
            }
        }
        scale(weights, dense);
        multiply(dense, hessian, target);
    }

    /** A new matrix of the weights' shape, zero. */
    FloatTensor matrix() {
        return region.tensor(outputs, inputs);
    }

    /** A new vector of one element for each input, zero. */
    FloatTensor vector() {
        return region.tensor(inputs);
    }

    /** A new square matrix, zero. */
    FloatTensor square() {
        return region.tensor(inputs, inputs);
    }

    /** The inverse of the scaled Hessian with so much added to its diagonal. */
    FloatTensor inverse(double added) {
        FloatTensor inverse = square().copyFrom(hessian);
        for (int i = 0; i < inputs; i++) {
            inverse.set((long) i * inputs + i, (float) (1 + added));
        }
        factor(inverse);
        LapackProvider.active().spotri(inputs, inverse.segment(), inputs);
        for (int i = 0; i < inputs; i++) {
            for (int j = 0; j < i; j++) {
                inverse.set((long) i * inputs + j, inverse.get((long) j * inputs + i));
            }
        }
        return inverse;
    }

    /** Replaces the upper triangle of a matrix by U, where the matrix is U^T U. */
    void factor(FloatTensor matrix) {
        LapackProvider.active().spotrf(inputs, matrix.segment(), inputs);
    }

    /** {@code to} = {@code left} times {@code right}, which is inputs by inputs. */
    void multiply(FloatTensor left, FloatTensor right, FloatTensor to) {
        Gemm.sgemm(false, false, outputs, inputs, inputs, 1, left.segment(), inputs, right.segment(), inputs, 0,
                to.segment(), inputs);
    }

    /** {@code to} = target + penalty ({@code z} - {@code u}), the right side of a step of ADMM. */
    void pull(FloatTensor z, FloatTensor u, double penalty, FloatTensor to) {
        long n = to.count();
        kernels.subtract(z.segment(), 0, u.segment(), 0, to.segment(), 0, n);
        kernels.addScaled(target.segment(), 0, (float) penalty, to.segment(), 0, to.segment(), 0, n);
    }

    /** Multiplies each column by its scale. */
    void scale(FloatTensor from, FloatTensor to) {
        for (int row = 0; row < outputs; row++) {
            for (int i = 0; i < inputs; i++) {
                long at = (long) row * inputs + i;
                to.set(at, from.get(at) * scale[i]);
            }
        }
    }

    /** Divides each column by its scale; the two may be the same. */
    void unscale(FloatTensor from, FloatTensor to) {
        for (int row = 0; row < outputs; row++) {
            for (int i = 0; i < inputs; i++) {
                long at = (long) row * inputs + i;
                to.set(at, from.get(at) / scale[i]);
            }
        }
    }

    /** Squared error of the layer's outputs over their square, without damping. */
    double error(FloatTensor scaled) {
        try (Region scratch = Region.shared("layer error")) {
            FloatTensor change = scratch.tensor(outputs, inputs);
            FloatTensor product = scratch.tensor(outputs, inputs);
            kernels.subtract(scaled.segment(), 0, dense.segment(), 0, change.segment(), 0, change.count());
            multiply(change, hessian, product);
            double error = squares(change, product);
            double all = squares(dense, target);
            return error <= 0 ? 0 : error / all;
        }
    }

    /** The sum of x times (H x), the part of the damping taken off. */
    private double squares(FloatTensor x, FloatTensor product) {
        double sum = kernels.dot(x.segment(), 0, product.segment(), 0, x.count());
        for (int row = 0; row < outputs; row++) {
            for (int i = 0; i < inputs; i++) {
                double value = x.get((long) row * inputs + i);
                sum -= ridge[i] * value * value;
            }
        }
        return sum;
    }
}
