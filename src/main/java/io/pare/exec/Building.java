package io.pare.exec;

import io.pare.kernel.Bits;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A tape in the making, as its steps see it: memory, values and gradients.
 *
 * <p>Steps call it in their constructor and in {@link Step#prepareBackward()} only; see there for what the order of calls
 * means. While they run they read {@link #pass()}, {@link #labels()} and {@link #mask}.
 */
public interface Building {
    // What the tape is.

    /** Owner of native handles and of memory that no plan covers. */
    Region region();

    /** Samples of a pass. */
    int batch();

    /** Whether there is a backward pass. */
    boolean training();

    /**
     * Whether parameters and states keep the values that they have when the tape is compiled: what a step makes of them
     * it may then make {@link #once}.
     */
    boolean frozen();

    /** How many batches add up to one. */
    int parts();

    /** The pass that runs. */
    Pass pass();

    /** Ints, one for each sample; written before each forward pass. */
    MemorySegment labels();

    /** The mask of a parameter; {@code null} for none. */
    Bits mask(Value parameter);

    /** Reserves {@code count} positions for each part among the random numbers of a pass; returns the first. */
    long takeRandom(long count);

    // Memory.

    /** Memory with undefined content, live until the last step that {@linkplain #uses uses} it. */
    default MemorySegment allocate(long bytes) {
        return allocate(bytes, null);
    }

    /**
     * As {@link #allocate(long)}, in place of {@code replaced} if no later step uses that. The step must be done with an
     * element of {@code replaced} before it writes the same element of the result.
     */
    MemorySegment allocate(long bytes, MemorySegment replaced);

    /** As {@link #allocate(long)}, for floats. */
    default FloatTensor tensor(long... shape) {
        return tensor(null, shape);
    }

    /** As {@link #tensor(long...)}, in place of {@code replaced} as {@link #allocate(long, MemorySegment)} says. */
    default FloatTensor tensor(FloatTensor replaced, long... shape) {
        return new FloatTensor(allocate(FloatTensor.count(shape) * Float.BYTES,
                replaced == null ? null : replaced.segment()), shape);
    }

    /** Memory that keeps its content from pass to pass. */
    MemorySegment keep(long bytes);

    /** Work to be done when all steps are built, before the first pass. */
    void once(Runnable work);

    /** Working memory of the step that is being built, live during its run only. All calls of a step share it. */
    MemorySegment scratch(long bytes);

    /**
     * Marks memory as live at the current build step. Allocation does this already; a step calls it only for forward values
     * that its backward pass reads.
     */
    void uses(MemorySegment used);

    /** As {@link #uses(MemorySegment)}. */
    default void uses(FloatTensor used) {
        uses(used.segment());
    }

    /** Marks a gradient as live from the forward pass of the last step on, which writes it. */
    void writtenByLoss(FloatTensor gradient);

    // Values.

    /** Where the value of an input lies. */
    Buffer value(Value node);

    /** Says where the step writes a value: its own, or that of a reader that it computes as well. */
    void value(Value node, Buffer buffer);

    /** The node's value, row-major. */
    default Source plain(Value node) {
        return value(node).plain(this, node);
    }

    /** Takes row-major memory for the node's value. */
    default FloatTensor allocateValue(Value node) {
        return allocateValue(node, null);
    }

    /** As {@link #allocateValue(Value)}, in place of a value that the step overwrites as it reads. */
    default FloatTensor allocateValue(Value node, FloatTensor replaced) {
        FloatTensor tensor = tensor(replaced, node.shape());
        value(node, new Buffer.Plain(tensor));
        return tensor;
    }

    /** The only reader of the node, if it has no other, which a step may compute as well; else the node itself. */
    Value onlyReader(Value node);

    /** As {@link #onlyReader}, only a ReLU. */
    default Value withRelu(Value node) {
        Value reader = onlyReader(node);
        return reader.op() instanceof Operation.Apply(Op.Relu _) ? reader : node;
    }

    /** Whether only losses read the node: its value is then wanted in fp32. */
    boolean isLogits(Value node);

    // Gradients.

    /** Whether the loss depends on a parameter through the node. */
    boolean needsGradient(Value node);

    /** Row-major memory for the step's contribution to the gradient of an input. */
    default FloatTensor gradientFor(Value input) {
        return gradientFor(input, null);
    }

    /** As {@link #gradientFor(Value)}, in place of a gradient that the step overwrites as it reads. */
    FloatTensor gradientFor(Value input, FloatTensor replaced);

    /** The gradient of a parameter if the step itself adds to what is there; {@code null} if it calls {@link #gradientFor}. */
    FloatTensor gradientSum(Value parameter);

    /** Says where the step writes its contribution to the gradient of an input. */
    void contribute(Value input, Buffer buffer);

    /** All contributions to the gradient of the step's own value. */
    List<Buffer> contributions(Value node);

    /** The gradient of the step's own value, row-major: the sum of all contributions. */
    Source gradient(Value node);
}
