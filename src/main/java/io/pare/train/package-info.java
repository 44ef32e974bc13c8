/**
 * Training: {@link io.pare.train.Network} is a model with memory, {@link io.pare.train.Trainer} makes steps, {@link
 * io.pare.train.TrainingRun} makes a whole run of them and {@link io.pare.train.Checkpoint} keeps it.
 *
 * <p>Nothing here knows a constraint: compression hangs a penalty and a mask on each {@link io.pare.train.Weight}.
 *
 * <p>Public. A network, trainer or run is for one thread at a time: a second one gets
 * {@link java.lang.IllegalStateException}.
 *
 * <p>May use {@code descent}, {@code exec.backend}, {@code exec}, {@code net}, {@code data}, {@code format},
 * {@code format.safetensors}, {@code rewrite}, {@code kernel}, {@code mpi}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.train;

import org.jspecify.annotations.NullMarked;
