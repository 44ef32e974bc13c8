package io.pare.compress.stage;

import io.pare.compress.AdmmOptions;

/** A stage of Pare that runs ADMM on all weights at once, see {@link AdmmRun}. */
sealed interface AdmmStage extends Stage permits AdmmPrune, AdmmValues, AdmmJoint, AdmmBudget, AdmmRate, AdmmConstrain {
    @Override
    default long memory(Sizes sizes) {
        return sizes.run(train()) + sizes.admm() + (admm().fisher() ? sizes.fisher() : 0);
    }

    /** How ADMM runs. */
    AdmmOptions admm();

    @Override
    default boolean hasAdmm() {
        return true;
    }
}
