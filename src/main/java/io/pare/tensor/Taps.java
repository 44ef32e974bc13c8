package io.pare.tensor;

import io.pare.net.TensorOp.Coordinates;
import io.pare.net.TensorOp.Interpolation;
import io.pare.net.TensorOp.Nearest;
import io.pare.net.TensorOp.Resize;
import java.util.ArrayList;
import java.util.List;

/**
 * For each value along an axis of a {@link Resize}d tensor, the values of the input that it sums, and by which weights.
 *
 * @param starts for each value of the output the place of its first tap; one more place ends the last one's
 * @param indices for each tap the index along the axis of the input
 * @param weights for each tap
 */
record Taps(int[] starts, int[] indices, float[] weights) {
    /** By so much a factor that is a quotient of sizes may miss them. */
    private static final float ROUNDING = 1e-3f;

    private record Tap(int index, double weight) {}

    /** The taps along an axis of {@code in} values. */
    static Taps of(Resize op, int axis, int in) {
        int out = op.to().sizes().get(axis);
        float scale = op.scales().get(axis);
        List<Tap> all = new ArrayList<>();
        int[] starts = new int[out + 1];
        for (int i = 0; i < out; i++) {
            float at = coordinate(op.coordinates(), i, scale, in, out);
            all.addAll(op.interpolation() == Interpolation.NEAREST
                    ? List.of(new Tap(Math.clamp(nearest(op.nearest(), at), 0, in - 1), 1))
                    : around(op, at, scale, in));
            starts[i + 1] = all.size();
        }
        float[] weights = new float[all.size()];
        for (int k = 0; k < weights.length; k++) {
            weights[k] = (float) all.get(k).weight();
        }
        return new Taps(starts, all.stream().mapToInt(Tap::index).toArray(), weights);
    }

    private static float coordinate(Coordinates coordinates, int i, float scale, int in, int out) {
        float halfPixel = (i + 0.5f) / scale - 0.5f;
        return switch (coordinates) {
            case HALF_PIXEL -> halfPixel;
            case PYTORCH_HALF_PIXEL -> out > 1 ? halfPixel : 0;
            case ALIGN_CORNERS -> out > 1 ? i * (float) (in - 1) / (exact(scale, in, out) - 1) : 0;
            case ASYMMETRIC -> i / scale;
            case HALF_PIXEL_SYMMETRIC -> in / 2f * (1 - out / (scale * in)) + halfPixel;
        };
    }

    /** The size that a factor gives, where it is no whole number. */
    private static float exact(float scale, int in, int out) {
        float exact = scale * in;
        return exact > 1 && Math.abs(exact - out) > ROUNDING ? exact : out;
    }

    private static int nearest(Nearest nearest, float at) {
        return (int) switch (nearest) {
            case ROUND_PREFER_FLOOR -> Math.ceil(at - 0.5);
            case ROUND_PREFER_CEIL -> Math.floor(at + 0.5);
            case FLOOR -> Math.floor(at);
            case CEIL -> Math.ceil(at);
        };
    }

    private static List<Tap> around(Resize op, float at, float scale, int in) {
        boolean linear = op.interpolation() == Interpolation.LINEAR;
        // An interpolation that is wider takes smaller steps from value to value.
        double step = op.antialias() ? Math.min(scale, 1) : 1;
        int reach = (int) Math.ceil((linear ? 1 : 2) / step);
        int below = (int) Math.floor(at);
        List<Tap> taps = new ArrayList<>();
        double sum = 0;
        for (int k = below - reach + 1; k <= below + reach; k++) {
            double distance = Math.abs((k - (double) at) * step);
            double weight = linear ? Math.max(0, 1 - distance) : cubic(distance, op.cubic());
            boolean outside = k < 0 || k >= in;
            if (weight != 0 && !(outside && op.excludesOutside())) {
                taps.add(new Tap(Math.clamp(k, 0, in - 1), weight));
                sum += weight;
            }
        }
        if (taps.isEmpty()) {
            return List.of(new Tap(Math.clamp(below, 0, in - 1), 1));
        }
        double all = sum;
        return taps.stream().map(tap -> new Tap(tap.index(), tap.weight() / all)).toList();
    }

    /** R. G. Keys, Cubic convolution interpolation for digital image processing (1981), with a free coefficient. */
    private static double cubic(double distance, float a) {
        if (distance >= 2) {
            return 0;
        }
        return distance <= 1
                ? ((a + 2) * distance - (a + 3)) * distance * distance + 1
                : a * (((distance - 5) * distance + 8) * distance - 4);
    }
}
