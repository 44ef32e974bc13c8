package io.pare.descent;

import io.pare.kernel.Adam;
import io.pare.kernel.Bits;
import io.pare.kernel.Kernels;
import io.pare.kernel.Penalty;
import io.pare.kernel.Sgd;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How a gradient becomes a step. Its state lies in the {@link Operand}s.
 *
 * @param rule of the step
 * @param momentum of {@link Rule#SGD} and {@link Rule#NESTEROV}, in [0, 1)
 * @param decay of weights, at least 0; biases do not decay
 */
public record Optimizer(Rule rule, double momentum, double decay) {
    /** Adam without decay. */
    public static final Optimizer ADAM = new Optimizer(Rule.ADAM, 0.9, 0);

    /** Rule of a step. Adam and AdamW have the usual betas and epsilon. */
    public enum Rule {
        /** Adam; decay goes into the gradient. */
        ADAM,
        /** Adam; decay goes into the weights. */
        ADAMW,
        /** Stochastic gradient descent with momentum; decay goes into the gradient. */
        SGD,
        /** The same with Nesterov's look ahead. */
        NESTEROV;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** {@return whether steps have momentum that is set} */
        public boolean hasMomentum() {
            return this == SGD || this == NESTEROV;
        }
    }

    /** What a step changes, and what it reads. */
    public interface Operand {
        /** {@return the tensor that steps change} */
        FloatTensor value();

        /** {@return the gradient of the value, of its shape} */
        FloatTensor gradient();

        /**
         * {@return the tensor that the optimiser keeps under the {@code index}-th name of {@link #states}, zero at
         * first}
         *
         * @param index from 0
         */
        FloatTensor state(int index);

        /** {@return whether decay touches it} */
        boolean decays();

        /** {@return the ADMM term that a step adds to the gradient; {@code null} for none} */
        @Nullable
        Penalty penalty();

        /** {@return what may differ from zero; {@code null} for all} */
        @Nullable
        Bits mask();

        /**
         * Keeps the memory of all these until it is closed.
         *
         * @return the hold, closed by whoever asked for it
         */
        Region.Hold hold();
    }

    /**
     * {@return AdamW, whose decay does not go through the moments (Loshchilov and Hutter, 1711.05101)}
     *
     * @param decay of weights, at least 0
     */
    public static Optimizer adamW(double decay) {
        return new Optimizer(Rule.ADAMW, 0.9, decay);
    }

    /**
     * {@return stochastic gradient descent}
     *
     * @param momentum in [0, 1)
     * @param decay of weights, at least 0
     */
    public static Optimizer sgd(double momentum, double decay) {
        return new Optimizer(Rule.SGD, momentum, decay);
    }

    /**
     * Names of the tensors that the optimiser keeps for each operand.
     *
     * @return "m" and "v", "velocity", or none
     */
    public List<String> states() {
        return switch (rule) {
            case ADAM, ADAMW -> List.of("m", "v");
            case SGD, NESTEROV -> momentum == 0 ? List.of() : List.of("velocity");
        };
    }

    /**
     * Takes one step, with penalty and mask where the operand has them.
     *
     * @param on changed in place: value and state
     * @param rate learning rate
     * @param step number of the step, from 1
     */
    public void step(Operand on, double rate, long step) {
        step(on, rate, step, 0, on.value().count());
    }

    /**
     * As {@link #step(Operand, double, long)}, for the elements [from, to) alone. Each element's step depends on nothing of
     * the others, so parts give the same bits as the whole, in any order and by any threads.
     *
     * @param from multiple of 8, because a mask's bits lie in bytes
     */
    void step(Operand on, double rate, long step, long from, long to) {
        float decays = on.decays() ? (float) decay : 0;
        try (var _ = on.hold()) {
            switch (rule) {
                case ADAM -> adam(on, decays, false, (float) rate, step, from, to);
                case ADAMW -> adam(on, decays, true, (float) rate, step, from, to);
                case SGD -> sgd(on, decays, false, (float) rate, from, to);
                case NESTEROV -> sgd(on, decays, true, (float) rate, from, to);
            }
        }
    }

    private static void adam(Operand on, float decay, boolean decoupled, float rate, long step, long from, long to) {
        Adam usual = Adam.STANDARD;
        long offset = from * Float.BYTES;
        Kernels.active().adam(new Adam(usual.beta1(), usual.beta2(), usual.epsilon(), decay, decoupled), rate, step,
                on.value().segment(), offset, on.gradient().segment(), offset, on.state(0).segment(), offset,
                on.state(1).segment(), offset, to - from, penalty(on, from), mask(on, from));
    }

    private void sgd(Operand on, float decay, boolean nesterov, float rate, long from, long to) {
        long offset = from * Float.BYTES;
        Kernels.active().sgd(new Sgd((float) momentum, decay, nesterov), rate, on.value().segment(), offset,
                on.gradient().segment(), offset, momentum == 0 ? null : on.state(0).segment(), offset, to - from,
                penalty(on, from), mask(on, from));
    }

    private static @Nullable Penalty penalty(Operand on, long from) {
        return on.penalty() == null ? null : on.penalty().from(from);
    }

    private static @Nullable Bits mask(Operand on, long from) {
        return on.mask() == null ? null : on.mask().from(from);
    }
}
