package io.pare.infer;

import io.pare.kernel.SparseKernels;

/** One operator, ready to run from one buffer into another. */
abstract sealed class PlanStep permits Activation, Compaction, Convolution, FullyConnected, Maximum, Mean,
        Normalization, Pad, Placement, Response, SampleOrder, Subsampling, Sum {
    private final Layout output;

    PlanStep(Layout output) {
        this.output = output;
    }

    final Layout output() {
        return output;
    }

    /** Whether it writes where it reads. */
    boolean inPlace() {
        return false;
    }

    abstract void run(SparseKernels kernels, float[] in, float[] out);
}
