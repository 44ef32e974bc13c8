/**
 * The steps of a compression: pruning, retraining, choosing values.
 *
 * <p>A {@link io.pare.compress.stage.Stage} says what is to be done, a {@link io.pare.compress.stage.StageRun} does it on
 * what the stages of one run share, a {@link io.pare.compress.stage.RunContext}.
 *
 * <p>Public. Recipes name stages; {@link io.pare.compress.stage.RecipeException} refuses one that cannot run.
 *
 * <p>May use {@code compress}, {@code compress.constraint}, {@code kernel} and {@code mem}.
 */
package io.pare.compress.stage;
