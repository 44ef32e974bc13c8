/**
 * How the operators of {@link io.pare.net.TensorOp} compute, forward and backward: plain loops over row-major memory, on
 * heap or off it. Training and inference use the same code.
 *
 * <p>Internal: may change at any time. Its classes are public only because other packages of Pare use them.
 *
 * <p>May use {@code net} and {@code blas}.
 */
package io.pare.tensor;
