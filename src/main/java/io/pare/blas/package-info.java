/** Matrix products over off-heap memory: OpenBLAS, oneDNN, and a plain Java twin; {@link io.pare.blas.Gemm} chooses. */
package io.pare.blas;
