package io.pare.exec;

import org.jspecify.annotations.Nullable;

/**
 * The parts of a batch that passes see one by one, here or in other processes.
 *
 * @param count of all parts: the loss of a pass counts for one in so many
 * @param adds whether a backward pass adds to the gradients that are there, as where a tape sees several of the parts
 * @param together the processes whose parts batch normalisation takes its statistics from; {@code null} for each part's own
 */
public record Parts(int count, boolean adds, @Nullable Together together) {
    /** A batch that one pass sees whole. */
    public static final Parts WHOLE = new Parts(1, false);

    /**
     * Parts of which each has statistics of its own.
     *
     * @param count of all parts
     * @param adds whether a backward pass adds to the gradients that are there
     */
    public Parts(int count, boolean adds) {
        this(count, adds, null);
    }

    /**
     * Refuses what is no part.
     *
     * @throws IllegalArgumentException if there is none, or a whole batch were added
     */
    public Parts {
        if (count < 1 || adds && count == 1) {
            throw new IllegalArgumentException(count + " parts of a batch, added: " + adds);
        }
    }
}
