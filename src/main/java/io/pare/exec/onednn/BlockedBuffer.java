package io.pare.exec.onednn;

import io.pare.dnnl.DnnlMemory;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Value;

/** Memory in a layout that a oneDNN primitive chose, or of other numbers than 32-bit floats. */
record BlockedBuffer(DnnlMemory memory, Layouts layouts) implements Buffer {
    @Override
    public Source plain(Building building, Value node) {
        return layouts.toPlain(memory, node);
    }
}
