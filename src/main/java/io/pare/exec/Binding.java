package io.pare.exec;

import io.pare.kernel.Bits;
import io.pare.mem.FloatTensor;
import org.jspecify.annotations.Nullable;

/** Gives the memory of parameters by name; both tensors have the parameter's shape. */
public interface Binding {
    /**
     * {@return the tensor that steps read, and of a state also write}
     *
     * @param parameter name of an {@link Operation.Parameter} or {@link Operation.State}
     */
    FloatTensor value(String parameter);

    /**
     * {@return where the gradient goes; asked for by training tapes only, overwritten by each backward pass}
     *
     * @param parameter name of an {@link Operation.Parameter}
     */
    FloatTensor gradient(String parameter);

    /**
     * {@return the elements that may differ from zero, or {@code null} for all; only sparse tapes ask}
     *
     * @param parameter name of an {@link Operation.Parameter}
     */
    default @Nullable Bits mask(String parameter) {
        return null;
    }
}
