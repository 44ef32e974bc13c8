package io.pare.compress.constraint;

/**
 * Whether tensors lie in a constraint's set, counted and not estimated.
 *
 * @param holds whether they do, exactly
 * @param excess how far they are out: non-zeros, values or bits above what is allowed; 0 where it holds
 * @param detail what was counted, for messages and reports
 */
public record Feasibility(boolean holds, double excess, String detail) {
    /** Holds where {@code found} is no more than {@code allowed}; {@code what} was counted. */
    public static Feasibility atMost(String what, long found, long allowed) {
        return new Feasibility(found <= allowed, Math.max(0, found - allowed),
                found + " " + what + ", " + allowed + " allowed");
    }

    /** Both; the detail names each. */
    public Feasibility and(Feasibility other) {
        return new Feasibility(holds && other.holds, excess + other.excess, detail + "; " + other.detail);
    }
}
