package io.pare.format.pare;

import io.pare.file.FormatException;

/**
 * Estimates the probability of a decision from several contexts at once, by logistic mixing (M. Mahoney, "Adaptive
 * weighing of context models for lossless data compression", 2005).
 *
 * <p>Each context counts how often it was seen and how often the decision was 1. What it says is how far the logit of
 * its own estimate lies from that of the typical one; what contexts say is added to a base logit, each times a weight
 * that starts at a level which the file gives and is then learnt by gradient steps on the coding cost. Contexts of
 * weight zero are left out altogether.
 */
final class Mixer {
    /** Weights that a context may start with; 0 leaves it out. */
    private static final float[] LEVELS = {0, 0.1f, 0.2f, 0.3f, 0.45f, 0.6f, 0.8f, 1, 1.25f};
    private static final int LIMIT = 1 << 12;
    private static final float RATE = 0.005f;

    private final short[][] seen;
    private final short[][] ones;
    private final int[] selected;
    private final float[] inputs;
    private final float[] weights;
    private final float[] priorOnes;
    private final float[] priorSeen;
    private final float typicalLogit;

    /**
     * @param typical probability of a 1 that a context starts with
     * @param sizes number of values of each context
     * @param priors ones that each context starts as if it had seen, at the typical rate
     * @param levels of {@link #LEVELS}, one for each context
     */
    Mixer(float typical, int[] sizes, float[] priors, int[] levels) {
        int contexts = sizes.length;
        this.seen = new short[contexts][];
        this.ones = new short[contexts][];
        this.weights = new float[contexts];
        this.priorOnes = priors;
        this.priorSeen = new float[contexts];
        for (int i = 0; i < contexts; i++) {
            weights[i] = LEVELS[levels[i]];
            priorSeen[i] = priors[i] / typical;
            if (levels[i] != 0) {
                seen[i] = new short[sizes[i]];
                ones[i] = new short[sizes[i]];
            }
        }
        this.selected = new int[contexts];
        this.inputs = new float[contexts];
        this.typicalLogit = Logistic.stretch(typical);
    }

    /** Codes the levels of all contexts, as distances from usual ones; null when reading. */
    static int[] codeLevels(BitCoder coder, int[] levels, int[] usual) {
        int[] coded = new int[usual.length];
        for (int i = 0; i < coded.length; i++) {
            coded[i] = usual[i] + coder.signedNumber(levels == null ? 0 : levels[i] - usual[i], 0);
            if (coded[i] < 0 || coded[i] >= LEVELS.length) {
                throw new FormatException("a context of weight " + coded[i] + ": the file is damaged");
            }
        }
        return coded;
    }

    static int highestLevel() {
        return LEVELS.length - 1;
    }

    /** Says which value a context has. */
    void select(int context, int value) {
        selected[context] = value;
    }

    /** Forgets what a context has counted for one of its values. */
    void forget(int context, int value) {
        if (seen[context] != null) {
            seen[context][value] = 0;
            ones[context][value] = 0;
        }
    }

    /** Counts decisions that were not coded by {@link #code}. */
    void count(int context, int value, int decisions, int taken) {
        if (seen[context] != null) {
            int s = seen[context][value] + decisions;
            int o = ones[context][value] + taken;
            while (s >= LIMIT) {
                s >>= 1;
                o >>= 1;
            }
            seen[context][value] = (short) s;
            ones[context][value] = (short) o;
        }
    }

    private float input(int context) {
        int at = selected[context];
        float estimate = (ones[context][at] + priorOnes[context]) / (seen[context][at] + priorSeen[context]);
        return Logistic.stretch(estimate) - typicalLogit;
    }

    /** The probability by the contexts of which {@code mask} has the bit; learns nothing. */
    float estimate(float baseLogit, int mask) {
        float logit = baseLogit;
        for (int i = 0; i < inputs.length; i++) {
            if (seen[i] != null && (mask >> i & 1) != 0) {
                logit += weights[i] * input(i);
            }
        }
        return Logistic.squash(logit);
    }

    /** Codes a decision and learns from it. */
    int code(BitCoder coder, float baseLogit, int known) {
        float logit = baseLogit;
        for (int i = 0; i < inputs.length; i++) {
            if (seen[i] != null) {
                inputs[i] = input(i);
                logit += weights[i] * inputs[i];
            }
        }
        float p = Logistic.squash(logit);
        int bit = coder.bit(known, Logistic.probability(p));
        float step = (bit - p) * RATE;
        for (int i = 0; i < inputs.length; i++) {
            if (seen[i] != null) {
                weights[i] += step * inputs[i];
                count(i, selected[i], 1, bit);
            }
        }
        return bit;
    }
}
