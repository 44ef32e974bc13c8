package io.pare.format.pare;

import org.jspecify.annotations.Nullable;

/**
 * A codebook as whole multiples of one step: value = step * level, computed in float.
 *
 * @param step distance of two levels
 * @param levels ascending, none zero
 */
public record UniformLevels(float step, int[] levels) {
    /** Largest level, on either side. */
    public static final int MAX_LEVEL = 1 << 12;

    private static final int MAX_SMALLEST = 16;

    /**
     * {@return the step and levels that give exactly these ascending values, or null if there are none}
     *
     * @param values ascending floats
     */
    public static @Nullable UniformLevels of(float[] values) {
        float smallest = Float.MAX_VALUE;
        for (float value : values) {
            smallest = Math.min(smallest, Math.abs(value));
        }
        for (int divisor = 1; divisor <= MAX_SMALLEST; divisor++) {
            float quotient = smallest / divisor;
            for (float step : new float[]{quotient, Math.nextDown(quotient), Math.nextUp(quotient)}) {
                int[] levels = levels(values, step);
                if (levels != null) {
                    return new UniformLevels(step, levels);
                }
            }
        }
        return null;
    }

    private static int[] levels(float[] values, float step) {
        int[] levels = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            float level = Math.round(values[i] / step);
            if (!(Math.abs(level) <= MAX_LEVEL) || step * level != values[i] || level == 0) {
                return null;
            }
            levels[i] = (int) level;
        }
        return levels;
    }
}
