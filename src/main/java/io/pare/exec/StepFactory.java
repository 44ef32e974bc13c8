package io.pare.exec;

import java.util.Optional;

/**
 * Makes the steps of one tape, for the values that it covers.
 *
 * <p>The factories of a {@link Backend} are asked in order, and the first that has a step makes it.
 */
public interface StepFactory {
    /**
     * {@return the step that computes a value, or empty if another factory must make it; before it returns, the step
     * has given {@link Building#value(Value, Buffer) the value} its buffer, and a refusal must leave nothing behind
     * in the building}
     *
     * @param node the value
     */
    Optional<Step> step(Value node);

    /** {@return how many layout conversions the steps made so far run in one pass, at most} */
    default int reorders() {
        return 0;
    }
}
