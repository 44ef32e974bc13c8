package io.pare.compress.stage;

/** A stage of Pare that runs ADMM on all weights at once, see {@link AdmmRun}. */
sealed interface AdmmStage extends Stage permits AdmmPrune, AdmmValues, AdmmJoint, AdmmBudget, AdmmConstrain {
    @Override
    default long memory(Sizes sizes) {
        return sizes.run(train()) + sizes.admm();
    }

    @Override
    default boolean hasAdmm() {
        return true;
    }
}
