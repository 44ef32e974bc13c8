package io.pare.train;

import io.pare.kernel.Adam;
import io.pare.kernel.Kernels;
import io.pare.kernel.Sgd;
import io.pare.mem.FloatTensor;
import java.util.List;

/** How a gradient becomes a step. The state lies in the {@link Weight}s, so an optimiser itself is immutable. */
public sealed interface Optimizer {
    /** Names of the tensors that the optimiser keeps for each weight. */
    List<String> states();

    /**
     * Takes one step on one weight, with its penalty and its mask if it has them. Decay touches weights, not biases.
     *
     * @param step number of the step, from 1
     */
    void step(Weight weight, double rate, long step);

    /** Gradient descent with momentum; {@code decay} is the coupled L2 decay. */
    record Momentum(float momentum, float decay, boolean nesterov) implements Optimizer {
        @Override
        public List<String> states() {
            return momentum == 0 ? List.of() : List.of("velocity");
        }

        @Override
        public void step(Weight weight, double rate, long step) {
            FloatTensor value = weight.value();
            try (var _ = weight.hold()) {
                Kernels.active().sgd(new Sgd(momentum, weight.decays() ? decay : 0, nesterov), (float) rate,
                        value.segment(), 0, weight.gradient().segment(), 0,
                        momentum == 0 ? null : weight.state(0).segment(), 0, value.count(), weight.penalty(),
                        weight.mask());
            }
        }
    }

    /** Adam or, where {@code decoupled}, AdamW, with the usual betas and epsilon. */
    record Adaptive(float decay, boolean decoupled) implements Optimizer {
        @Override
        public List<String> states() {
            return List.of("m", "v");
        }

        @Override
        public void step(Weight weight, double rate, long step) {
            FloatTensor value = weight.value();
            Adam usual = Adam.STANDARD;
            try (var _ = weight.hold()) {
                Kernels.active().adam(
                        new Adam(usual.beta1(), usual.beta2(), usual.epsilon(), weight.decays() ? decay : 0, decoupled),
                        (float) rate, step, value.segment(), 0, weight.gradient().segment(), 0,
                        weight.state(0).segment(), 0, weight.state(1).segment(), 0, value.count(), weight.penalty(),
                        weight.mask());
            }
        }
    }
}
