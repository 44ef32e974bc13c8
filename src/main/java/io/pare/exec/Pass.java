package io.pare.exec;

/** The pass that a tape runs at the moment: what steps read while they compute, and where a loss reports. */
public final class Pass {
    private long key;
    private int part;
    private boolean repeating;
    private double loss;
    private long correct;

    Pass() {}

    void begin(long randomKey, int ofParts) {
        key = randomKey;
        part = ofParts;
    }

    void repeat(boolean again) {
        repeating = again;
    }

    double loss() {
        return loss;
    }

    long correct() {
        return correct;
    }

    /** {@return key of the random numbers} */
    public long key() {
        return key;
    }

    /** {@return which part of a batch the pass sees, from 0} */
    public int part() {
        return part;
    }

    /**
     * {@return whether a forward pass is run again for the backward pass} Effects beyond it must not happen twice.
     */
    public boolean repeating() {
        return repeating;
    }

    /**
     * Takes the result of a loss.
     *
     * @param meanLoss over the samples of the pass
     * @param correctSamples whose largest logit is the label's
     */
    public void report(double meanLoss, long correctSamples) {
        loss = meanLoss;
        correct = correctSamples;
    }
}
