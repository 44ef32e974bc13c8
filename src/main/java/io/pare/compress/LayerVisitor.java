package io.pare.compress;

import io.pare.mem.FloatTensor;
import java.util.function.Consumer;

/** What sees the layers of a network one after another, see {@link Training#walk}. */
@FunctionalInterface
public interface LayerVisitor {
    /**
     * Sees a layer.
     *
     * @param weights a row for each output; they may be changed
     * @param inputs what the rows are multiplied by
     */
    void layer(Variable weights, Inputs inputs);

    /** Inputs of a layer as rows, valid while it is shown. */
    interface Inputs {
        /** {@return elements of a row, as many as a row of weights has} */
        int width();

        /**
         * Gives all rows, a block at a time.
         *
         * @param block takes rows {@code [n, width]}; it must not change or keep them
         */
        void forEach(Consumer<FloatTensor> block);
    }
}
