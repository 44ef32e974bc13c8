package io.pare.compress.stage;

import io.pare.compress.TrainingOptions;
import io.pare.compress.constraint.Budget;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * One step of a recipe: a record whose components are its keys. Its file holds all of it: name, keys and their
 * defaults, memory, the check before a run, and the run.
 *
 * <p>A new stage of Pare is one class here, its name in {@code permits}, its defaults in the recipes' catalog and a test. A
 * caller brings his own as a {@link Custom}.
 */
public sealed interface Stage
        permits AdmmStage, MaskRetrain, GradualPrune, ObsPrune, ProgressivePrune, QuantizeRetrain, ClusterRetrain,
        Reconstruct, Stage.Custom {
    /** {@return the name under which recipes and saved runs call it} */
    String name();

    /** {@return how the stage trains} */
    TrainingOptions train();

    /** {@return how it trains at all of its times} */
    default Stream<TrainingOptions> trainings() {
        return Stream.of(train());
    }

    /**
     * {@return every pattern of tensor names that its keys hold, in order, by key} Patterns that name no tensor are
     * refused.
     */
    Map<String, List<String>> patterns();

    /**
     * {@return off-heap bytes that its run takes besides the training, without working memory of projections}
     *
     * @param sizes how many elements there are
     * @see Sizes#run
     */
    long memory(Sizes sizes);

    /**
     * {@return what it will do to weights, and the constraints that it will leave them in; brings {@code forecast} to
     * the state after this stage}
     *
     * @param forecast the weights before it
     * @throws RecipeException if it cannot run there, see {@link Forecast#refused}
     */
    Effect check(Forecast forecast);

    /**
     * {@return what to change where this stage breaks what an earlier one made, as the end of a sentence}
     *
     * @param claim what an earlier stage made
     */
    String remedy(Claim claim);

    /** {@return bytes that the network's file may have after the recipe; 0 for any number} */
    default double fileBytes() {
        return 0;
    }

    /** {@return what the network may cost after the stage, besides {@link #fileBytes}} */
    default List<Budget> budgets() {
        return List.of();
    }

    /** {@return whether its run may have ADMM's Z and U, which lie in memory or in a file} */
    default boolean hasAdmm() {
        return false;
    }

    /**
     * {@return a run of this stage on what the stages of a recipe share; the caller closes it}
     *
     * @param context of the recipe's run
     */
    StageRun open(RunContext context);

    /** A stage that a caller brings: a record whose components have a JSON form, so that recipes can set them. */
    non-sealed interface Custom extends Stage {
        @Override
        default String remedy(Claim claim) {
            return Claim.REORDER;
        }

        @Override
        default boolean hasAdmm() {
            return true;
        }
    }
}
