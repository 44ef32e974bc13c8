package io.pare.exec.sparse;

import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Value;
import io.pare.kernel.SparseKernels;
import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Buffers with samples side by side, for the steps of one tape. */
final class SparseLayouts {
    static final SparseKernels KERNELS = SparseKernels.active();

    private final Building building;
    private final int samples;

    SparseLayouts(Building building) {
        this.building = building;
        this.samples = building.batch();
    }

    Building building() {
        return building;
    }

    /** A buffer for the node's value or gradient. The heap array is taken once, as {@link SparseKernels} wants it. */
    SamplesLast value(Value node, boolean[] read) {
        return new SamplesLast(new float[Math.addExact(Math.toIntExact(node.count()), SparseKernels.SLACK)], read,
                samples);
    }

    SparseSource read(Buffer buffer, Value node) {
        if (buffer instanceof SamplesLast side) {
            return new SparseSource(side, Source.NOTHING);
        }
        Source plain = buffer.plain(building, node);
        SamplesLast side = value(node, new boolean[node.size(1)]);
        Runnable transposition = transposition(plain.tensor(), side.values(), Math.toIntExact(node.count() / samples));
        return new SparseSource(side, () -> {
            plain.refresh().run();
            transposition.run();
        });
    }

    private Runnable transposition(FloatTensor tensor, float[] to, int features) {
        float[] rows = new float[features * samples];
        return () -> {
            MemorySegment.copy(tensor.segment(), ValueLayout.JAVA_FLOAT, 0, rows, 0, rows.length);
            for (int f = 0; f < features; f++) {
                for (int n = 0; n < samples; n++) {
                    to[f * samples + n] = rows[n * features + f];
                }
            }
        };
    }

    SparseSource gradient(Value node) {
        List<Buffer> parts = building.contributions(node);
        if (parts.size() != 1) {
            throw new IllegalArgumentException("no sparse rule where " + parts.size() + " nodes read " + node);
        }
        return read(parts.getFirst(), node);
    }

    SamplesLast contribute(Value input, boolean[] read) {
        SamplesLast buffer = value(input, read);
        building.contribute(input, buffer);
        return buffer;
    }
}
