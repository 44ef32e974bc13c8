/**
 * The sparse backend: steps that multiply only the weights that masks leave, forward and backward.
 *
 * <p>{@link io.pare.exec.sparse.SparseSteps} covers chains of simple layers and refuses others. Values are {@code SamplesLast}
 * buffers: heap arrays {@code [channel, row, column, sample]}, outside the tape's plan of memory.
 *
 * <p>Internal: may change at any time. {@code exec.java} comes behind it and computes the loss.
 *
 * <p>May use {@code exec}, {@code net}, {@code kernel} and {@code mem}.
 */
package io.pare.exec.sparse;
