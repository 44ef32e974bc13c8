package io.pare.descent;

import java.util.Locale;

/**
 * How inputs are sought on which a network fails: projected gradient ascent of the loss, from a random start, each pixel within
 * a distance of what it was (Madry, Makelov, Schmidt, Tsipras, Vladu, 1706.06083, section 2.1). The three are kept in saved runs
 * by these names.
 *
 * @param epsilon how far a pixel may move at most, in units of the pixels' range, which is 0 to 1; above 0, at most 1
 * @param step how far it moves in each step, by the sign of its gradient; in the same unit and bounds
 * @param steps how many, from 1
 */
public record Attack(double epsilon, double step, int steps) {
    /** The largest number of steps. */
    public static final int MOST_STEPS = 100_000;

    /**
     * Checks each value.
     *
     * @throws IllegalArgumentException if one is out of its range; the message names it
     */
    public Attack {
        check("epsilon", epsilon);
        check("step", step);
        if (steps < 1 || steps > MOST_STEPS) {
            throw new IllegalArgumentException("steps of an attack are " + steps + ", must be from 1 to " + MOST_STEPS);
        }
    }

    private static void check(String name, double value) {
        if (!(value > 0 && value <= 1)) {
            throw new IllegalArgumentException(name + " of an attack is " + value
                    + ", must be above 0 and at most 1, the whole range of a pixel");
        }
    }

    /**
     * {@return the attack with the step that is usual: such that all steps in one direction go two and a half times as far as
     * they may}
     *
     * @param epsilon how far a pixel may move
     * @param steps how many
     */
    public static Attack usual(double epsilon, int steps) {
        return new Attack(epsilon, Math.min(1, 2.5 * epsilon / steps), steps);
    }

    /** In words, such as {@code PGD-20, epsilon 0.3, step 0.03}. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "PGD-%d, epsilon %s, step %s", steps, epsilon, step);
    }
}
