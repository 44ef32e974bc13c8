/**
 * Lists of stages, and their runs: what a caller of compression begins with.
 *
 * <p>A {@link io.pare.compress.recipe.Recipe} is read from YAML, {@link io.pare.compress.recipe.Compression} builds one in
 * code, {@link io.pare.compress.recipe.Sensitivity} proposes one. {@link io.pare.compress.recipe.RecipeCheck} refuses what
 * cannot end well; a {@link io.pare.compress.recipe.Pipeline} runs the stages, keeps their state on disk and recounts the
 * result.
 *
 * <p>A {@link io.pare.compress.recipe.Catalog} has the stages and constraints that a recipe may name.
 *
 * <p>Public. It knows no network: callers bring a {@link io.pare.compress.Training}.
 *
 * <p>May use {@code compress}, {@code compress.constraint}, {@code compress.stage}, {@code descent}, {@code format.safetensors},
 * {@code kernel}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.compress.recipe;

import org.jspecify.annotations.NullMarked;
