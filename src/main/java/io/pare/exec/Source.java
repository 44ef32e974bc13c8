package io.pare.exec;

import io.pare.mem.FloatTensor;

/** What a step reads: the tensor, and what has to run before each reading so that the tensor is up to date. */
record Source(FloatTensor tensor, Runnable refresh) {
    static final Runnable NOTHING = () -> {
    };

    static Source of(FloatTensor tensor) {
        return new Source(tensor, NOTHING);
    }
}
