package io.pare.rewrite;

import io.pare.mem.FloatTensor;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * How exactly values, mostly biases, are kept. Rounding happens before a network is evaluated; a file then holds the
 * rounded values to the last bit, so what is evaluated is what is stored.
 *
 * <p>Biases of dead units are best removed first: see {@link DeadPaths}.
 *
 * @param kind what is done to each value
 * @param size bits of a level, sign included, for {@link Kind#UNIFORM}: 2 to 8; number of values for
 *            {@link Kind#CLUSTERED}: 1 to 64
 */
public record ValueForm(Kind kind, int size) {
    /** Kinds of rounding. */
    public enum Kind {
        /** All zero. */
        NONE,
        /** As they are. */
        F32,
        /** To the nearest half-precision float. */
        F16,
        /** To whole multiples of one step for each tensor, of which the largest value is the highest. */
        UNIFORM,
        /** To so many values for each tensor, chosen for the least squared error. */
        CLUSTERED
    }

    /** All zero. */
    public static final ValueForm NONE = new ValueForm(Kind.NONE, 0);
    /** Values as they are. */
    public static final ValueForm F32 = new ValueForm(Kind.F32, 32);
    /** Values in half precision. */
    public static final ValueForm F16 = new ValueForm(Kind.F16, 16);

    private static final int STEP_MANTISSA_BITS = 5;
    private static final int MAX_CLUSTERS = 64;

    /**
     * Refuses sizes that the kind does not have.
     *
     * @throws IllegalArgumentException if there are not 2 to 8 bits, or 1 to 64 values
     */
    public ValueForm {
        if (kind == Kind.UNIFORM && (size < 2 || size > 8)) {
            throw new IllegalArgumentException("values of " + size + " bits; 2 to 8 are possible");
        }
        if (kind == Kind.CLUSTERED && (size < 1 || size > MAX_CLUSTERS)) {
            throw new IllegalArgumentException(size + " distinct values; 1 to " + MAX_CLUSTERS
                    + " are possible");
        }
    }

    /**
     * {@return at most {@code values} distinct values; zero stays zero}
     *
     * @param values 1 to 64
     */
    public static ValueForm clustered(int values) {
        return new ValueForm(Kind.CLUSTERED, values);
    }

    /**
     * {@return values as multiples of a step, from -(2^(bits-1) - 1) to 2^(bits-1) - 1}
     *
     * @param bits 2 to 8
     */
    public static ValueForm uniform(int bits) {
        return new ValueForm(Kind.UNIFORM, bits);
    }

    /**
     * Reads {@code none}, {@code f32}, {@code f16}, a number of bits from 2 to 8, or {@code k1} to {@code k64} for so
     * many distinct values.
     *
     * @param text of an option
     * @return the form
     * @throws IllegalArgumentException if it is none of these
     */
    public static ValueForm of(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "none" -> NONE;
            case "f32" -> F32;
            case "f16" -> F16;
            default -> {
                if (text.matches("k([1-9]|[1-5][0-9]|6[0-4])")) {
                    yield clustered(Integer.parseInt(text.substring(1)));
                }
                if (!text.matches("[2-8]")) {
                    throw new IllegalArgumentException("'" + text
                            + "' is no form for values; there are none, f32, f16, 2 to 8 bits, and k1 to k64 distinct values");
                }
                yield uniform(Integer.parseInt(text));
            }
        };
    }

    @Override
    public String toString() {
        return switch (kind) {
            case UNIFORM -> Integer.toString(size);
            case CLUSTERED -> "k" + size;
            default -> kind.name().toLowerCase(Locale.ROOT);
        };
    }

    /**
     * Rounds a tensor in place.
     *
     * @param values rounded in place
     */
    public void round(FloatTensor values) {
        float step = kind == Kind.UNIFORM ? step(values) : 0;
        float[] centres = kind == Kind.CLUSTERED ? centres(values.toArray()) : new float[0];
        for (long i = 0; i < values.count(); i++) {
            float value = values.get(i);
            values.set(i, switch (kind) {
                case NONE -> 0;
                case F32 -> value;
                case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
                case UNIFORM -> step == 0 ? 0 : step * Math.round(value / step);
                case CLUSTERED -> value == 0 ? 0 : nearest(centres, value);
            });
        }
    }

    /** The largest value over the highest level, rounded up to few bits, which the file then needs few bits for. */
    private float step(FloatTensor values) {
        float largest = 0;
        for (long i = 0; i < values.count(); i++) {
            largest = Math.max(largest, Math.abs(values.get(i)));
        }
        float step = largest / ((1 << size - 1) - 1);
        int dropped = 23 - STEP_MANTISSA_BITS;
        return Float.intBitsToFloat(Float.floatToRawIntBits(step) + (1 << dropped) - 1 >> dropped << dropped);
    }

    private static float nearest(float[] centres, float value) {
        float best = centres[0];
        for (float centre : centres) {
            best = Math.abs(centre - value) < Math.abs(best - value) ? centre : best;
        }
        return best;
    }

    /** Centres of least squared error, by dynamic programming over the sorted values, rounded to few bits. */
    private float[] centres(float[] values) {
        double[] sorted = IntStream.range(0, values.length).mapToDouble(i -> values[i]).filter(v -> v != 0).sorted()
                .toArray();
        int n = sorted.length;
        int k = Math.min(size, n);
        double[] sums = new double[n + 1];
        double[] squares = new double[n + 1];
        for (int i = 0; i < n; i++) {
            sums[i + 1] = sums[i] + sorted[i];
            squares[i + 1] = squares[i] + sorted[i] * sorted[i];
        }
        double[] error = new double[n + 1];
        Arrays.fill(error, 1, n + 1, Double.MAX_VALUE);
        int[][] begin = new int[k][n + 1];
        for (int c = 0; c < k; c++) {
            double[] next = new double[n + 1];
            Arrays.fill(next, 0, n + 1, Double.MAX_VALUE);
            for (int end = c + 1; end <= n; end++) {
                for (int from = c; from < end; from++) {
                    double sum = sums[end] - sums[from];
                    double all = error[from] + squares[end] - squares[from] - sum * sum / (end - from);
                    if (all < next[end]) {
                        next[end] = all;
                        begin[c][end] = from;
                    }
                }
            }
            error = next;
        }
        float[] centres = new float[k];
        int end = n;
        for (int c = k - 1; c >= 0; c--) {
            int from = begin[c][end];
            centres[c] = Mantissa.round((float) ((sums[end] - sums[from]) / (end - from)), STEP_MANTISSA_BITS);
            end = from;
        }
        return centres;
    }
}
