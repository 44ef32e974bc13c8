package io.pare.net;

/**
 * What the words of a codebook are multiplied by: a scale for each group of neighbours in row-major order. Groups of a row's
 * length give each row its scale.
 *
 * <p>Immutable and thread-safe, as long as nobody changes the array.
 */
public final class GroupScales {
    private final int size;
    private final float[] scales;

    /**
     * Takes over the array.
     *
     * @param size elements of a group, at least 1; the last group may have fewer
     * @param scales of all groups in order, finite and above 0
     */
    public GroupScales(int size, float[] scales) {
        if (size < 1) {
            throw new IllegalArgumentException("a group cannot have " + size + " elements");
        }
        for (float scale : scales) {
            if (!(scale > 0 && scale < Float.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("a scale cannot be " + scale);
            }
        }
        this.size = size;
        this.scales = scales;
    }

    /** {@return the elements of a group} */
    public int size() {
        return size;
    }

    /** {@return how many groups there are} */
    public int count() {
        return scales.length;
    }

    /**
     * {@return the scale of a group}
     *
     * @param group from 0 on
     */
    public float scale(int group) {
        return scales[group];
    }

    /**
     * {@return the scale of the group that an element lies in}
     *
     * @param position its row-major index
     */
    public float at(int position) {
        return scales[position / size];
    }
}
