package io.pare.infer;

import io.pare.kernel.SparseKernels;

/** A step of a plan, and the buffers on which it works. */
sealed interface Move permits Move.Single, Computed {
    void run(SparseKernels kernels, float[][] memory);

    /** A step that reads one buffer and writes one. */
    record Single(PlanStep step, int from, int to) implements Move {
        @Override
        public void run(SparseKernels kernels, float[][] memory) {
            step.run(kernels, memory[from], memory[to]);
        }

        @Override
        public String toString() {
            return step.toString();
        }
    }
}
