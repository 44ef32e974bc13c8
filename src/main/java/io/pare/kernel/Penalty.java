package io.pare.kernel;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * The quadratic term of ADMM, {@code rho/2 * ||w - z + u||^2}, as an optimiser step adds it: its gradient is
 * {@code rho * (w - z + u)}.
 *
 * @param z float memory of the projected copy, of the weights' shape
 * @param zOffset in bytes
 * @param u float memory of the scaled dual, of the weights' shape
 * @param uOffset in bytes
 * @param rho weight of the term, at least 0
 */
public record Penalty(MemorySegment z, long zOffset, MemorySegment u, long uOffset, float rho) {
    /** Checks that there are both copies and the weight is not negative. */
    public Penalty {
        Objects.requireNonNull(z);
        Objects.requireNonNull(u);
        if (!(rho >= 0)) {
            throw new IllegalArgumentException("the weight of ADMM's term must be at least 0, is " + rho);
        }
    }

    /**
     * {@return the term of the elements from number {@code first} on}
     *
     * @param first number of an element
     */
    public Penalty from(long first) {
        long bytes = first * Float.BYTES;
        return first == 0 ? this : new Penalty(z, zOffset + bytes, u, uOffset + bytes, rho);
    }
}
