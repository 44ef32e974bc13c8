package io.pare.compress;

import io.pare.kernel.Bits;
import io.pare.kernel.Penalty;
import io.pare.mem.FloatTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A tensor of a network in training as compression sees it: its memory, and the two things that compression asks of an optimiser's
 * step.
 *
 * <p>The training side owns the memory. One thread at a time.
 */
public interface Variable {
    /** {@return unique among the variables of one training, such as {@code conv1.weight}} */
    String name();

    /** {@return the live values: what is written here is what the next step trains} */
    FloatTensor value();

    /**
     * {@return the gradient of the last backward pass, of the value's shape}
     *
     * @throws IllegalStateException for a statistic that training gathers: it has none
     */
    FloatTensor gradient();

    /** {@return whether constraints may apply to it: weights yes, biases and statistics no} */
    boolean compressible();

    /**
     * Adds ADMM's term to each optimiser step; {@code null} takes it away. The memory outlives its use.
     *
     * @param penalty read by each step, or {@code null}
     */
    void penalize(@Nullable Penalty penalty);

    /**
     * Holds values whose bit is 0 at exactly zero, and their optimiser state too; {@code null} frees them.
     *
     * @param kept a bit for each element, or {@code null}
     */
    void mask(@Nullable Bits kept);

    /**
     * {@return the live values by name, in the order of the variables}
     *
     * @param variables of a training
     */
    static Map<String, FloatTensor> values(List<Variable> variables) {
        Map<String, FloatTensor> values = new LinkedHashMap<>();
        variables.forEach(variable -> values.put(variable.name(), variable.value()));
        return values;
    }
}
