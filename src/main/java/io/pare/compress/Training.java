package io.pare.compress;

import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Cost;
import io.pare.mem.FloatTensor;
import io.pare.mpi.Ranks;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The training that compression steers: it knows networks, data and optimisers, compression knows tensors.
 *
 * <p>Everything random in an epoch (order, augmentation, dropout) must follow from a fixed seed and the epoch's number
 * alone. With that, values, optimiser state and the number of steps are the whole state, and a run that is resumed
 * gives the same bits. One thread at a time.
 */
public interface Training {
    /** {@return all tensors that training changes, biases and running statistics too, in a fixed order} */
    List<Variable> variables();

    /**
     * Begins a stage: zeroes the optimiser's state and takes over batch size, optimiser, dropout, augmentation and
     * distillation. Penalties and masks stay.
     *
     * @param options of the stage
     */
    void begin(TrainingOptions options);

    /**
     * Trains for one pass over the training data.
     *
     * @param epoch number of the epoch since the run began; with the seed it fixes everything random
     * @param rate learning rate by the share of the epoch that is done, in [0, 1)
     * @param hook runs in each step between backward pass and update
     * @return mean loss and score of the epoch
     */
    Epoch epoch(long epoch, DoubleUnaryOperator rate, StepHook hook);

    /** {@return accuracy and loss on validation data, which training never sees; no augmentation, no dropout} */
    Evaluation validate();

    /**
     * {@return the optimiser's live tensors by a name that is unique and stable, in a fixed order; valid after {@link
     * #begin}}
     */
    Map<String, FloatTensor> optimizerState();

    /** {@return optimiser steps since {@link #begin}} */
    long optimizerSteps();

    /**
     * Sets the number of steps, when a run is resumed.
     *
     * @param steps before the next one
     */
    void optimizerSteps(long steps);

    /** {@return the processes that train together, of which this is one} */
    default Ranks ranks() {
        return Ranks.alone();
    }

    /**
     * Says whether {@link #ranks} train apart from the next {@link #begin} on: each then takes steps by the gradients of its
     * own part of every batch, and has weights of its own. One process changes nothing.
     *
     * @param each whether each trains for itself
     */
    default void apart(boolean each) {}

    /** {@return whether there is a network to distil from} Without one, stages that distil are refused. */
    default boolean hasTeacher() {
        return true;
    }

    /**
     * {@return how units of one tensor feed columns of another, for the removal of dead units; empty if not known}
     */
    default List<UnitLink> links() {
        return List.of();
    }

    /** {@return the units that go together, for the removal of whole ones; {@code null} if not known} */
    default @Nullable TensorGroups groups() {
        return null;
    }

    /** Gathers the running statistics of normalisations anew, for weights that changed at once. */
    default void recalibrate() {}

    /**
     * {@return whether outputs depend on inputs where no signal passes those weight tensors, as where a branch goes
     * round them; false if not known}
     *
     * @param weights names of weight tensors
     */
    default boolean leadsPast(Set<String> weights) {
        return false;
    }

    /**
     * {@return the weight tensor whose units are the network's outputs, in classification the classes; {@code null}
     * if not known}
     */
    default @Nullable String output() {
        return null;
    }

    /**
     * {@return what the network gives for the first of the validation data, or what of that counts, one sample after another: the
     * same samples in each call; {@code null} if not known}
     */
    default float @Nullable [] outputs() {
        return null;
    }

    /**
     * {@return what the network costs in the unit of a budget; {@code null} if not known}
     *
     * @param quantity that is bounded
     */
    default @Nullable Cost cost(Budget.Quantity quantity) {
        return switch (quantity) {
            case FILE_BYTES -> fileBytes();
            case WEIGHT_BYTES -> Cost.WEIGHT_DATA;
            case LATENCY, ENERGY, MACS, BOPS -> null;
        };
    }

    /** {@return what the network costs as a stored file; {@code null} if not known} */
    default @Nullable Cost fileBytes() {
        return null;
    }

    /** {@return the weights that {@link #walk} shows, in its order; none where a training shows no inputs} */
    default List<Variable> layers() {
        return List.of();
    }

    /**
     * {@return how often the training data look up each row of a table of embeddings; {@code null} if that is none, or it is
     * not known}
     *
     * @param samples of the training data at most, as of {@link #walk}
     * @param table weights
     */
    default long @Nullable [] lookups(int samples, Variable table) {
        return null;
    }

    /**
     * Takes samples through the network and shows each layer that multiplies rows of inputs by its weights. No label is
     * looked at.
     *
     * @param samples of the training data at most, the same in each call; 0 for all
     * @param sequential whether layers take what those before them give as the visitor has left them; otherwise what they
     *            gave before
     * @param visitor sees the layers of {@link #layers}
     */
    default void walk(int samples, boolean sequential, LayerVisitor visitor) {
        throw new IllegalStateException("this training does not show what its layers take");
    }

    /**
     * What one epoch measured.
     *
     * @param loss mean training loss
     * @param samples samples trained on
     */
    record Epoch(double loss, long samples) {}

    /**
     * What an epoch or an evaluation measured.
     *
     * @param accuracy share of samples whose class is right, in [0, 1]; of other tasks any score that is higher the
     *            better
     * @param loss mean loss, of classification the cross-entropy in nats
     */
    record Evaluation(double accuracy, double loss) {}
}
