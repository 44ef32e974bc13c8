package io.pare.kernel;

import org.jspecify.annotations.Nullable;

/**
 * The grid of a block of values: (code - zero) times a step, for codes from 0 on. Zero is always on it. It is what ONNX calls
 * blockwise quantisation with a zero point.
 *
 * <p>An instance holds the grid that it found last, so it is for one thread. Nothing is allocated.
 */
public final class BlockGrid {
    /** The grid of least error spans the values, or cuts off the largest ones. */
    private static final float NARROWEST = 0.7f;
    private static final float NARROWER = 0.04f;
    /** Steps of which the values of a grid may be off a multiple, by rounding. */
    private static final float OFF = 1e-4f;
    /** Added and taken off, it rounds floats of up to 22 bits to whole numbers. */
    private static final float ROUND = 0x1.8p23f;

    private final int top;
    private float step = 1;
    private int zero;

    /**
     * A grid of one step.
     *
     * @param bits of a code, 2 to 8
     * @throws IllegalArgumentException if it is another number
     */
    public BlockGrid(int bits) {
        if (bits < 2 || bits > 8) {
            throw new IllegalArgumentException("codes of a grid have 2 to 8 bits, not " + bits);
        }
        this.top = (1 << bits) - 1;
    }

    /** {@return the distance of neighbours, above 0} */
    public float step() {
        return step;
    }

    /** {@return the code of zero} */
    public int zero() {
        return zero;
    }

    /**
     * {@return the code of the nearest point}
     *
     * @param value finite
     */
    public int code(float value) {
        return Math.clamp(Math.round(value / step) + (long) zero, 0, top);
    }

    /**
     * {@return the point of a code}
     *
     * @param code from 0 on
     */
    public float value(int code) {
        return (code - zero) * step;
    }

    /**
     * Finds the grid on which values lie already, but for the last bits of floats: of several that with the widest step.
     *
     * @param values finite
     * @param at the first of them
     * @param count at least 1
     * @return whether there is one; otherwise this is unchanged
     */
    public boolean find(float[] values, int at, int count) {
        float least = 0;
        float most = 0;
        for (int i = at; i < at + count; i++) {
            least = Math.min(least, values[i]);
            most = Math.max(most, values[i]);
        }
        float largest = Math.max(-least, most);
        if (largest == 0) {
            step = 1;
            zero = 0;
            return true;
        }
        for (int steps = 1; steps <= top; steps++) {
            float width = largest / steps;
            int below = Math.round(-least / width);
            if (below + Math.round(most / width) <= top && isOn(values, at, count, 1 / width)) {
                step = width;
                zero = below;
                return true;
            }
        }
        return false;
    }

    private static boolean isOn(float[] values, int at, int count, float inverse) {
        for (int i = at; i < at + count; i++) {
            float steps = values[i] * inverse;
            if (Math.abs(steps - Math.round(steps)) > OFF) {
                return false;
            }
        }
        return true;
    }

    /**
     * Finds the grid of least squared error among those that span the values or cut off their ends, its step fitted to the codes
     * by least squares.
     *
     * @param values finite
     * @param importance factor of each squared error, at the same places; null for 1
     * @param at the first of them
     * @param count at least 1
     */
    public void fit(float[] values, float @Nullable [] importance, int at, int count) {
        if (find(values, at, count)) {
            return;
        }
        float least = 0;
        float most = 0;
        for (int i = at; i < at + count; i++) {
            least = Math.min(least, values[i]);
            most = Math.max(most, values[i]);
        }
        float best = Float.POSITIVE_INFINITY;
        float width = 0;
        int place = 0;
        for (float share = 1; share >= NARROWEST; share -= NARROWER) {
            float trial = (most - least) * share / top;
            if (!(trial >= Float.MIN_NORMAL)) {
                break;
            }
            int below = Math.clamp(Math.round(-least * share / trial), 0, top);
            float error = error(values, importance, at, count, trial, below);
            if (error < best) {
                best = error;
                width = trial;
                place = below;
            }
        }
        step = width > 0 ? width : Float.MIN_NORMAL;
        zero = place;
        float fitted = fitted(values, importance, at, count);
        if (fitted >= Float.MIN_NORMAL && error(values, importance, at, count, fitted, zero) < best) {
            step = fitted;
        }
    }

    private float error(float[] values, float[] importance, int at, int count, float width, int below) {
        float inverse = 1 / width;
        float low = -below;
        float high = top - below;
        float sum = 0;
        for (int i = at; i < at + count; i++) {
            float steps = Math.max(low, Math.min(high, values[i] * inverse + ROUND - ROUND));
            float error = values[i] - steps * width;
            sum += (importance == null ? 1 : importance[i]) * error * error;
        }
        return sum;
    }

    /** The step of least error for the codes that values have now. */
    private float fitted(float[] values, float[] importance, int at, int count) {
        float products = 0;
        float squares = 0;
        for (int i = at; i < at + count; i++) {
            float steps = code(values[i]) - zero;
            float weight = importance == null ? 1 : importance[i];
            products += weight * values[i] * steps;
            squares += weight * steps * steps;
        }
        return products / squares;
    }
}
