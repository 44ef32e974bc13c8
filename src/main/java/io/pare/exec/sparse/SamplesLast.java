package io.pare.exec.sparse;

import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Samples side by side, {@code [channel, row, column, sample]}: one weight multiplies whole vectors of a row of all samples,
 * whatever its position.
 *
 * @param read by channel, or feature, whether a remaining weight reads it; those that none reads are garbage. The reader
 *            sets it, in {@link Step#readMasks}
 */
record SamplesLast(float[] values, boolean[] read, int samples) implements Buffer {
    /** The same array, read by others. */
    SamplesLast read(boolean[] others) {
        return new SamplesLast(values, others, samples);
    }

    /** Row-major copy; whoever asks for it reads all channels. */
    @Override
    public Source plain(Building building, Value node) {
        Arrays.fill(read, true);
        FloatTensor tensor = building.tensor(node.shape());
        int features = Math.toIntExact(node.count() / samples);
        MemorySegment to = tensor.segment();
        return new Source(tensor, () -> {
            for (int n = 0; n < samples; n++) {
                for (int f = 0; f < features; f++) {
                    to.setAtIndex(ValueLayout.JAVA_FLOAT, (long) n * features + f, values[f * samples + n]);
                }
            }
        });
    }
}
