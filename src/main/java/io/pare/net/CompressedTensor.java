package io.pare.net;

import io.pare.mem.FloatTensor;
import java.util.Arrays;
import java.util.Objects;
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
    /** The word of each element, zeros included, where words are whole; null where {@link #codes} say it. */
    private final byte[] levels;
    /** What is made of levels when it is asked for first; threads may make it twice. */
    private Places places;

    /**
     * Where values other than zero are, and which word each is.
     *
     * @param positions null for a dense tensor
     * @param codes index into the codebook
     */
    private record Places(int[] positions, byte[] codes) {}

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
                FloatTensor.count(shape) == nonzeros ? new int[0] : null, codes, codebook, values, null, null);
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
                FloatTensor.count(shape) == codes.length ? new int[0] : null, codes, codebook, null, scales, null);
    }

    /**
     * Takes over its arguments: each value is a whole level times the scale of its group.
     *
     * @param shape sizes of the dimensions, the slowest first
     * @param levels of all elements, zeros included, row-major, each above -128
     * @param scales of the levels
     * @return the tensor, which keeps the levels as they are
     */
    public static CompressedTensor ofLevels(long[] shape, byte[] levels, GroupScales scales) {
        boolean[] found = new boolean[1 << Byte.SIZE];
        int nonzeros = levels.length;
        for (int from = 0; from < levels.length; from += CHUNK) {
            int end = Math.min(levels.length, from + CHUNK);
            nonzeros -= zeros(levels, from, end);
            find(levels, from, end, found);
        }
        if (FloatTensor.count(shape) != levels.length || found[0]) {
            throw new IllegalArgumentException(levels.length + " levels for shape " + Arrays.toString(shape)
                    + (found[0] ? ", and some are below -127" : ""));
        }
        if (nonzeros == 0) {
            return new CompressedTensor(shape, 0, new int[0], null, null, new float[0]);
        }
        float[] words = new float[found.length];
        int size = 0;
        for (int level = Byte.MIN_VALUE; level <= Byte.MAX_VALUE; level++) {
            if (level != 0 && found[level - Byte.MIN_VALUE]) {
                words[size++] = level;
            }
        }
        return new CompressedTensor(shape, nonzeros, null, null, null, Arrays.copyOf(words, size), null, scales,
                levels);
    }

    private static int zeros(byte[] levels, int from, int end) {
        int zeros = 0;
        for (int i = from; i < end; i++) {
            zeros += levels[i] == 0 ? 1 : 0;
        }
        return zeros;
    }

    /** Marks the levels that there are: counts of them would wait for each other. */
    private static void find(byte[] levels, int from, int end, boolean[] found) {
        for (int i = from; i < end; i++) {
            found[levels[i] - Byte.MIN_VALUE] = true;
        }
    }

    private CompressedTensor(long[] shape, int nonzeros, int[] positions, int[] zeros, byte[] codes, float[] codebook,
            float[] values, GroupScales scales, byte[] levels) {
        this.shape = shape;
        this.count = Math.toIntExact(FloatTensor.count(shape));
        this.nonzeros = nonzeros;
        this.positions = positions;
        this.zeros = zeros;
        this.codes = codes;
        this.codebook = codebook;
        this.values = values;
        this.scales = scales;
        this.levels = levels;
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
            return new CompressedTensor(shape, nonzeros, positions, zeros, null, null, values, null, null);
        }
        byte[] codes = new byte[nonzeros];
        for (int i = 0; i < nonzeros; i++) {
            codes[i] = (byte) Arrays.binarySearch(distinct, values[i]);
        }
        return new CompressedTensor(shape, nonzeros, positions, zeros, codes, distinct, null, null, null);
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
        return codebook != null && scales == null;
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
        if (levels != null) {
            return nonzeros == count ? i : places().positions[i];
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
        if (values != null) {
            return values[i];
        }
        float word = codebook[code(i)];
        return scales == null ? word : word * scales.at(position(i));
    }

    /**
     * {@return the index into the codebook of the {@code i}-th element other than zero}
     *
     * @param i from 0 to {@link #nonzeros} - 1
     */
    public int code(int i) {
        return (levels == null ? codes : places().codes)[i] & 0xff;
    }

    private Places places() {
        Places made = places;
        if (made == null) {
            byte[] codeOf = new byte[1 << Byte.SIZE];
            for (int i = 0; i < codebook.length; i++) {
                codeOf[(int) codebook[i] - Byte.MIN_VALUE] = (byte) i;
            }
            made = new Places(nonzeros == count ? null : new int[nonzeros], new byte[nonzeros]);
            int at = 0;
            for (int from = 0; from < count; from += CHUNK) {
                at = collect(levels, from, Math.min(count, from + CHUNK), codeOf, made, at);
            }
            places = made;
        }
        return made;
    }

    private static int collect(byte[] levels, int from, int end, byte[] codeOf, Places into, int before) {
        int at = before;
        for (int i = from; i < end; i++) {
            if (levels[i] != 0) {
                if (into.positions != null) {
                    into.positions[at] = i;
                }
                into.codes[at++] = codeOf[levels[i] - Byte.MIN_VALUE];
            }
        }
        return at;
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
        copyTo(0, count, into, 0);
    }

    /**
     * Writes neighbours, zeros included: such as a row.
     *
     * @param from row-major index of the first
     * @param size how many, with the first at most {@link #count}
     * @param into has room for them
     * @param at place of the first
     */
    public void copyTo(int from, int size, float[] into, int at) {
        Objects.checkFromIndexSize(from, size, count);
        Objects.checkFromIndexSize(at, size, into.length);
        int end = from + size;
        if (levels != null) {
            for (int i = from; i < end;) {
                int group = i / scales.size();
                int next = (int) Math.min(end, (group + 1L) * scales.size());
                scale(levels, i, next, scales.scale(group), into, at - from);
                i = next;
            }
        } else if (zeros != null && codes == null) {
            int k = before(zeros, from);
            for (int i = from; i < end; k++) {
                int next = k < zeros.length ? Math.min(end, zeros[k]) : end;
                System.arraycopy(values, i - k, into, at + i - from, next - i);
                if (next < end) {
                    into[at + next - from] = 0;
                }
                i = next + 1;
            }
        } else {
            Arrays.fill(into, at, at + size, 0);
            int k = positions != null ? before(positions, from) : from - before(zeros, from);
            for (; k < nonzeros && position(k) < end; k++) {
                into[at + position(k) - from] = value(k);
            }
        }
    }

    /** How many of ascending places come before one. */
    private static int before(int[] places, int place) {
        int found = Arrays.binarySearch(places, place);
        return found < 0 ? -found - 1 : found;
    }

    private static void scale(byte[] levels, int from, int end, float scale, float[] into, int shift) {
        for (int i = from; i < end; i++) {
            into[i + shift] = levels[i] * scale;
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
