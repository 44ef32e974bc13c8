/**
 * Plain Java implementations of all kernels.
 *
 * <p>They run where the Vector API is absent, finish the tails of the SIMD loops, and are what tests compare those
 * with. They give the same bits as the SIMD ones wherever {@link io.pare.kernel.Kernels} and the passes promise it.
 *
 * <p>Internal: the rest of the library gets them from {@link io.pare.kernel.KernelProvider}.
 *
 * <p>This package may use {@code io.pare.kernel}, {@code kernel.passes} and {@code io.pare.mem}. It must not use
 * {@code kernel.simd}.
 */
package io.pare.kernel.scalar;
