/**
 * Whole runs: what the commands of Pare do, for programs that embed it.
 *
 * <p>{@link io.pare.run.DataSets} opens a data set, {@link io.pare.run.TrainingJob} trains a network on it,
 * {@link io.pare.run.CompressionJob} makes it a small file, {@link io.pare.run.Engine} measures that and
 * {@link io.pare.run.PicturePredictor} asks it. {@link io.pare.run.SensitivityScan} says what layers can do without,
 * {@link io.pare.run.ModelRun} what a network gives for tensors. {@link io.pare.run.Sentences} and
 * {@link io.pare.run.SentencePairs} are texts for a sentence encoder.
 *
 * <p>Programs with a loop of their own take the parts: {@link io.pare.run.NetworkTraining} lets a
 * {@link io.pare.compress.recipe.Pipeline} compress a network, {@link io.pare.run.Packing} makes the result's file small,
 * {@link io.pare.run.MemoryFit} keeps a run within a limit. {@link io.pare.run.FileBytes},
 * {@link io.pare.run.MultiplyAdds}, {@link io.pare.run.BitOperations} and {@link io.pare.run.TableCost} say what a network
 * costs, for budgets; {@link io.pare.run.LayerTimes} measures it.
 *
 * <p>Public. Nothing here reads options or prints: notes go to a listener, and what cannot be is a
 * {@link io.pare.run.RunException} that says what to do.
 *
 * <p>May use {@code compress}, {@code compress.constraint}, {@code compress.stage}, {@code compress.recipe},
 * {@code infer}, {@code train}, {@code rewrite}, {@code format}, {@code format.pare}, {@code format.safetensors}, {@code format.npy},
 * {@code format.onnx}, {@code format.tensors}, {@code format.yaml}, {@code text}, {@code descent}, {@code net}, {@code data},
 * {@code exec.backend}, {@code kernel}, {@code natives}, {@code mpi}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.run;

import org.jspecify.annotations.NullMarked;
