package io.pare.net;

import io.pare.mem.FloatTensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A tensor of which only the values other than zero are kept: where they stand, and what they are.
 *
 * <p>Values come from a codebook when few are distinct (at most {@value #MAX_CODEBOOK}, and each used at least twice on
 * average), otherwise each stands for itself. They may also be {@linkplain #isScaled() scaled}: words of a codebook, times a
 * scale that a group of neighbours shares. A tensor without any zero keeps no positions. Immutable and thread-safe; on the
 * heap, so it needs no closing.
 */
public final class CompressedTensor {
    /** Largest codebook. */
    public static final int MAX_CODEBOOK = 256;
    /** Of a tensor with one zero in so many elements or fewer, the places of zeros are kept: positions would double it. */
    private static final int MOSTLY_DENSE = 8;
    /** Elements that are looked at by one call. */
    private static final int CHUNK = 4096;
    private static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

    private final long[] shape;
    private final int count;
    private final int nonzeros;
    /** Of the values; null where {@link #zeros} says it. */
    private final int[] positions;
    /** Places of zeros, ascending; null where {@link #positions} says it. */
    private final int[] zeros;
    private final byte[] codes;
    private final float[] codebook;
    private final float[] values;
    /** What the words of the codebook are multiplied by; null where they stand for themselves. */
    private final GroupScales scales;

    /**
     * Takes over its arguments, which fit together.
     *
     * @param shape sizes of the dimensions, the slowest first
     * @param nonzeros number of values other than zero
     * @param positions ascending; {@code null} for a dense tensor
     * @param codes index into the codebook of each value; {@code null} where each stands for itself
     * @param codebook ascending; {@code null} likewise
     * @param values {@code null} where there are codes
     */
    public CompressedTensor(long[] shape, int nonzeros, int @Nullable [] positions, byte @Nullable [] codes,
            float @Nullable [] codebook, float @Nullable [] values) {
        this(shape, nonzeros, FloatTensor.count(shape) == nonzeros ? null : positions,
                FloatTensor.count(shape) == nonzeros ? new int[0] : null, codes, codebook, values, null);
    }

    /**
     * Takes over its arguments, which fit together: each value is its word times the scale of its group.
     *
     * @param shape sizes of the dimensions, the slowest first
     * @param positions of the values other than zero, ascending; not looked at if these are all
     * @param codes index into the codebook of each value
     * @param codebook ascending
     * @param scales of the words
     */
    public CompressedTensor(long[] shape, int @Nullable [] positions, byte[] codes, float[] codebook,
            GroupScales scales) {
        this(shape, codes.length, FloatTensor.count(shape) == codes.length ? null : positions,
                FloatTensor.count(shape) == codes.length ? new int[0] : null, codes, codebook, null, scales);
    }

    private CompressedTensor(long[] shape, int nonzeros, int[] positions, int[] zeros, byte[] codes, float[] codebook,
            float[] values, GroupScales scales) {
        this.shape = shape;
        this.count = Math.toIntExact(FloatTensor.count(shape));
        this.nonzeros = nonzeros;
        this.positions = positions;
        this.zeros = zeros;
        this.codes = codes;
        this.codebook = codebook;
        this.values = values;
        this.scales = scales;
    }

    /**
     * Compresses a tensor without loss; -0 becomes 0. Throws {@link IllegalArgumentException} on NaN and infinity.
     *
     * @param tensor copied
     * @return the tensor
     */
    public static CompressedTensor of(FloatTensor tensor) {
        return takingOver(tensor.toArray(), tensor.shape());
    }

    /**
     * Compresses row-major {@code dense} values without loss; -0 becomes 0. NaN and infinity are refused.
     *
     * @param dense all elements, row-major
     * @param shape sizes of the dimensions, the slowest first
     * @return the tensor
     */
    public static CompressedTensor of(float[] dense, long... shape) {
        return takingOver(dense.clone(), shape);
    }

    /**
     * As {@link #of(float[], long...)}, but may keep the array, which nobody may change any more.
     *
     * @param dense all elements, row-major
     * @param shape sizes of the dimensions, the slowest first
     * @return the tensor
     */
    public static CompressedTensor takingOver(float[] dense, long... shape) {
        if (FloatTensor.count(shape) != dense.length) {
            throw new IllegalArgumentException("shape " + Arrays.toString(shape) + " does not hold " + dense.length
                    + " values");
        }
        int[] zerosOf = new int[Math.ceilDiv(dense.length, CHUNK)];
        int nonzeros = dense.length;
        for (int chunk = 0; chunk < zerosOf.length; chunk++) {
            int from = chunk * CHUNK;
            int end = Math.min(dense.length, from + CHUNK);
            if (largestBits(dense, from, end) >= INFINITY) {
                refuse(dense, from, end);
            }
            zerosOf[chunk] = zeros(dense, from, end);
            nonzeros -= zerosOf[chunk];
        }
        if (nonzeros == dense.length) {
            return of(shape.clone(), nonzeros, null, new int[0], dense);
        }
        int[] zeros = new int[dense.length - nonzeros];
        if (zeros.length <= dense.length / MOSTLY_DENSE) {
            int found = 0;
            for (int chunk = 0; chunk < zerosOf.length; chunk++) {
                int from = chunk * CHUNK;
                int end = Math.min(dense.length, from + CHUNK);
                if (zerosOf[chunk] == 0) {
                    System.arraycopy(dense, from, dense, from - found, end - from);
                } else {
                    found = closeUp(dense, from, end, zeros, found);
                }
            }
            return of(shape.clone(), nonzeros, null, zeros, dense);
        }
        int[] positions = new int[nonzeros];
        float[] values = new float[nonzeros];
        int at = 0;
        for (int from = 0; from < dense.length; from += CHUNK) {
            at = collect(dense, from, Math.min(dense.length, from + CHUNK), positions, values, at);
        }
        return of(shape.clone(), positions, values);
    }

    // Loops over a chunk each: those over a whole tensor would run interpreted to its end where a JVM is young. The JIT
    // vectorises the first two.

    /** The largest of the values' bits without sign; those of infinity and NaN are above all others. */
    private static int largestBits(float[] dense, int from, int end) {
        int largest = 0;
        for (int i = from; i < end; i++) {
            largest = Math.max(largest, Float.floatToRawIntBits(dense[i]) & Integer.MAX_VALUE);
        }
        return largest;
    }

    private static int zeros(float[] dense, int from, int end) {
        int zeros = 0;
        for (int i = from; i < end; i++) {
            zeros += dense[i] == 0 ? 1 : 0;
        }
        return zeros;
    }

    private static void refuse(float[] dense, int from, int end) {
        for (int i = from; i < end; i++) {
            if (!Float.isFinite(dense[i])) {
                throw new IllegalArgumentException("value " + i + " of the tensor is " + dense[i]
                        + ": only finite weights can be compressed");
            }
        }
    }

    /** Moves values over the zeros among and before them, whose places are noted; returns the number of all zeros so far. */
    private static int closeUp(float[] dense, int from, int end, int[] zeros, int before) {
        int found = before;
        for (int i = from; i < end; i++) {
            if (dense[i] == 0) {
                zeros[found++] = i;
            } else {
                dense[i - found] = dense[i];
            }
        }
        return found;
    }

    /** Notes values other than zero and their places; returns the number of all so far. */
    private static int collect(float[] dense, int from, int end, int[] positions, float[] values, int before) {
        int at = before;
        for (int i = from; i < end; i++) {
            if (dense[i] != 0) {
                positions[at] = i;
                values[at++] = dense[i];
            }
        }
        return at;
    }

    /**
     * {@return the same values as words of a codebook times scales, or {@code null} if some value is not exactly that}
     *
     * @param codebook ascending, of at most {@value #MAX_CODEBOOK} words other than zero; copied
     * @param by scales of groups that divide the elements
     */
    public @Nullable CompressedTensor scaled(float[] codebook, GroupScales by) {
        byte[] found = new byte[nonzeros];
        int[] places = zeros != null && zeros.length == 0 ? null : new int[nonzeros];
        for (int i = 0; i < nonzeros; i++) {
            int position = position(i);
            float scale = by.at(position);
            float value = value(i);
            int near = Arrays.binarySearch(codebook, value / scale);
            int code = -1;
            // The quotient is rounded: the word may be the one before or behind.
            for (int c = Math.max(0, (near < 0 ? -near - 1 : near) - 1); c < codebook.length && code < 0
                    && c <= (near < 0 ? -near - 1 : near) + 1; c++) {
                code = codebook[c] * scale == value ? c : -1;
            }
            if (code < 0) {
                return null;
            }
            found[i] = (byte) code;
            if (places != null) {
                places[i] = position;
            }
        }
        return new CompressedTensor(shape.clone(), places, found, codebook.clone(), by);
    }

    /**
     * Takes values other than zero and their ascending positions, {@code null} if these are all; values that are few get a
     * codebook.
     *
     * @param shape sizes of the dimensions, the slowest first
     * @param positions row-major and ascending; not copied
     * @param values one for each position; not copied
     * @return the tensor
     */
    public static CompressedTensor of(long[] shape, int @Nullable [] positions, float[] values) {
        boolean dense = FloatTensor.count(shape) == values.length;
        return of(shape, values.length, dense ? null : positions, dense ? new int[0] : null, values);
    }

    /** The same; what lies behind the values in their array is not looked at. */
    private static CompressedTensor of(long[] shape, int nonzeros, int[] positions, int[] zeros, float[] values) {
        float[] distinct = distinct(values, nonzeros);
        if (distinct.length > MAX_CODEBOOK || distinct.length * 2 > nonzeros && nonzeros > 2) {
            return new CompressedTensor(shape, nonzeros, positions, zeros, null, null, values, null);
        }
        byte[] codes = new byte[nonzeros];
        for (int i = 0; i < nonzeros; i++) {
            codes[i] = (byte) Arrays.binarySearch(distinct, values[i]);
        }
        return new CompressedTensor(shape, nonzeros, positions, zeros, codes, distinct, null, null);
    }

    /**
     * {@return the distinct values in ascending order; stops collecting shortly after {@link #MAX_CODEBOOK}}
     *
     * @param values in any order
     */
    public static float[] distinct(float[] values) {
        return distinct(values, values.length);
    }

    private static float[] distinct(float[] values, int count) {
        float[] found = new float[MAX_CODEBOOK + 1];
        int size = 0;
        for (int i = 0; i < count; i++) {
            float value = values[i];
            int at = Arrays.binarySearch(found, 0, size, value);
            if (at < 0) {
                if (size == found.length) {
                    break;
                }
                System.arraycopy(found, -at - 1, found, -at, size + at + 1);
                found[-at - 1] = value;
                size++;
            }
        }
        return Arrays.copyOf(found, size);
    }

    /**
     * {@return whether both hold equal values, in whatever way}
     *
     * @param other of any shape
     */
    public boolean sameAs(CompressedTensor other) {
        boolean same = Arrays.equals(shape, other.shape) && nonzeros == other.nonzeros;
        for (int i = 0; same && i < nonzeros; i++) {
            same = position(i) == other.position(i) && value(i) == other.value(i);
        }
        return same;
    }

    /** {@return a copy of the shape: OIHW, [out, in] or [out]} */
    public long[] shape() {
        return shape.clone();
    }

    /** {@return the number of elements, zeros included} */
    public int count() {
        return count;
    }

    /** {@return the number of elements other than zero} */
    public int nonzeros() {
        return nonzeros;
    }

    /** {@return the share of elements other than zero, 0 to 1} */
    public double density() {
        return count == 0 ? 0 : (double) nonzeros / count;
    }

    /** {@return whether no element is zero} */
    public boolean isDense() {
        return nonzeros == count;
    }

    /** {@return whether the values are those of a codebook} */
    public boolean isCoded() {
        return codes != null && scales == null;
    }

    /** {@return whether the values are words of a codebook times the {@link #scales()} of their groups} */
    public boolean isScaled() {
        return scales != null;
    }

    /**
     * {@return what words are multiplied by}
     *
     * @throws IllegalStateException if the values are not {@linkplain #isScaled() scaled}
     */
    public GroupScales scales() {
        if (scales == null) {
            throw new IllegalStateException(this + " has no scales");
        }
        return scales;
    }

    /**
     * {@return the row-major index of the {@code i}-th element other than zero; ascending in {@code i}}
     *
     * @param i from 0 to {@link #nonzeros} - 1
     */
    public int position(int i) {
        if (positions != null) {
            return positions[i];
        }
        // As many zeros come before it as have no more than i values before them.
        int low = 0;
        int high = zeros.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (zeros[middle] - middle <= i) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return i + low;
    }

    /**
     * {@return the value of the {@code i}-th element other than zero}
     *
     * @param i from 0 to {@link #nonzeros} - 1
     */
    public float value(int i) {
        if (codes == null) {
            return values[i];
        }
        float word = codebook[codes[i] & 0xff];
        return scales == null ? word : word * scales.at(position(i));
    }

    /**
     * {@return the index into the codebook of the {@code i}-th element other than zero}
     *
     * @param i from 0 to {@link #nonzeros} - 1
     */
    public int code(int i) {
        return codes[i] & 0xff;
    }

    /** {@return a copy of the distinct values or, of scaled ones, words, ascending; empty if the values are not coded} */
    public float[] codebook() {
        return codebook == null ? new float[0] : codebook.clone();
    }

    /**
     * {@return the bits of a code of fixed length: 32 without codebook, else the least that tells the entries apart}
     */
    public int bitsPerValue() {
        return codebook == null ? 32 : codebook.length < 2 ? 0 : 32 - Integer.numberOfLeadingZeros(codebook.length - 1);
    }

    /** {@return all elements, zeros included, row-major} */
    public float[] toArray() {
        float[] dense = new float[count];
        copyTo(dense);
        return dense;
    }

    /** {@return the same, not to be changed: the tensor's own array where it keeps just that} */
    public float[] elements() {
        return values != null && values.length == count && zeros != null && zeros.length == 0 ? values : toArray();
    }

    /**
     * Writes all elements, zeros included, row-major.
     *
     * @param into has room for {@link #count}
     */
    public void copyTo(float[] into) {
        if (zeros != null && codes == null) {
            int from = 0;
            for (int i = 0; i <= zeros.length; i++) {
                int end = i < zeros.length ? zeros[i] : count;
                System.arraycopy(values, from - i, into, from, end - from);
                if (end < count) {
                    into[end] = 0;
                }
                from = end + 1;
            }
            return;
        }
        Arrays.fill(into, 0, count, 0);
        for (int i = 0; i < nonzeros; i++) {
            into[position(i)] = value(i);
        }
    }

    /**
     * Writes all elements into a tensor of the same shape.
     *
     * @param into of this tensor's shape
     */
    public void copyTo(FloatTensor into) {
        if (!Arrays.equals(into.shape(), shape)) {
            throw new IllegalArgumentException("cannot unpack shape " + Arrays.toString(shape) + " into " + into);
        }
        into.fill(0);
        for (int i = 0; i < nonzeros; i++) {
            into.set(position(i), value(i));
        }
    }

    @Override
    public String toString() {
        return nonzeros + " of " + Arrays.toString(shape)
                + (codebook == null ? " as floats" : " from " + codebook.length + " values")
                + (scales == null ? "" : " times " + scales.count() + " scales");
    }
}
