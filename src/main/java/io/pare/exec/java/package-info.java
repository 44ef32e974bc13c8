/**
 * The plain Java backend: one step class for each operation, on row-major memory.
 *
 * <p>{@link io.pare.exec.java.JavaSteps} covers all of {@link io.pare.exec.Operation} and {@link io.pare.net.Op} by switches
 * without a default: the compiler names the line that a new operator needs. The step computes value and gradients; its
 * loops are {@code Kernels}, {@code Gemm} or, for images, the {@code Plain} classes, which are the oracle of oneDNN.
 *
 * <p>Internal: may change at any time. Other backends end in this factory: {@code JavaSteps} and {@code LinearStep} are
 * public for them.
 *
 * <p>May use {@code exec}, {@code net}, {@code tensor}, {@code blas}, {@code kernel} and {@code mem}.
 */
package io.pare.exec.java;
