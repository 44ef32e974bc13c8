package io.pare.infer;

import io.pare.kernel.SparseKernels;

/** A step of a plan, and the buffers on which it works. */
sealed interface Move permits Move.Single, Move.Pooled, Computed {
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

    /**
     * A convolution and the maximum that alone reads it, channel by channel: its output never lies in memory as a whole.
     * For 16 samples of LeNet-5 that would be 740 KB, more than a second-level cache leaves free.
     *
     * @param plane buffer for one channel of the convolution
     */
    record Pooled(Convolution convolution, Maximum maximum, int from, int plane, int to) implements Move {
        @Override
        public void run(SparseKernels kernels, float[][] memory) {
            for (int c = 0; c < maximum.output().channels(); c++) {
                if (maximum.needs(c)) {
                    convolution.channel(kernels, memory[from], c, memory[plane], 0);
                    maximum.channel(kernels, memory[plane], 0, c, memory[to]);
                }
            }
        }

        @Override
        public String toString() {
            return convolution + "; " + maximum;
        }
    }
}
