package io.pare.graph;

import io.pare.dnnl.DnnlMemory;
import io.pare.mem.FloatTensor;

/** Where a node's value, or one contribution to its gradient, lies. */
sealed interface Slot {
    /** Row-major memory. */
    record Plain(FloatTensor tensor) implements Slot {}

    /** Memory in a layout that a oneDNN primitive chose. */
    record Blocked(DnnlMemory memory) implements Slot {}
}
