/**
 * Kernels on the Vector API.
 *
 * <p>This is the only package that names {@code jdk.incubator.vector}. It is loaded by name and never linked to, so the
 * library starts without that module. No vector crosses a public method: there the JIT would box it.
 *
 * <p>Internal: the rest of the library gets them from {@link io.pare.kernel.KernelProvider}.
 *
 * <p>This package may use {@code io.pare.kernel}, {@code kernel.passes}, {@code mem.direct}, {@code io.pare.mem}, and
 * {@code kernel.scalar} for tails.
 */
package io.pare.kernel.simd;
