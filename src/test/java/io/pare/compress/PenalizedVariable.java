package io.pare.compress;

import io.pare.kernel.Bits;
import io.pare.kernel.Penalty;
import io.pare.mem.FloatTensor;
import org.jspecify.annotations.Nullable;

/** A tensor whose W steps a test takes, by the penalty that a solver gave it: neither gradient nor mask. */
abstract class PenalizedVariable implements Variable {
    private final String name;
    private final FloatTensor value;
    private @Nullable Penalty penalty;

    PenalizedVariable(String name, FloatTensor value) {
        this.name = name;
        this.value = value;
    }

    /** The last one that was given; {@code null} where it was taken away. */
    @Nullable
    Penalty penalty() {
        return penalty;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public FloatTensor value() {
        return value;
    }

    @Override
    public FloatTensor gradient() {
        throw new AssertionError("the test takes the W step of " + name);
    }

    @Override
    public boolean compressible() {
        return true;
    }

    @Override
    public void penalize(@Nullable Penalty term) {
        this.penalty = term;
    }

    @Override
    public void mask(@Nullable Bits kept) {
        throw new AssertionError("no mask for " + name);
    }
}
