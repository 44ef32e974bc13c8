package io.pare.exec;

import io.pare.mem.FloatTensor;

/** What a step reads: row-major numbers, and the conversion that must run before each reading. */
public record Source(FloatTensor tensor, Runnable refresh) {
    /** For what needs no conversion. */
    public static final Runnable NOTHING = () -> {
    };

    /** Memory that is up to date anyway. */
    public static Source of(FloatTensor tensor) {
        return new Source(tensor, NOTHING);
    }
}
