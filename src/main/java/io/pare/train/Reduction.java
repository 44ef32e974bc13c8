package io.pare.train;

import io.pare.exec.backend.Precision;

/**
 * How processes that train together bring their gradients together.
 *
 * @param inOrder whether gradients are summed by rank, so that the same number of ranks gives the same bits; otherwise MPI
 *            chooses the order
 * @param numbers that gradients travel as; sums are of fp32 in any case, by rank for bf16
 * @param statistics whether batch normalisation takes its statistics from the parts of all processes, as one process does with the
 *            whole batch; otherwise from each part
 */
public record Reduction(boolean inOrder, Precision numbers, boolean statistics) {
    /** In fp32, in the order that MPI finds best. */
    public static final Reduction USUAL = new Reduction(false, Precision.FP32);

    /**
     * With statistics of each part.
     *
     * @param inOrder whether gradients are summed by rank
     * @param numbers that gradients travel as
     */
    public Reduction(boolean inOrder, Precision numbers) {
        this(inOrder, numbers, false);
    }
}
