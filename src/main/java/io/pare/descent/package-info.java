/**
 * What trainings of all kinds share: runs of {@code train}, stages of {@code compress}, and programs that embed Pare.
 *
 * <p>{@link io.pare.descent.Optimizer} says how a gradient becomes a step, {@link io.pare.descent.Schedule} how long steps
 * are, and a {@link io.pare.descent.Descent} is both. {@link io.pare.descent.Update} takes the steps of all tensors.
 * {@link io.pare.descent.Best} keeps the best values by validation. {@link io.pare.descent.RunState} saves a run and takes
 * it back. {@link io.pare.descent.Stop} says when a job stops before it is done.
 *
 * <p>Public. Records are immutable; all else is for one thread at a time.
 *
 * <p>May use {@code format.safetensors}, {@code format.tensors}, {@code kernel},
 * {@code natives}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.descent;

import org.jspecify.annotations.NullMarked;
