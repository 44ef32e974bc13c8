/**
 * The oneDNN backend, in 32-bit floats or bfloat16.
 *
 * <p>{@link io.pare.exec.onednn.OneDnnSteps} makes steps where a primitive is faster than plain Java. {@code Layouts} keeps each
 * value in the layout of the primitive that made it, a {@code BlockedBuffer}, and converts it where a reader wants another.
 * A step also computes a ReLU that is the only reader of its value. On a frozen tape, parameters are converted once, and a
 * convolution also computes an addition and any function of each value.
 *
 * <p>Internal: may change at any time. It needs the native libraries. {@code exec.java} comes behind it and computes the
 * rest.
 *
 * <p>May use {@code exec}, {@code exec.java}, {@code net}, {@code dnnl} and {@code mem}.
 */
package io.pare.exec.onednn;
