package io.pare.exec;

import io.pare.mem.FloatTensor;

/**
 * What a step reads: row-major numbers, and the conversion that must run before each reading.
 *
 * @param tensor row-major numbers
 * @param refresh runs before each reading; {@link #NOTHING} where they are up to date
 */
public record Source(FloatTensor tensor, Runnable refresh) {
    /** For what needs no conversion. */
    public static final Runnable NOTHING = () -> {
    };

    /**
     * {@return a source that is up to date anyway}
     *
     * @param tensor row-major numbers
     */
    public static Source of(FloatTensor tensor) {
        return new Source(tensor, NOTHING);
    }
}
