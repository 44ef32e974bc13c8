package io.pare.exec;

import io.pare.dnnl.DnnlMemory;
import io.pare.mem.FloatTensor;

/** Where a node's value, or one contribution to its gradient, lies. */
sealed interface Slot {
    /** Row-major memory. */
    record Plain(FloatTensor tensor) implements Slot {}

    /** Memory in a layout that a oneDNN primitive chose, or of other numbers than 32-bit floats. */
    record Blocked(DnnlMemory memory) implements Slot {}

    /**
     * Samples side by side, {@code [channel, row, column, sample]}.
     *
     * @param read by channel, or feature, whether a remaining weight reads it; those that none reads are garbage. The
     *            reader sets it, in {@link Step#readMasks}
     */
    record SamplesLast(float[] values, boolean[] read) implements Slot {}
}
