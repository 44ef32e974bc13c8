package io.pare.descent;

/**
 * How a gradient becomes a step, and how long the steps of a training are.
 *
 * @param optimizer the rule, with its settings
 * @param schedule the learning rate
 * @param clipNorm length to which a longer gradient is brought before the step, see {@link GradientNorm}; 0 for none
 */
public record Descent(Optimizer optimizer, Schedule schedule, double clipNorm) {
    /** Adam without decay, from 0.001 by a cosine to 0. */
    public static final Descent ADAM = new Descent(Optimizer.ADAM, Schedule.cosine(1e-3, 0));

    /**
     * Refuses a bound that is none.
     *
     * @throws IllegalArgumentException if {@code clipNorm} is negative or not finite
     */
    public Descent {
        if (!(clipNorm >= 0) || !Double.isFinite(clipNorm)) {
            throw new IllegalArgumentException("clipNorm cannot be " + clipNorm);
        }
    }

    /**
     * Takes gradients of any length as they are.
     *
     * @param optimizer the rule, with its settings
     * @param schedule the learning rate
     */
    public Descent(Optimizer optimizer, Schedule schedule) {
        this(optimizer, schedule, 0);
    }
}
