package io.pare.exec;

/**
 * A node that is bound to memory: its forward rule and its gradient rule.
 *
 * <p>A step is built in topological order, {@link #prepareBackward()} is called in reverse order, so that whoever reads
 * a value has already said into which memory it writes that value's gradient. Nothing may be allocated after that.
 */
interface Step {
    /** Takes note of which weights masks leave; called in reverse order, readers first. */
    default void readMasks() {}

    /** Computes the node's value from those of its inputs; in one pass perhaps twice, see {@link Segments}. */
    void forward();

    /** Chooses memory for the gradients that {@link #backward()} writes. */
    void prepareBackward();

    /** Writes the gradient of every input that needs one. */
    void backward();
}
