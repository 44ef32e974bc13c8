package io.pare.exec.onednn;

import io.pare.dnnl.DnnlMemory;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;

/**
 * The value of a reshape that has not moved: the memory of what was reshaped, in a layout that a oneDNN primitive chose.
 *
 * @param of what was reshaped
 */
record ReshapedBuffer(Value of, DnnlMemory memory, Layouts layouts) implements Buffer {
    /** The step of such a reshape. */
    static final Step NOTHING = new Step() {
        @Override
        public void forward() {
            // Each reader converts.
        }

        @Override
        public void prepareBackward() {
            throw new IllegalStateException("nothing comes back on a frozen tape");
        }

        @Override
        public void backward() {
            throw new IllegalStateException("nothing comes back on a frozen tape");
        }
    };

    @Override
    public Source plain(Building building, Value node) {
        Source source = layouts.toPlain(memory, of);
        return new Source(source.tensor().reshape(node.shape()), source.refresh());
    }
}
