package io.pare.tensor;

/**
 * One step of recurrent cells, value by value: what lies between the products, forward and backward. Gates lie side by side
 * in a row, {@code hidden} values each.
 */
final class GateSteps {
    private final int samples;
    private final int hidden;

    GateSteps(int samples, int hidden) {
        this.samples = samples;
        this.hidden = hidden;
    }

    /** What is done with some neighbouring units of a sample. */
    private interface Part {
        void run(float[][] blocks, int sample, int unit, int count);
    }

    private void forAll(Part part) {
        float[][] blocks = Blocks.mine();
        for (int s = 0; s < samples; s++) {
            for (int unit = 0; unit < hidden; unit += Blocks.SIZE) {
                part.run(blocks, s, unit, Math.min(Blocks.SIZE, hidden - unit));
            }
        }
    }

    private void logistic(Rows gates, int gate, float[] block, int sample, int unit, int count) {
        gates.load(sample, gate * hidden + unit, block, count);
        Functions.logistic(block, count);
        gates.store(block, sample, gate * hidden + unit, count);
    }

    /** Activates the gates (input, output, forget, cell) and writes the new cell and hidden states. */
    void lstm(Rows gates, Rows oldCell, Rows newCell, Rows newHidden) {
        forAll((block, s, unit, count) -> {
            float[] in = block[0];
            float[] out = block[1];
            float[] forget = block[2];
            float[] fresh = block[3];
            float[] cell = block[4];
            logistic(gates, 0, in, s, unit, count);
            logistic(gates, 1, out, s, unit, count);
            logistic(gates, 2, forget, s, unit, count);
            gates.load(s, 3 * hidden + unit, fresh, count);
            Functions.tanh(fresh, count);
            gates.store(fresh, s, 3 * hidden + unit, count);
            oldCell.load(s, unit, cell, count);
            for (int i = 0; i < count; i++) {
                cell[i] = forget[i] * cell[i] + in[i] * fresh[i];
            }
            newCell.store(cell, s, unit, count);
            Functions.tanh(cell, count);
            for (int i = 0; i < count; i++) {
                cell[i] *= out[i];
            }
            newHidden.store(cell, s, unit, count);
        });
    }

    /** Replaces the gates by the gradients of what they were activated from, and that of the new cell by that of the old. */
    void lstmBackward(Rows gates, Rows oldCell, Rows newCell, Rows hiddenGradient, Rows cellGradient) {
        forAll((block, s, unit, count) -> {
            for (int gate = 0; gate < 4; gate++) {
                gates.load(s, gate * hidden + unit, block[gate], count);
            }
            float[] in = block[0];
            float[] out = block[1];
            float[] forget = block[2];
            float[] fresh = block[3];
            float[] cell = block[4];
            float[] gradient = block[5];
            float[] ofCell = block[6];
            float[] old = block[7];
            newCell.load(s, unit, cell, count);
            Functions.tanh(cell, count);
            oldCell.load(s, unit, old, count);
            hiddenGradient.load(s, unit, gradient, count);
            cellGradient.load(s, unit, ofCell, count);
            for (int i = 0; i < count; i++) {
                float all = ofCell[i] + gradient[i] * out[i] * (1 - cell[i] * cell[i]);
                ofCell[i] = all * forget[i];
                float ofIn = all * fresh[i] * in[i] * (1 - in[i]);
                fresh[i] = all * in[i] * (1 - fresh[i] * fresh[i]);
                in[i] = ofIn;
                forget[i] = all * old[i] * forget[i] * (1 - forget[i]);
                out[i] = gradient[i] * cell[i] * out[i] * (1 - out[i]);
            }
            cellGradient.store(ofCell, s, unit, count);
            for (int gate = 0; gate < 4; gate++) {
                gates.store(block[gate], s, gate * hidden + unit, count);
            }
        });
    }

    /** Activates the gates update and reset, and writes the reset state. */
    void reset(Rows gates, Rows oldHidden, Rows resetHidden) {
        forAll((block, s, unit, count) -> {
            float[] state = block[1];
            logistic(gates, 0, block[0], s, unit, count);
            logistic(gates, 1, block[0], s, unit, count);
            oldHidden.load(s, unit, state, count);
            for (int i = 0; i < count; i++) {
                state[i] *= block[0][i];
            }
            resetHidden.store(state, s, unit, count);
        });
    }

