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

    /** Key of the random numbers. */
    public long key() {
        return key;
    }

    /** Which part of a batch the pass sees, from 0. */
    public int part() {
        return part;
    }

    /** Whether a forward pass is run again for the backward pass. Effects beyond it must not happen twice. */
    public boolean repeating() {
        return repeating;
    }

    /** Takes the result of a loss. */
    public void report(double meanLoss, long correctSamples) {
        loss = meanLoss;
        correct = correctSamples;
    }
}
