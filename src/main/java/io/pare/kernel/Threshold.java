package io.pare.kernel;

/**
 * Where a top-k selection cuts.
 *
 * @param magnitude of the least survivor; every greater magnitude survives
 * @param above number of elements of greater magnitude
 * @param ties number of elements of exactly this magnitude that survive, those of lowest index
 */
public record Threshold(float magnitude, long above, long ties) {}
