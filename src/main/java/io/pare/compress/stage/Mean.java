package io.pare.compress.stage;

import io.pare.descent.RunState;
import io.pare.descent.Snapshot;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Map;

/** A running mean of some live values. Its memory belongs to the region. */
final class Mean {
    private final Snapshot values;
    private long added;

    Mean(Region region, Map<String, FloatTensor> live) {
        this.values = new Snapshot(region, live);
    }

    /** Adds the live values to the mean of those seen so far. */
    void add() {
        added++;
        values.approach(1.0 / added);
    }

    boolean empty() {
        return added == 0;
    }

    /** Changes places with the live values. */
    void swap() {
        values.swap();
    }

    void visit(RunState state) {
        added = state.count("mean.averaged", added);
        values.visit(state, "mean.");
    }
}
