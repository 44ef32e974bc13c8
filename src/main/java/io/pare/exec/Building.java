package io.pare.exec;

import io.pare.kernel.Bits;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tape in the making, as its steps see it: memory, values and gradients.
 *
 * <p>Steps call it in their constructor and in {@link Step#prepareBackward()} only; see there for what the order of calls
 * means. While they run they read {@link #pass()}, {@link #labels()} and {@link #mask}.
 */
public interface Building {
    // What the tape is.

    /** {@return owner of native handles and of memory that no plan covers} */
    Region region();

    /** {@return samples of a pass} */
    int batch();

    /** {@return whether there is a backward pass} */
    boolean training();

    /**
     * {@return whether parameters and states keep the values that they have when the tape is compiled: what a step
     * makes of them it may then make {@link #once}}
     */
    boolean frozen();

    /** {@return how many batches add up to one} */
    int parts();

    /**
     * {@return the processes whose parts of a batch normalisation takes its statistics from; {@code null} for this one's
     * part alone}
     */
    @Nullable
    Together together();

    /** {@return the pass that runs} */
    Pass pass();

    /** {@return ints, one for each sample; written before each forward pass} */
    MemorySegment labels();

    /**
     * {@return the mask of a parameter; {@code null} for none}
     *
     * @param parameter that the step reads
     */
    @Nullable
    Bits mask(Value parameter);

    /**
     * {@return the first of {@code count} positions, reserved for each part, among the random numbers of a pass}
     *
     * @param count random numbers of one part
     */
    long takeRandom(long count);

    // Memory.

    /**
     * {@return memory with undefined content, live until the last step that {@linkplain #uses uses} it}
     *
     * @param bytes size
     */
    default MemorySegment allocate(long bytes) {
        return allocate(bytes, null);
    }

    /**
     * As {@link #allocate(long)}, in place of {@code replaced} if no later step uses that. The step must be done with an
     * element of {@code replaced} before it writes the same element of the result.
     *
     * @param bytes size
     * @param replaced memory that the step reads as it writes, or {@code null}
     * @return the memory
     */
    MemorySegment allocate(long bytes, @Nullable MemorySegment replaced);

    /**
     * As {@link #allocate(long)}, for floats.
     *
     * @param shape of the tensor
     * @return the tensor, of undefined content
     */
    default FloatTensor tensor(long... shape) {
        return tensor(null, shape);
    }

    /**
     * As {@link #tensor(long...)}, in place of {@code replaced} as {@link #allocate(long, MemorySegment)} says.
     *
     * @param replaced tensor that the step reads as it writes, or {@code null}
     * @param shape of the tensor
     * @return the tensor, of undefined content
     */
    default FloatTensor tensor(@Nullable FloatTensor replaced, long... shape) {
        return new FloatTensor(allocate(FloatTensor.count(shape) * Float.BYTES,
                replaced == null ? null : replaced.segment()), shape);
    }

    /**
     * {@return memory that keeps its content from pass to pass}
     *
     * @param bytes size
     */
    MemorySegment keep(long bytes);

    /**
     * Does work when all steps are built, before the first pass.
     *
     * @param work runs once
     */
    void once(Runnable work);

    /**
     * {@return working memory of the step that is being built, live during its run only; all calls of a step share
     * it}
     *
     * @param bytes size
     */
    MemorySegment scratch(long bytes);

    /**
     * Marks memory as live at the current build step. Allocation does this already; a step calls it only for forward values
     * that its backward pass reads.
     *
     * @param used forward memory that the backward pass reads
     */
    void uses(MemorySegment used);

    /**
     * As {@link #uses(MemorySegment)}.
     *
     * @param used forward tensor that the backward pass reads
     */
    default void uses(FloatTensor used) {
        uses(used.segment());
    }

    /**
     * Marks a gradient as live from the forward pass of the last step on, which writes it.
     *
     * @param gradient that the loss writes
     */
    void writtenByLoss(FloatTensor gradient);

    // Values.

    /**
     * {@return where the value of an input lies}
     *
     * @param node an input
     */
    Buffer value(Value node);

    /**
     * Says where the step writes a value: its own, or that of a reader that it computes as well.
     *
     * @param node whose value the step writes
     * @param buffer where it lies
     */
    void value(Value node, Buffer buffer);

    /**
     * {@return the node's value, row-major}
     *
     * @param node an input
     */
    default Source plain(Value node) {
        return value(node).plain(this, node);
    }

    /**
     * Takes row-major memory for the node's value.
     *
     * @param node whose value the step writes
     * @return the memory, which is the node's buffer from now on
     */
    default FloatTensor allocateValue(Value node) {
        return allocateValue(node, null);
    }

    /**
     * As {@link #allocateValue(Value)}, in place of a value that the step overwrites as it reads.
     *
     * @param node whose value the step writes
     * @param replaced value that the step overwrites, or {@code null}
     * @return the memory, which is the node's buffer from now on
     */
    default FloatTensor allocateValue(Value node, @Nullable FloatTensor replaced) {
        FloatTensor tensor = tensor(replaced, node.shape());
        value(node, new Buffer.Plain(tensor));
        return tensor;
    }

    /**
     * {@return the only reader of the node, if it has no other, which a step may compute as well; else the node
     * itself}
     *
     * @param node that is read
     */
    Value onlyReader(Value node);

    /**
     * Finds a ReLU that alone reads the node, as {@link #onlyReader} does.
     *
     * @param node that is read
     * @return the ReLU's node, or the node itself
     */
    default Value withRelu(Value node) {
        Value reader = onlyReader(node);
        return reader.op() instanceof Operation.Apply(Op.Relu _) ? reader : node;
    }

    /**
     * {@return whether only losses read the node: its value is then wanted in fp32}
     *
     * @param node that is read
     */
    boolean isLogits(Value node);

    // Gradients.

    /**
     * {@return whether the loss depends on a parameter through the node}
     *
     * @param node of the graph
     */
    boolean needsGradient(Value node);

    /**
     * {@return row-major memory for the step's contribution to the gradient of an input}
     *
     * @param input of the step's node
     */
    default FloatTensor gradientFor(Value input) {
        return gradientFor(input, null);
    }

    /**
     * As {@link #gradientFor(Value)}, in place of a gradient that the step overwrites as it reads.
     *
     * @param input of the step's node
     * @param replaced gradient that the step overwrites, or {@code null}
     * @return the memory, which is the contribution's from now on
     */
    FloatTensor gradientFor(Value input, @Nullable FloatTensor replaced);

    /**
     * {@return the gradient of a parameter if the step itself adds to what is there; {@code null} if it calls {@link
     * #gradientFor}}
     *
     * @param parameter of the step's node
     */
    @Nullable
    FloatTensor gradientSum(Value parameter);

    /**
     * Says where the step writes its contribution to the gradient of an input.
     *
     * @param input of the step's node
     * @param buffer where the contribution lies
     */
    void contribute(Value input, Buffer buffer);

    /**
     * {@return all contributions to the gradient of the step's own value}
     *
     * @param node the step's own
     */
    List<Buffer> contributions(Value node);

    /**
     * {@return the gradient of the step's own value, row-major: the sum of all contributions}
     *
     * @param node the step's own
     */
    Source gradient(Value node);
}
