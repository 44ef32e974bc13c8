package io.pare.exec.java;

import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** {@link Op.Concat} on row-major memory: each sample's values of all inputs, one after another. */
final class ConcatStep implements Step {
    private final Building building;
    private final Value node;
    private final List<Part> parts = new ArrayList<>();
    private final FloatTensor y;
    private Source dy;

    /** One input, and where its values stand in a sample of the output. */
    private static final class Part {
        private final Source x;
        /** Bytes of one sample. */
        private final long bytes;
        private final long offset;
        private FloatTensor dx;

        Part(Source x, long bytes, long offset) {
            this.x = x;
            this.bytes = bytes;
            this.offset = offset;
        }
    }

    ConcatStep(Building building, Value node) {
        this.building = building;
        this.node = node;
        long offset = 0;
        for (Value input : node.inputs()) {
            long bytes = input.count() / input.size(0) * Float.BYTES;
            parts.add(new Part(building.plain(input), bytes, offset));
            offset += bytes;
        }
        this.y = building.allocateValue(node);
    }

    @Override
    public void forward() {
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            part.x.refresh().run();
            copy(part, part.x.tensor().segment(), y.segment(), true);
        }
    }

    @Override
    public void prepareBackward() {
        dy = building.gradient(node);
        for (int i = 0; i < parts.size(); i++) {
            Value input = node.input(i);
            parts.get(i).dx = building.needsGradient(input) ? building.gradientFor(input) : null;
        }
    }

    @Override
    public void backward() {
        dy.refresh().run();
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            if (part.dx != null) {
                copy(part, part.dx.segment(), dy.tensor().segment(), false);
            }
        }
    }

    private void copy(Part part, MemorySegment own, MemorySegment whole, boolean toWhole) {
        int samples = node.size(0);
        long stride = node.count() / samples * Float.BYTES;
        for (int n = 0; n < samples; n++) {
            long at = n * stride + part.offset;
            if (toWhole) {
                MemorySegment.copy(own, n * part.bytes, whole, at, part.bytes);
            } else {
                MemorySegment.copy(whole, at, own, n * part.bytes, part.bytes);
            }
        }
    }
}
