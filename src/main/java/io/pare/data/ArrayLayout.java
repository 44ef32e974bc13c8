package io.pare.data;

import io.pare.net.Shape;
import java.util.Arrays;

/**
 * How the values of samples lie in an array.
 *
 * @param samples size of the first dimension
 * @param channels of a sample, as its height and width
 * @param last whether channels are the last dimension
 */
record ArrayLayout(int samples, int channels, int height, int width, boolean last) {
    /**
     * The layout that a shape says, or where it says two that which the network takes.
     *
     * @param array what messages call it
     * @param taken input of the network
     */
    static ArrayLayout of(String array, long[] shape, Shape taken) {
        if (shape.length == 0 || Arrays.stream(shape).anyMatch(size -> size > Integer.MAX_VALUE)) {
            throw new DataException(
                    array + ", has shape " + Arrays.toString(shape) + ": the first dimension must count samples");
        }
        if (Arrays.stream(shape).anyMatch(size -> size == 0)) {
            throw new DataException(array + ", has shape " + Arrays.toString(shape) + ": it is empty");
        }
        int[] s = Arrays.stream(shape).mapToInt(Math::toIntExact).toArray();
        return switch (s.length) {
            case 1 -> vector(s[0], 1, taken);
            case 2 -> vector(s[0], s[1], taken);
            case 3 -> new ArrayLayout(s[0], 1, s[1], s[2], false);
            case 4 -> image(array, s, taken);
            default -> throw ambiguous(array, s);
        };
    }

    private static ArrayLayout vector(int samples, int features, Shape taken) {
        return taken.rank() == 3 && taken.features() == features
                ? new ArrayLayout(samples, taken.channels(), taken.height(), taken.width(), false)
                : new ArrayLayout(samples, features, 1, 1, false);
    }

    private static ArrayLayout image(String array, int[] s, Shape taken) {
        ArrayLayout first = new ArrayLayout(s[0], s[1], s[2], s[3], false);
        ArrayLayout behind = new ArrayLayout(s[0], s[3], s[1], s[2], true);
        boolean firstFits = s[1] == 1 || s[1] == 3;
        boolean lastFits = s[3] == 1 || s[3] == 3;
        if (firstFits == lastFits) {
            firstFits = taken.equals(Shape.of(s[1], s[2], s[3]));
            lastFits = taken.equals(Shape.of(s[3], s[1], s[2]));
        }
        if (firstFits == lastFits) {
            throw ambiguous(array, s);
        }
        return firstFits ? first : behind;
    }

    private static DataException ambiguous(String array, int[] s) {
        return new DataException(array + ", has shape " + Arrays.toString(s)
                + ", which does not say where channels, rows and columns are:"
                + " reshape it to [" + s[0] + ", " + Arrays.stream(s).skip(1).mapToLong(size -> size).reduce(1,
                        Math::multiplyExact)
                + "] in the order in which the network takes them");
    }

    /** The values channel by channel, each row by row. */
    byte[] planar(byte[] values) {
        if (!last || channels == 1) {
            return values;
        }
        byte[] moved = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            moved[planar(i)] = values[i];
        }
        return moved;
    }

    /** The same of floats. */
    float[] planar(float[] values) {
        if (!last || channels == 1) {
            return values;
        }
        float[] moved = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            moved[planar(i)] = values[i];
        }
        return moved;
    }

    /** Where the value of place {@code i} goes. */
    private int planar(int i) {
        int plane = height * width;
        int inside = i % (plane * channels);
        return i - inside + inside % channels * plane + inside / channels;
    }
}
