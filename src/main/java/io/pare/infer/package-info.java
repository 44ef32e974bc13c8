/**
 * Prediction straight from the compressed form: sparse products over positions and codes, in plain Java or SIMD.
 *
 * <p>{@link io.pare.infer.CompressedModel} is the door. It is immutable and thread-safe; a
 * {@link io.pare.infer.Session} is the scratch memory of one thread. It allocates nothing in a
 * prediction, but for views of that memory where operators on tensors of any rank compute. A
 * {@link io.pare.infer.PredictionListener} hears of each.
 *
 * <p>Public. Begin with {@link io.pare.infer.CompressedModel}. The package loads no native library and takes no
 * off-heap memory. The SIMD kernels need the module {@code jdk.incubator.vector}; without it results are the same,
 * slower.
 *
 * <p>May use {@code format.pare}, {@code net}, {@code tensor}, {@code kernel} and {@code mem}.
 */
@NullMarked
package io.pare.infer;

import org.jspecify.annotations.NullMarked;
