package io.pare.net;

import io.pare.mem.FloatTensor;
import java.util.Arrays;

/**
 * A tensor of which only the values other than zero are kept: where they stand, and what they are.
 *
 * <p>Values come from a codebook when few are distinct (at most {@value #MAX_CODEBOOK}, and each used at least twice on
 * average), otherwise each stands for itself. A tensor without any zero keeps no positions. Immutable and thread-safe;
 * on the heap, so it needs no closing.
 */
public final class CompressedTensor {
    /** Largest codebook. */
    public static final int MAX_CODEBOOK = 256;

    private final long[] shape;
    private final int count;
    private final int nonzeros;
    private final int[] positions;
    private final byte[] codes;
    private final float[] codebook;
    private final float[] values;

    /**
     * Takes over its arguments, which fit together.
     *
     * @param nonzeros number of values other than zero
     * @param positions ascending; {@code null} for a dense tensor
     * @param codes index into the codebook of each value; {@code null} where each stands for itself
     * @param codebook ascending; {@code null} likewise
     * @param values {@code null} where there are codes
     */
    public CompressedTensor(long[] shape, int nonzeros, int[] positions, byte[] codes, float[] codebook,
            float[] values) {
        this.shape = shape;
        this.count = Math.toIntExact(FloatTensor.count(shape));
        this.nonzeros = nonzeros;
        this.positions = nonzeros == count ? null : positions;
        this.codes = codes;
        this.codebook = codebook;
        this.values = values;
    }

    /** Compresses a tensor without loss; -0 becomes 0. Throws {@link IllegalArgumentException} on NaN and infinity. */
    public static CompressedTensor of(FloatTensor tensor) {
        return takingOver(tensor.toArray(), tensor.shape());
    }

    /** Compresses row-major {@code dense} values without loss; -0 becomes 0. NaN and infinity are refused. */
    public static CompressedTensor of(float[] dense, long... shape) {
        return takingOver(dense.clone(), shape);
    }

    /** As {@link #of(float[], long...)}, but may keep the array, which nobody may change any more. */
    public static CompressedTensor takingOver(float[] dense, long... shape) {
        if (FloatTensor.count(shape) != dense.length) {
            throw new IllegalArgumentException("shape " + Arrays.toString(shape) + " does not hold " + dense.length
                    + " values");
        }
        int nonzeros = 0;
        for (int i = 0; i < dense.length; i++) {
            if (!Float.isFinite(dense[i])) {
                throw new IllegalArgumentException("value " + i + " of the tensor is " + dense[i]
                        + ": only finite weights can be compressed");
            }
            nonzeros += dense[i] != 0 ? 1 : 0;
        }
        if (nonzeros == dense.length) {
            return of(shape.clone(), null, dense);
        }
        int[] positions = new int[nonzeros];
        float[] values = new float[nonzeros];
        int at = 0;
        for (int i = 0; i < dense.length; i++) {
            if (dense[i] != 0) {
                positions[at] = i;
                values[at++] = dense[i];
            }
        }
        return of(shape.clone(), positions, values);
    }

    /**
     * Takes values other than zero and their ascending positions, {@code null} if these are all; values that are few get a
     * codebook.
     */
    public static CompressedTensor of(long[] shape, int[] positions, float[] values) {
        int nonzeros = values.length;
        float[] distinct = distinct(values);
        if (distinct.length > MAX_CODEBOOK || distinct.length * 2 > nonzeros && nonzeros > 2) {
            return new CompressedTensor(shape, nonzeros, positions, null, null, values);
        }
        byte[] codes = new byte[nonzeros];
        for (int i = 0; i < nonzeros; i++) {
            codes[i] = (byte) Arrays.binarySearch(distinct, values[i]);
        }
        return new CompressedTensor(shape, nonzeros, positions, codes, distinct, null);
    }

    /** The distinct values in ascending order; stops collecting shortly after {@link #MAX_CODEBOOK}. */
    public static float[] distinct(float[] values) {
        float[] found = new float[MAX_CODEBOOK + 1];
        int size = 0;
        for (float value : values) {
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

    /** Whether both hold equal values, in whatever way. */
    public boolean sameAs(CompressedTensor other) {
        boolean same = Arrays.equals(shape, other.shape) && nonzeros == other.nonzeros;
        for (int i = 0; same && i < nonzeros; i++) {
            same = position(i) == other.position(i) && value(i) == other.value(i);
        }
        return same;
    }

    /** A copy of the shape: OIHW, [out, in] or [out]. */
    public long[] shape() {
        return shape.clone();
    }

    /** Number of elements, zeros included. */
    public int count() {
        return count;
    }

    /** Number of elements other than zero. */
    public int nonzeros() {
        return nonzeros;
    }

    /** Share of elements other than zero, 0 to 1. */
    public double density() {
        return count == 0 ? 0 : (double) nonzeros / count;
    }

    /** Whether no element is zero. */
    public boolean isDense() {
        return nonzeros == count;
    }

    /** Whether the values come from a codebook. */
    public boolean isCoded() {
        return codes != null;
    }

    /** Row-major index of the {@code i}-th element other than zero; ascending in {@code i}. */
    public int position(int i) {
        return positions == null ? i : positions[i];
    }

    /** Value of the {@code i}-th element other than zero. */
    public float value(int i) {
        return codes == null ? values[i] : codebook[codes[i] & 0xff];
    }

    /** Index into the codebook of the {@code i}-th element other than zero. */
    public int code(int i) {
        return codes[i] & 0xff;
    }

    /** A copy of the distinct values, ascending; empty if the values are not coded. */
    public float[] codebook() {
        return codebook == null ? new float[0] : codebook.clone();
    }

    /** Bits of a code of fixed length: 32 without codebook, else the least that tells the entries apart. */
    public int bitsPerValue() {
        return codebook == null ? 32 : codebook.length < 2 ? 0 : 32 - Integer.numberOfLeadingZeros(codebook.length - 1);
    }

    /** All elements, zeros included, row-major. */
    public float[] toArray() {
        float[] dense = new float[count];
        for (int i = 0; i < nonzeros; i++) {
            dense[position(i)] = value(i);
        }
        return dense;
    }

    /** Writes all elements into a tensor of the same shape. */
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
                + (codebook == null ? " as floats" : " from " + codebook.length + " values");
    }
}
