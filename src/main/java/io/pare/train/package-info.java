/**
 * Training: {@link io.pare.train.Network} is a model with memory, {@link io.pare.train.Trainer} makes steps, {@link
 * io.pare.train.TrainingRun} makes a whole run of them and {@link io.pare.train.Checkpoint} keeps it.
 *
 * <p>Nothing here knows a constraint: compression hangs a penalty and a mask on each {@link io.pare.train.Weight}.
 */
package io.pare.train;
