package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Node;
import io.pare.net.TensorOp;
import io.pare.tensor.Computation;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Any {@link TensorOp} over whole samples that lie one after another, by its {@link Computation}. */
final class Computed implements Move {
    private final String name;
    private final Computation computation;
    private final int n;
    private final List<MemorySegment> tensors = new ArrayList<>();
    private final int[] from;
    private final int to;
    private final int scratch;

    /**
     * @param from buffers of the inputs
     * @param to buffer of the output
     * @param scratch buffer that holds the working memory of {@code computation} for {@code n} samples
     */
    Computed(Node node, Computation computation, CompressedWeights weights, int n, int[] from, int to, int scratch) {
        this.name = node.name();
        this.computation = computation;
        this.n = n;
        this.from = from;
        this.to = to;
        this.scratch = scratch;
        for (var parameter : node.parameters()) {
            CompressedTensor tensor = weights.tensor(parameter.name());
            tensors.add(MemorySegment.ofArray(tensor.toArray()));
        }
    }

    @Override
    public void run(SparseKernels kernels, float[][] memory) {
        MemorySegment[] x = new MemorySegment[from.length + tensors.size()];
        for (int i = 0; i < x.length; i++) {
            x[i] = i < from.length ? MemorySegment.ofArray(memory[from[i]]) : tensors.get(i - from.length);
        }
        computation.forward(n, x, MemorySegment.ofArray(memory[to]), MemorySegment.ofArray(memory[scratch]));
    }

    @Override
    public String toString() {
        return name + ": whole samples";
    }
}
