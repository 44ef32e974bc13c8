package io.pare.exec;

import io.pare.mem.FloatTensor;

/**
 * Where a node's value lies, or one contribution to its gradient.
 *
 * <p>Each backend brings a buffer for the layout that it computes in. Steps of other backends read it row-major.
 */
public interface Buffer {
    /**
     * The numbers of {@code node} in row-major memory, for the step that is being built. A conversion takes memory from
     * {@code building} and runs when the source is refreshed.
     */
    Source plain(Building building, Value node);

    /** Row-major memory. */
    record Plain(FloatTensor tensor) implements Buffer {
        @Override
        public Source plain(Building building, Value node) {
            building.uses(tensor);
            return Source.of(tensor);
        }
    }
}
