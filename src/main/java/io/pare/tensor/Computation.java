package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One operator, made ready for inputs of fixed shapes and any number of samples.
 *
 * <p>Memory is row-major floats. Of an input or output it holds {@code n} samples, one after another, and may hold more; of
 * the operator's tensors, which follow its inputs, the one tensor. Input and output never overlap. Immutable: any number
 * of threads may run it at a time.
 */
public interface Computation {
    /** What the backward pass reads of the forward pass. */
    enum Reads {
        NOTHING, INPUTS, OUTPUT, BOTH
    }

    /** What {@link #backward} reads. */
    Reads reads();

    /** Bytes of working memory for a forward pass over {@code n} samples. */
    default long scratchBytes(int n) {
        return 0;
    }

    /** As {@link #scratchBytes}, for a backward pass. */
    default long backwardScratchBytes(int n) {
        return scratchBytes(n);
    }

    /**
     * Writes the output.
     *
     * @param x the inputs, then the operator's tensors
     */
    void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch);

    /**
     * Writes the gradients of inputs and tensors.
     *
     * @param x as in the forward pass, where {@link #reads} says so
     * @param y the output, where {@link #reads} says so
     * @param dy gradient of the output
     * @param dx for each of {@code x} where its gradient goes, or {@code null} if nobody wants it
     */
    void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch);

    /**
     * The computation of an operator.
     *
     * @param inputs shapes of one sample
     * @throws IllegalArgumentException if the operator does not take them
     */
    static Computation of(TensorOp operator, List<Shape> inputs, Product product) {
        Shape output = operator.output(inputs);
        return switch (operator) {
            case TensorOp.Constant _ -> new Repetition(output);
            case TensorOp.Map op -> new Mapping(op, output);
            case TensorOp.Zip(var function) -> new Combination(function, inputs, output);
            case TensorOp.Choose _ -> new Choice(inputs, output);
            case TensorOp.Reduce op -> new ReductionAlong(op, inputs.getFirst());
            case TensorOp.Softmax op -> new Softmaxes(op, output);
            case TensorOp.Reshape _ -> new Copy(output);
            case TensorOp.Rearranging op -> new Moves(op.of(inputs.getFirst()), output);
            case TensorOp.Join(_, int axis) -> new Joining(axis, inputs);
            case TensorOp.MatMul _ -> new Products(inputs, output, product);
            case TensorOp.Attention op -> new Attention(op, inputs, product);
            case TensorOp.Projection op -> new ProjectionAlong(op, output, product);
            case TensorOp.Embedding op -> new Lookup(op, inputs.getFirst());
            case TensorOp.Gather(int axis) -> new Gathering(axis, inputs);
            case TensorOp.LayerNorm op -> new Normalization(op, output);
            case TensorOp.GroupNorm op -> new Normalization(op, output);
            case TensorOp.PRelu(Shape slope) -> new SlopedRelu(slope, output);
            case TensorOp.ConvTranspose op -> new TransposedConvolution(op, inputs.getFirst(), output, product);
            case TensorOp.Resize op -> new Resizing(op, inputs.getFirst());
            case TensorOp.Recurrent op -> new Recurrence(op, inputs.getFirst(), product);
        };
    }
}
