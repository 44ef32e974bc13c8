/** Kernels on the Vector API. The only package that mentions jdk.incubator.vector; loaded by name, never linked to. */
package io.pare.kernel.simd;
