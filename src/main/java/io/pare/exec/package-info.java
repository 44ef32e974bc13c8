/**
 * The autodiff graph: {@link io.pare.exec.Graph} builds nodes, {@link io.pare.exec.Tape} binds them to memory and runs them.
 *
 * <p>An operation is a record in {@link io.pare.exec.Op}; its forward and gradient rules are one line in the table of
 * {@code Rules}. Nothing here knows a network, a data set or an optimiser.
 *
 * <p>Public for programs that build a graph of their own; {@code train} builds those of a model.
 *
 * <p>May use {@code net}, {@code dnnl}, {@code blas}, {@code kernel} and {@code mem}.
 */
package io.pare.exec;
