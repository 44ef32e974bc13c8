package io.pare.compress;

import io.pare.descent.GradientNorm;
import io.pare.descent.Optimizer;
import io.pare.kernel.Bits;
import io.pare.kernel.Kernels;
import io.pare.kernel.Penalty;
import io.pare.mem.CriticalSection;
import io.pare.mem.FloatTensor;
import io.pare.mem.OneThread;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A training of the caller's own network: tensors, a function that fills their gradients, and a measure of accuracy.
 * The optimiser's steps are Pare's.
 *
 * <p>Reads no data. Of {@link TrainingOptions} it uses optimiser, rate and decay; batch size, dropout, augmentation and
 * distillation are the gradient function's. Owns the memory of gradients and optimiser state;
 * the values are the caller's. One thread at a time: a second one gets {@link IllegalStateException}, as does closing
 * it, or the region of a value, during an epoch.
 */
public final class GradientTraining implements Training, AutoCloseable {
    /** Computes the loss of one batch and its gradients. */
    @FunctionalInterface
    public interface Gradient {
        /**
         * Fills the gradient of every variable.
         *
         * @param batch number of the step since the run began: with it and a seed of your own choose the batch, so
         *            that a resumed run sees the same ones
         * @param variables in the order in which they were added
         * @return mean loss of the batch; like the gradients it must be finite
         */
        double compute(long batch, List<Variable> variables);
    }

    private final Region region;
    private final CriticalSection section;
    private final List<Tensor> tensors = new ArrayList<>();
    private final List<UnitLink> links = new ArrayList<>();
    private final int stepsPerEpoch;
    private final Gradient gradient;
    private final Supplier<Evaluation> evaluation;
    private TrainingOptions options = TrainingOptions.DEFAULTS;
    private long steps;

    /**
     * Makes a training without tensors; add them next.
     *
     * @param stepsPerEpoch batches that count as one epoch
     * @param gradient computes gradients
     * @param evaluation measures the present values on data that is not trained on
     * @throws IllegalArgumentException if an epoch has no step
     */
    public GradientTraining(int stepsPerEpoch, Gradient gradient, Supplier<Evaluation> evaluation) {
        if (stepsPerEpoch < 1) {
            throw new IllegalArgumentException("an epoch needs at least one step, not " + stepsPerEpoch);
        }
        this.stepsPerEpoch = stepsPerEpoch;
        this.gradient = Objects.requireNonNull(gradient, "gradient");
        this.evaluation = Objects.requireNonNull(evaluation, "evaluation");
        this.region = Region.shared("gradient training");
        this.section = new CriticalSection(new OneThread("a gradient training")).on(region);
    }

    /**
     * Adds a tensor that constraints may touch.
     *
     * @param name unique in the training, without pattern characters
     * @param value the live tensor: the caller's, changed in place
     * @return this
     * @throws IllegalArgumentException if there is one of that name; this training is then closed, because a {@code
     *            try} whose resource expression throws would not close it
     */
    public GradientTraining weight(String name, FloatTensor value) {
        return add(name, value, true);
    }

    /**
     * Adds a tensor that is trained and never constrained.
     *
     * @param name unique in the training
     * @param value the live tensor: the caller's, changed in place
     * @return this
     * @throws IllegalArgumentException if there is one of that name; this training is then closed, because a {@code
     *            try} whose resource expression throws would not close it
     */
    public GradientTraining bias(String name, FloatTensor value) {
        return add(name, value, false);
    }

    private GradientTraining add(String name, FloatTensor value, boolean compressible) {
        try (var _ = section.enter()) {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(value, "value");
            if (tensors.stream().anyMatch(tensor -> tensor.name.equals(name))) {
                throw new IllegalArgumentException(
                        "there is a tensor '" + name + "' already: each needs a name of its own");
            }
            tensors.add(new Tensor(name, value, compressible));
        } catch (IllegalArgumentException | NullPointerException | OutOfMemoryError e) {
            close();
            throw e;
        }
        section.on(value.segment());
        return this;
    }

    /**
     * Says how units of one weight tensor feed another, so that dead ones can be removed.
     *
     * @param link by the names of two weight tensors
     * @return this
     */
    public GradientTraining link(UnitLink link) {
        links.add(link);
        return this;
    }

