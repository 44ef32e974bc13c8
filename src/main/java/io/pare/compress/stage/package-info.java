/**
 * The steps of a compression: pruning, retraining, choosing values, and all of it without training.
 *
 * <p>A {@link io.pare.compress.stage.Stage} is a record in a file of its own: keys, defaults, memory, check and run. Its
 * {@link io.pare.compress.stage.StageRun} works on what the stages of one run share, a
 * {@link io.pare.compress.stage.RunContext}. Before that a {@link io.pare.compress.stage.Forecast} goes through all stages by
 * names and shapes alone, and refuses what cannot end well with a {@link io.pare.compress.stage.RecipeException}.
 *
 * <p>Public. Callers bring stages of their own as {@link io.pare.compress.stage.Stage.Custom}, most with an
 * {@link io.pare.compress.stage.AdmmRun}.
 *
 * <p>May use {@code compress}, {@code compress.constraint}, {@code reconstruct}, {@code descent}, {@code kernel},
 * {@code mpi}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.compress.stage;

import org.jspecify.annotations.NullMarked;
