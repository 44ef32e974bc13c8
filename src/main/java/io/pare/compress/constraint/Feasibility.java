package io.pare.compress.constraint;

/**
 * Whether tensors lie in a constraint's set, counted and not estimated.
 *
 * @param holds whether they do, exactly
 * @param excess how far they are out: non-zeros, values or bits above what is allowed; 0 where it holds
 * @param detail what was counted, for messages and reports
 */
public record Feasibility(boolean holds, double excess, String detail) {
    /**
     * {@return proof that holds where no more was found than is allowed}
     *
     * @param what was counted, for the report
     * @param found in the weights
     * @param allowed by the set
     */
    public static Feasibility atMost(String what, long found, long allowed) {
        return new Feasibility(found <= allowed, Math.max(0, found - allowed),
                found + " " + what + ", " + allowed + " allowed");
    }

    /**
     * {@return both: it holds where both do, and its detail names each}
     *
     * @param other of the same tensors
     */
    public Feasibility and(Feasibility other) {
        return new Feasibility(holds && other.holds, excess + other.excess, detail + "; " + other.detail);
    }
}
