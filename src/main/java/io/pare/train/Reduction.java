package io.pare.train;

import io.pare.exec.backend.Precision;

/**
 * How processes that train together bring their gradients together.
 *
 * @param inOrder whether gradients are summed by rank, so that the same number of ranks gives the same bits; otherwise MPI
 *            chooses the order
 * @param numbers that gradients travel as; sums are of fp32 in any case, by rank for bf16
 */
public record Reduction(boolean inOrder, Precision numbers) {
    /** In fp32, in the order that MPI finds best. */
    public static final Reduction USUAL = new Reduction(false, Precision.FP32);
}
