/**
 * Numeric kernels over memory: elementwise and optimiser steps, loops of sparse layers, and the projections of ADMM.
 *
 * <p>Public. Begin with {@link io.pare.kernel.Projections}. The doors:
 *
 * <ul>
 * <li>{@link io.pare.kernel.Kernels}: elementwise, reduction and optimiser steps over off-heap floats;
 * <li>{@link io.pare.kernel.SparseKernels}: inner loops of sparse layers over heap arrays;
 * <li>{@link io.pare.kernel.MatrixKernels}: products with packed matrices, over heap arrays;
 * <li>{@link io.pare.kernel.Projections}: top-k, codebooks, quantisation levels and both together;
 * <li>{@link io.pare.kernel.KernelProvider}: which implementation runs, and why.
 * </ul>
 *
 * <p>{@code kernel.passes} has the loops of the projections as interfaces, {@code kernel.simd} and {@code kernel.scalar}
 * have all loops twice. These packages are internal: nothing outside this one may use them.
 *
 * <p>Off-heap calls take (memory segment, byte offset, count); no class here knows a tensor. Segments must be native
 * (off-heap) or mapped, offsets must be multiples of four, numbers are little-endian. Loops go by address, as native
 * code does, but every call checks its ranges first and keeps their arenas open until it returns.
 *
 * <p>This package uses {@code io.pare.mem}, {@code mem.direct} and the JDK, nothing else. Only
 * {@link io.pare.kernel.KernelProvider} knows the implementations; it loads the SIMD ones by name, because they need a
 * module that may be absent.
 */
@NullMarked
package io.pare.kernel;

import org.jspecify.annotations.NullMarked;
