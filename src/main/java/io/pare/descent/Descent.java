package io.pare.descent;

/**
 * How a gradient becomes a step, and how long the steps of a training are.
 *
 * @param optimizer the rule, with its settings
 * @param schedule the learning rate
 */
public record Descent(Optimizer optimizer, Schedule schedule) {
    /** Adam without decay, from 0.001 by a cosine to 0. */
    public static final Descent ADAM = new Descent(Optimizer.ADAM, Schedule.cosine(1e-3, 0));
}
