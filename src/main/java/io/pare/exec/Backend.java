package io.pare.exec;

import java.util.List;
import java.util.function.Function;

/**
 * What computes tapes: makers of step factories, in the order in which the factories are asked.
 *
 * @param planned whether values share memory by a plan. If not, everything has memory of its own, and nothing is computed
 *            twice to save memory
 * @param factories each makes the factory of one tape. Together they cover all operations of the graphs that they are for
 */
public record Backend(boolean planned, List<Function<Building, StepFactory>> factories) {
    /** Copies the list. */
    public Backend {
        factories = List.copyOf(factories);
    }
}
