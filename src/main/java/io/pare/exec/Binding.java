package io.pare.exec;

import io.pare.kernel.Bits;
import io.pare.mem.FloatTensor;

/** Gives the memory of parameters by name; both tensors have the parameter's shape. */
public interface Binding {
    FloatTensor value(String parameter);

    /** Where the gradient goes; asked for by training tapes only. Overwritten by each backward pass. */
    FloatTensor gradient(String parameter);

    /** The elements that may differ from zero, or {@code null} for all; only sparse tapes ask. */
    default Bits mask(String parameter) {
        return null;
    }
}
