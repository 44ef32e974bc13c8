package io.pare.train;

import io.pare.descent.Optimizer;
import io.pare.kernel.Bits;
import io.pare.kernel.Kernels;
import io.pare.kernel.Penalty;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Parameter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A parameter in training: value, gradient, the optimiser's state, and what compression asks of the optimiser's step.
 *
 * <p>A statistic, which no optimiser trains, has a value only.
 */
public final class Weight implements Optimizer.Operand {
    private final Parameter parameter;
    private final FloatTensor value;
    private final Region region;
    private @Nullable FloatTensor gradient;
    private final List<FloatTensor> states = new ArrayList<>();
    private @Nullable Penalty penalty;
    private @Nullable Bits mask;
    private long masked;

    Weight(Parameter parameter, Region region) {
        this.parameter = parameter;
        this.value = region.tensor(parameter.shape());
        this.region = region;
    }

    /** {@return its name in the model and in files} */
    public String name() {
        return parameter.name();
    }

    /** {@return its shape and kind} */
    public Parameter parameter() {
        return parameter;
    }

    @Override
    public FloatTensor value() {
        return value;
    }

    /**
     * The gradient of the last backward pass. The first call takes its memory, so that networks that are only run have
     * none.
     *
     * @throws IllegalStateException if it is not trained: for a statistic or a constant
     */
    @Override
    public FloatTensor gradient() {
        if (gradient == null) {
            if (!parameter.trained()) {
                throw new IllegalStateException(parameter.name() + " is not trained: it has no gradient");
            }
            gradient = region.tensor(parameter.shape());
        }
        return gradient;
    }

    /** Puts the gradient into memory that the caller has, before anything has asked for it. */
    void gradient(FloatTensor given) {
        if (gradient != null) {
            throw new IllegalStateException("the gradient of " + name() + " has memory already");
        }
        gradient = given;
    }

    /** Whether weight decay touches it: weights do, biases do not. */
    @Override
    public boolean decays() {
        return parameter.weight();
    }

    /** The {@code index}-th tensor of the optimiser's state. A statistic has none. */
    @Override
    public FloatTensor state(int index) {
        return states.get(index);
    }

    /** {@return the tensors of the optimiser's state, which live as long as the network} */
    public List<FloatTensor> states() {
        return List.copyOf(states);
    }

    /**
     * {@return the names of the tensors of an optimiser's state for it; none for a statistic}
     *
     * @param optimizer that has them
     */
    public List<String> stateNames(Optimizer optimizer) {
        return parameter.trained() ? optimizer.states() : List.of();
    }

    /** Takes memory for the optimiser's state, zeroed; memory that is there is used again. */
    void prepare(Optimizer optimizer) {
        while (states.size() < stateNames(optimizer).size()) {
            states.add(region.tensor(parameter.shape()));
        }
        for (FloatTensor state : states) {
            state.fill(0f);
        }
    }

    /** The ADMM term that each step adds to the gradient; {@code null} for none. */
    @Override
    public @Nullable Penalty penalty() {
        return penalty;
    }

    /**
     * Sets or, with {@code null}, takes away the ADMM term. Its memory must outlive its use.
     *
     * @param term read by each step, or {@code null}
     */
    public void penalize(@Nullable Penalty term) {
        this.penalty = term;
    }

    /** The weights that may differ from zero; {@code null} for all. */
    @Override
    public @Nullable Bits mask() {
        return mask;
    }

    /**
     * Sets or, with {@code null}, takes away the mask. Its memory must outlive its use and not change.
     *
     * <p>The value and the optimiser's state become zero where the mask is; steps then leave them alone.
     *
     * @param kept a bit for each element, or {@code null}
     */
    public void mask(@Nullable Bits kept) {
        this.mask = kept;
        this.masked = 0;
        if (kept == null) {
            return;
        }
        for (long i = 0; i < value.count(); i++) {
            if (kept.get(i)) {
                masked++;
            }
        }
        try (var _ = hold()) {
            Kernels.active().applyMask(kept, value.segment(), 0, value.count());
            for (FloatTensor state : states) {
                Kernels.active().applyMask(kept, state.segment(), 0, state.count());
            }
        }
    }

    /** Keeps the memory of value, gradient and state until it is closed. */
    @Override
    public Region.Hold hold() {
        return region.hold().take();
    }

    /** Masks what is zero and, as the optimiser's state shows, was never moved. The mask lies in the network's memory. */
    void keepZeros() {
        MemorySegment bits = region.allocate(Bits.bytes(value.count()));
        for (long i = 0; i < value.count(); i++) {
            long at = i;
            if (value.get(at) != 0 || states.stream().anyMatch(state -> state.get(at) != 0)) {
                byte octet = bits.get(ValueLayout.JAVA_BYTE, i / Byte.SIZE);
                bits.set(ValueLayout.JAVA_BYTE, i / Byte.SIZE, (byte) (octet | 1 << i % Byte.SIZE));
            }
        }
        mask(new Bits(bits, 0));
    }

    /** How many elements the mask leaves; 0 without one. */
    long masked() {
        return masked;
    }

    @Override
    public String toString() {
        return name() + " " + value;
    }
}
