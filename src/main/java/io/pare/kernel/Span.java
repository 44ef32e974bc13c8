package io.pare.kernel;

import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One tensor of a budget that several share: the elements are {@code x}, or {@code x + u} where {@code u} is given.
 *
 * @param x float memory
 * @param xOffset in bytes
 * @param u float memory that is added, {@code null} for none
 * @param uOffset in bytes
 * @param count elements
 * @param weight finite, above 0: elements compete by {@code weight * |x + u|}
 */
public record Span(MemorySegment x, long xOffset, @Nullable MemorySegment u, long uOffset, long count,
        float weight) {
    /** Checks the range and the weight. */
    public Span {
        Ranges.floats(x, xOffset, count);
        if (u != null) {
            Ranges.floats(u, uOffset, count);
        }
        if (!(weight > 0 && weight < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("a tensor's weight must be finite and above 0, is " + weight);
        }
    }

    /**
     * {@return {@code count} floats of weight 1}
     *
     * @param x float memory, at least as long as the elements
     * @param xOffset in bytes
     * @param count number of floats
     */
    public static Span of(MemorySegment x, long xOffset, long count) {
        return new Span(x, xOffset, null, 0, count, 1);
    }

    /** The same elements for the threads of a call. */
    Span unconfined() {
        MemorySegment all = Unconfined.of(x);
        MemorySegment added = u == null ? null : Unconfined.of(u);
        return all == x && added == u ? this : new Span(all, xOffset, added, uOffset, count, weight);
    }
}
