/**
 * Networks as declarations: layers, shapes and parameters, without memory and without code that computes.
 *
 * <p>A {@link io.pare.model.Model} is a list of {@link io.pare.model.Layer}s, each of which computes its output shape from
 * its input shape. {@link io.pare.model.Models} builds the named networks.
 *
 * <p>Public. Everything here is immutable.
 *
 * <p>May use nothing else of Pare.
 */
package io.pare.model;
