package io.pare.exec;

/**
 * A node that is bound to memory: its forward rule and its gradient rule.
 *
 * <p>The order of the calls that build steps is the liveness information. Each build call is one moment, and moments come
 * in the order in which the steps run:
 * <ul>
 * <li>constructors, in topological order, inputs first: the moment of {@link #forward()};
 * <li>{@link #prepareBackward()}, in reverse order: the moment of {@link #backward()}.
 * </ul>
 * Memory is live from the moment in which it is allocated to the last moment in which a step names it. So a step
 * <ul>
 * <li>takes all its memory from {@link Building} in these two calls, and nothing later;
 * <li>reads values and gradients through {@link Building}, which notes the use;
 * <li>calls {@link Building#uses} in {@link #prepareBackward()} for every forward value that {@link #backward()} reads;
 * <li>makes the same calls in the same order each time: a tape is built twice, first to plan its memory.
 * </ul>
 * In {@link #prepareBackward()} all contributions to the gradient of the node's own value are known, since its readers
 * come before it.
 */
public interface Step {
    /** Reads which weights the masks leave. Called in reverse order, readers first. */
    default void readMasks() {}

    /** Computes the node's value from those of its inputs. May run twice in one pass, see {@link Pass#repeating}. */
    void forward();

    /** Takes memory for the gradients that {@link #backward()} writes. */
    void prepareBackward();

    /** Writes the gradient of every input that needs one. */
    void backward();
}
