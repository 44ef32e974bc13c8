package io.pare.exec;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a tape is to compute, and how.
 *
 * @param order the values to compute, inputs before users, the wanted one at the end
 * @param training whether there is a backward pass
 * @param frozen whether parameters keep the values that they have when the tape is compiled
 * @param parts of a batch, one for each pass
 * @param adds whether passes of the tape add their gradients to those that are there
 * @param together the processes that batch normalisation has its statistics from; {@code null} for this one alone
 */
record Goal(List<Value> order, boolean training, boolean frozen, Backend backend, int parts, boolean adds,
        @Nullable Together together) {
    static Goal of(Value root, boolean training, Backend backend, int parts) {
        return of(root, training, backend, new Parts(parts, parts > 1));
    }

    static Goal of(Value root, boolean training, Backend backend, Parts parts) {
        return new Goal(root.order(), training, false, backend, parts.count(), parts.adds(),
                parts.together());
    }

    /** Forward passes on parameters that never change. */
    static Goal frozen(Value root, Backend backend) {
        return new Goal(root.order(), false, true, backend, 1, false, null);
    }

    Value root() {
        return order.getLast();
    }

    /** Samples of a pass. */
    int batch() {
        return order.stream().filter(node -> node.op() instanceof Operation.Input).mapToInt(node -> node.size(0))
                .findFirst()
                // Of a graph that seeks its inputs, what the loss takes has as many rows.
                .orElse(training ? root().input(0).size(0) : 0);
    }
}