    private final class Tensor implements Variable, Optimizer.Operand {
        private final String name;
        private final FloatTensor value;
        private final FloatTensor gradient;
        private final FloatTensor first;
        private final FloatTensor second;
        private final boolean compressible;
        private @Nullable Penalty penalty;
        private @Nullable Bits mask;

        Tensor(String name, FloatTensor value, boolean compressible) {
            this.name = name;
            this.value = value;
            this.compressible = compressible;
            this.gradient = region.tensor(value.shape());
            this.first = region.tensor(value.shape());
            this.second = region.tensor(value.shape());
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public FloatTensor value() {
            return value;
        }

        @Override
        public FloatTensor gradient() {
            return gradient;
        }

        @Override
        public boolean compressible() {
            return compressible;
        }

        @Override
        public void penalize(@Nullable Penalty term) {
            this.penalty = term;
        }

        @Override
        public void mask(@Nullable Bits kept) {
            this.mask = kept;
        }

        void checkGradient(long batch) {
            if (!Double.isFinite(Kernels.active().sumOfSquares(gradient.segment(), 0, gradient.count()))) {
                for (long i = 0; i < gradient.count(); i++) {
                    checkFinite("the gradient of '" + name + "' at index " + i, gradient.get(i), batch);
                }
            }
        }

        @Override
        public FloatTensor state(int index) {
            return index == 0 ? first : second;
        }

        @Override
        public boolean decays() {
            return compressible;
        }

        @Override
        public @Nullable Penalty penalty() {
            return penalty;
        }

        @Override
        public @Nullable Bits mask() {
            return mask;
        }

        @Override
        public Region.Hold hold() {
            return region.hold().take();
        }
    }

    @Override
    public List<Variable> variables() {
        return List.copyOf(tensors);
    }

    @Override
    public List<UnitLink> links() {
        return List.copyOf(links);
    }

    @Override
    public void begin(TrainingOptions next) {
        options = next;
        steps = 0;
        optimizerState().values().forEach(state -> state.fill(0f));
    }

    @Override
    public Epoch epoch(long epoch, DoubleUnaryOperator rate, StepHook hook) {
        try (var _ = section.enter()) {
            return train(epoch, rate, hook);
        }
    }

    private Epoch train(long epoch, DoubleUnaryOperator rate, StepHook hook) {
        double loss = 0;
        List<Variable> variables = variables();
        for (int step = 0; step < stepsPerEpoch; step++) {
            long batch = epoch * stepsPerEpoch + step;
            double found = gradient.compute(batch, variables);
            checkFinite("the loss", found, batch);
            tensors.forEach(tensor -> tensor.checkGradient(batch));
            loss += found;
            hook.beforeUpdate(step, stepsPerEpoch);
            steps++;
            double now = rate.applyAsDouble((double) step / stepsPerEpoch);
            GradientNorm.clip(tensors, options.descent().clipNorm());
            for (Tensor tensor : tensors) {
                options.descent().optimizer().step(tensor, now, steps);
            }
        }
        return new Epoch(loss / stepsPerEpoch, stepsPerEpoch);
    }

    private static void checkFinite(String what, double value, long batch) {
        if (!Double.isFinite(value)) {
            throw new IllegalStateException(what + " is " + value + " in step " + batch
                    + ", counted from 0: lower the learning rate, or look at what computes it");
        }
    }

    @Override
    public Evaluation validate() {
        return evaluation.get();
    }

    @Override
    public Map<String, FloatTensor> optimizerState() {
        Map<String, FloatTensor> states = new LinkedHashMap<>();
        for (Tensor tensor : tensors) {
            states.put(tensor.name + ".first", tensor.first);
            states.put(tensor.name + ".second", tensor.second);
        }
        return states;
    }

    @Override
    public long optimizerSteps() {
        return steps;
    }

    @Override
    public void optimizerSteps(long taken) {
        this.steps = taken;
    }

    /**
     * Frees gradients and optimiser state; what is closed already stays so.
     *
     * @throws IllegalStateException during an epoch, which goes on
     */
    @Override
    public void close() {
        region.close();
    }
}
