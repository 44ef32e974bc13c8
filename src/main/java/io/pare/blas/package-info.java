/**
 * Matrix products over off-heap memory: OpenBLAS, oneDNN, and a plain Java twin; {@link io.pare.blas.Gemm} chooses. Factors of
 * symmetric matrices, by OpenBLAS or in plain Java: {@link io.pare.blas.LapackProvider}.
 *
 * <p>Internal: may change at any time. Its classes are public only because other packages of Pare use them.
 *
 * <p>May use {@code dnnl}, {@code natives}, {@code ffm.cblas}, {@code ffm.lapacke} and {@code mem}.
 */
package io.pare.blas;
