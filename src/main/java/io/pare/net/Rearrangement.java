package io.pare.net;

import java.util.List;

/**
 * Where each value of an output comes from: along each axis of the output, the index along one axis of the input.
 *
 * @param input shape of the input
 * @param order for each axis of the output, that of the input; below 0 where all indices are 0
 * @param indices for each axis of the output, the index in the input for each of its own, or {@link #NOTHING}
 * @param filler the value where an index is {@link #NOTHING}
 */
public record Rearrangement(Shape input, List<Integer> order, List<int[]> indices, float filler) {
    /** An index that stands for no value of the input. */
    public static final int NOTHING = -1;

    /**
     * {@return for each axis of the output and each index, the distance in values from the input's first, or {@link
     * #NOTHING}}
     */
    public int[][] offsets() {
        int[] strides = new int[input.rank()];
        int stride = 1;
        for (int axis = strides.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= input.sizes().get(axis);
        }
        int[][] offsets = new int[order.size()][];
        for (int axis = 0; axis < offsets.length; axis++) {
            int own = order.get(axis) < 0 ? 0 : strides[order.get(axis)];
            offsets[axis] = indices.get(axis).clone();
            for (int i = 0; i < offsets[axis].length; i++) {
                offsets[axis][i] = offsets[axis][i] == NOTHING ? NOTHING : offsets[axis][i] * own;
            }
        }
        return offsets;
    }
}
