/**
 * Networks as declarations, and their weights: layers, shapes, parameters, tensors without their zeros.
 *
 * <p>A {@link io.pare.net.Model} is a list of {@link io.pare.net.Layer}s, each of which computes its output shape from
 * its input shape. {@link io.pare.net.Models} builds the named networks. {@link io.pare.net.CompressedWeights} is a
 * network with weights as positions and values, the form that all file formats share.
 *
 * <p>Public. Everything here is immutable and thread-safe.
 *
 * <p>May use {@code mem}.
 */
package io.pare.net;
