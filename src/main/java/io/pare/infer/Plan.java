package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Liveness;
import java.util.List;

/**
 * A network made ready to run on {@code n} samples at a time: offsets instead of positions, values instead of codes,
 * activations folded into the layers before them. Immutable; {@link Planner} makes it.
 *
 * <p>The samples of a batch lie side by side: the value of pixel (c, y, x) of sample s is at {@code (c * plane + y * row
 * + x) * n + s}. So a weight of a batch meets a contiguous range. With one sample, all rows of a convolution's plane
 * are computed in one go; the few columns between them belong to no output.
 */
final class Plan {
    /**
     * Density above which a linear layer on one sample runs over whole rows. In InferLayerBench the time by weights is
     * that of whole rows at a density of 0.16 (20.6 and 22.7 us at 0.15, 27.9 and 23.4 us at 0.20).
     */
    static final double DENSE_LINEAR = 0.16;

    private final int n;
    private final Move[] moves;
    private final List<String> owners;
    private final Value output;
    private final int buffers;
    private final int bufferFloats;

    /**
     * Where values lie: how, and in which buffer.
     *
     * @param apart whether samples lie one after another, not side by side
     */
    record Value(Layout layout, int buffer, boolean apart) {
        Value(Layout layout, int buffer) {
            this(layout, buffer, false);
        }
    }

    /** @param owners for each move the node whose step it belongs to */
    Plan(int n, List<Move> moves, List<String> owners, Value output, int buffers, int bufferFloats) {
        this.n = n;
        this.moves = moves.toArray(Move[]::new);
        this.owners = List.copyOf(owners);
        this.output = output;
        this.buffers = buffers;
        this.bufferFloats = bufferFloats;
    }

    /**
     * Plans for {@code n} samples at a time; {@link IllegalArgumentException} if they have too many values.
     *
     * @param needed units of each node's output that are used, see {@link Liveness#of}
     */
    static Plan of(CompressedWeights weights, boolean[][] needed, int n) {
        return new Planner(weights, needed, n).plan();
    }

    static boolean isDense(CompressedTensor weight) {
        return weight.density() > DENSE_LINEAR;
    }

    int samples() {
        return n;
    }

    /** Number of buffers that a session needs. */
    int buffers() {
        return buffers;
    }

    /** Floats that each buffer needs. */
    int bufferFloats() {
        return bufferFloats;
    }

    /** Bytes of all buffers together. */
    long bufferBytes() {
        return (long) Float.BYTES * buffers * bufferFloats;
    }

    /** Runs all steps; the input lies in the first buffer. Returns the buffer in which the output lies. */
    float[] run(SparseKernels kernels, float[][] memory) {
        for (int i = 0; i < moves.length; i++) {
            moves[i].run(kernels, memory);
        }
        return memory[output.buffer()];
    }

    /** As {@link #run(SparseKernels, float[][])}, and tells the nanoseconds of each step. */
    float[] run(SparseKernels kernels, float[][] memory, long[] spent) {
        long before = System.nanoTime();
        for (int i = 0; i < moves.length; i++) {
            moves[i].run(kernels, memory);
            long after = System.nanoTime();
            spent[i] = after - before;
            before = after;
        }
        return memory[output.buffer()];
    }

    /** For each step the node that it belongs to; others are computed with it. */
    List<String> owners() {
        return owners;
    }

    /** Offset, in pixels, of output {@code index}. */
    int outputAt(int index) {
        return output.layout().at(index);
    }

    /** One line for each step: how it runs. */
    List<String> describe() {
        return List.of(moves).stream().map(Move::toString).toList();
    }
}
