/**
 * Networks as declarations, and their weights: operators, shapes, parameters, tensors without their zeros.
 *
 * <p>A {@link io.pare.net.Net} is a graph of {@link io.pare.net.Node}s, each an {@link io.pare.net.Op} that takes other
 * nodes' outputs; {@link io.pare.net.NetBuilder} makes it, {@link io.pare.net.Models} the named ones. A network can be
 * asked: shapes, cost and parameters come from the operators, and {@link io.pare.net.Liveness}, links and trunk follow
 * from how they pass units on, their {@link io.pare.net.Flow}. {@link io.pare.net.CompressedWeights} is a network with
 * weights as positions and values, the form that all file formats share.
 *
 * <p>Public. Begin with {@link io.pare.net.NetBuilder} and {@link io.pare.net.CompressedWeights}. Everything here is
 * immutable and thread-safe.
 *
 * <p>May use {@code mem}.
 */
@NullMarked
package io.pare.net;

import org.jspecify.annotations.NullMarked;