    /** Activates the gates update and reset, and adds what the latter leaves of the recurrent part to the hidden gate. */
    void resetAfter(Rows gates, Rows recurrent) {
        forAll((block, s, unit, count) -> {
            float[] reset = block[0];
            float[] part = block[1];
            float[] fresh = block[2];
            logistic(gates, 0, reset, s, unit, count);
            logistic(gates, 1, reset, s, unit, count);
            recurrent.load(s, unit, part, count);
            gates.load(s, 2 * hidden + unit, fresh, count);
            for (int i = 0; i < count; i++) {
                fresh[i] += reset[i] * part[i];
            }
            gates.store(fresh, s, 2 * hidden + unit, count);
        });
    }

    /** Activates the hidden gate and writes the new state. */
    void update(Rows gates, Rows oldHidden, Rows newHidden) {
        forAll((block, s, unit, count) -> {
            float[] update = block[0];
            float[] fresh = block[1];
            float[] state = block[2];
            gates.load(s, unit, update, count);
            gates.load(s, 2 * hidden + unit, fresh, count);
            Functions.tanh(fresh, count);
            gates.store(fresh, s, 2 * hidden + unit, count);
            oldHidden.load(s, unit, state, count);
            for (int i = 0; i < count; i++) {
                state[i] = (1 - update[i]) * fresh[i] + update[i] * state[i];
            }
            newHidden.store(state, s, unit, count);
        });
    }

    /**
     * Replaces the gates update and hidden by the gradients of what they were activated from. Of the gradient of the new
     * state it leaves what goes straight to the old one.
     */
    void updateBackward(Rows gates, Rows oldHidden, Rows hiddenGradient) {
        forAll((block, s, unit, count) -> {
            float[] update = block[0];
            float[] fresh = block[1];
            float[] state = block[2];
            float[] gradient = block[3];
            gates.load(s, unit, update, count);
            gates.load(s, 2 * hidden + unit, fresh, count);
            oldHidden.load(s, unit, state, count);
            hiddenGradient.load(s, unit, gradient, count);
            for (int i = 0; i < count; i++) {
                float all = gradient[i];
                float part = update[i];
                gradient[i] = all * part;
                update[i] = all * (state[i] - fresh[i]) * part * (1 - part);
                fresh[i] = all * (1 - part) * (1 - fresh[i] * fresh[i]);
            }
            gates.store(update, s, unit, count);
            gates.store(fresh, s, 2 * hidden + unit, count);
            hiddenGradient.store(gradient, s, unit, count);
        });
    }

    /** Replaces the gate reset likewise, and adds to the old state's gradient what comes through the reset state's. */
    void resetBackward(Rows gates, Rows oldHidden, Rows resetGradient, Rows hiddenGradient) {
        forAll((block, s, unit, count) -> {
            float[] reset = block[0];
            float[] state = block[1];
            float[] gradient = block[2];
            float[] sum = block[3];
            gates.load(s, hidden + unit, reset, count);
            oldHidden.load(s, unit, state, count);
            resetGradient.load(s, unit, gradient, count);
            hiddenGradient.load(s, unit, sum, count);
            for (int i = 0; i < count; i++) {
                sum[i] += gradient[i] * reset[i];
                reset[i] = gradient[i] * state[i] * reset[i] * (1 - reset[i]);
            }
            gates.store(reset, s, hidden + unit, count);
            hiddenGradient.store(sum, s, unit, count);
        });
    }

    /** Replaces the gate reset likewise, and the recurrent part by its gradient. */
    void resetAfterBackward(Rows gates, Rows recurrent) {
        forAll((block, s, unit, count) -> {
            float[] reset = block[0];
            float[] part = block[1];
            float[] gradient = block[2];
            gates.load(s, hidden + unit, reset, count);
            recurrent.load(s, unit, part, count);
            gates.load(s, 2 * hidden + unit, gradient, count);
            for (int i = 0; i < count; i++) {
                float open = reset[i];
                reset[i] = gradient[i] * part[i] * open * (1 - open);
                part[i] = gradient[i] * open;
            }
            gates.store(reset, s, hidden + unit, count);
            recurrent.store(part, s, unit, count);
        });
    }
}
