package io.pare.infer;

import io.pare.infer.ReferenceNet.Bounded;
import io.pare.infer.ReferenceNet.Sum;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.util.Arrays;

/** Resizes one sample by the formulas of ONNX's Resize, in double precision and with bounds. */
final class ResizeReference {
    private final TensorOp.Resize op;
    private final Shape in;
    /** For each axis and index of the output, the weights of the input's values. */
    private final double[][][] weights;

    ResizeReference(TensorOp.Resize op, Shape in) {
        this.op = op;
        this.in = in;
        this.weights = new double[in.rank()][][];
        for (int axis = 0; axis < weights.length; axis++) {
            int from = in.sizes().get(axis);
            int to = op.to().sizes().get(axis);
            weights[axis] = new double[to][from];
            for (int i = 0; i < to; i++) {
                for (int k = 0; k < from; k++) {
                    weights[axis][i][k] = weight(op, op.scales().get(axis), i, k, from, to);
                }
            }
        }
    }

    /** Coordinates, and so weights, are off by roundings of the size of an axis. */
    void into(Bounded x, Bounded y) {
        double largest = Arrays.stream(x.values()).map(Math::abs).max().orElse(0);
        int sizes = in.sizes().stream().mapToInt(Integer::intValue).sum();
        for (int at = 0; at < y.values().length; at++) {
            int[] index = TensorReference.index(op.to(), at);
            Sum sum = new Sum(0);
            for (int from = 0; from < in.features(); from++) {
                int left = from;
                double weight = 1;
                for (int axis = in.rank() - 1; axis >= 0; axis--) {
                    weight *= weights[axis][index[axis]][left % in.sizes().get(axis)];
                    left /= in.sizes().get(axis);
                }
                sum.add(weight, x, from);
            }
            sum.into(y, at);
            y.errors()[at] += op.interpolation() == TensorOp.Interpolation.NEAREST
                    ? 0
                    : TensorReference.rounding(ReferenceNet.POWER * sizes, largest);
        }
    }

    /** The weight of value {@code k} of the input in value {@code i} of the output along one axis. */
    private static double weight(TensorOp.Resize op, double scale, int i, int k, int in, int out) {
        if (scale == 1 && in == out) {
            return i == k ? 1 : 0;
        }
        double half = (i + 0.5) / scale - 0.5;
        double at = switch (op.coordinates()) {
            case HALF_PIXEL -> half;
            case PYTORCH_HALF_PIXEL -> out == 1 ? 0 : half;
            case ALIGN_CORNERS -> out == 1 ? 0
                    : i * (in - 1.0) / ((Math.abs(scale * in - out) < 1e-3 ? out : scale * in) - 1);
            case ASYMMETRIC -> i / scale;
            case HALF_PIXEL_SYMMETRIC -> in / 2.0 - out / scale / 2 + half;
        };
        if (op.interpolation() == TensorOp.Interpolation.NEAREST) {
            double nearest = switch (op.nearest()) {
                case FLOOR -> Math.floor(at);
                case CEIL -> Math.ceil(at);
                case ROUND_PREFER_CEIL -> Math.floor(at + 0.5);
                case ROUND_PREFER_FLOOR -> -Math.floor(-at + 0.5);
            };
            return Math.clamp((long) nearest, 0, in - 1) == k ? 1 : 0;
        }
        double step = op.antialias() ? Math.min(1, scale) : 1;
        double weight = 0;
        double sum = 0;
        // Far enough for every weight that is not zero.
        for (int place = -40; place < in + 40; place++) {
            double own = kernel(op, Math.abs(place - at) * step);
            boolean inside = place >= 0 && place < in;
            if (inside || !op.excludesOutside()) {
                sum += own;
                weight += Math.clamp(place, 0, in - 1) == k ? own : 0;
            }
        }
        return weight / sum;
    }

    private static double kernel(TensorOp.Resize op, double distance) {
        if (op.interpolation() == TensorOp.Interpolation.LINEAR) {
            return Math.max(0, 1 - distance);
        }
        double a = op.cubic();
        double square = distance * distance;
        return distance <= 1 ? (a + 2) * square * distance - (a + 3) * square + 1
                : distance < 2 ? a * square * distance - 5 * a * square + 8 * a * distance - 4 * a : 0;
    }
}
