package io.pare.exec;

import io.pare.mem.FloatTensor;

/**
 * Where a node's value lies, or one contribution to its gradient.
 *
 * <p>Each backend brings a buffer for the layout that it computes in. Steps of other backends read it row-major.
 */
public interface Buffer {
    /**
     * {@return the numbers of {@code node} in row-major memory, for the step that is being built; a conversion takes
     * memory from {@code building} and runs when the source is refreshed}
     *
     * @param building notes what the step uses
     * @param node whose value or gradient lies here
     */
    Source plain(Building building, Value node);

    /**
     * Row-major memory.
     *
     * @param tensor the memory
     */
    record Plain(FloatTensor tensor) implements Buffer {
        @Override
        public Source plain(Building building, Value node) {
            building.uses(tensor);
            return Source.of(tensor);
        }
    }
}
