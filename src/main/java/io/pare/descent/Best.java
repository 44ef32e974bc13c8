package io.pare.descent;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Map;

/**
 * The best values so far: those of the highest accuracy, or another score, on validation data, of equal ones those of
 * the lower loss, of equal losses the first. The copy's memory belongs to the region. One thread at a time.
 */
public final class Best {
    private final Snapshot values;
    private double accuracy = Double.NaN;
    private double loss = Double.NaN;

    /**
     * Keeps copies of what is trained.
     *
     * @param region owns the copies
     * @param live by name: what copies are taken of
     */
    public Best(Region region, Map<String, FloatTensor> live) {
        this.values = new Snapshot(region, live);
    }

    /**
     * Takes a copy of the live values if they are better, and says whether they are.
     *
     * @param measuredAccuracy accuracy or another score of the live values; higher is better
     * @param measuredLoss mean loss, which decides between equal scores
     * @return whether they are better and were copied
     */
    public boolean offer(double measuredAccuracy, double measuredLoss) {
        if (!beatenBy(measuredAccuracy, measuredLoss)) {
            return false;
        }
        accuracy = measuredAccuracy;
        loss = measuredLoss;
        values.take();
        return true;
    }

    /**
     * {@return whether values that measure so are better, as any are before the first {@link #offer}}
     *
     * @param measuredAccuracy accuracy or another score
     * @param measuredLoss mean loss
     */
    public boolean beatenBy(double measuredAccuracy, double measuredLoss) {
        return Double.isNaN(accuracy) || measuredAccuracy > accuracy
                || measuredAccuracy == accuracy && measuredLoss < loss;
    }

    /** Makes the best values the live ones. */
    public void restore() {
        values.restore();
    }

    /** {@return accuracy of the best values; NaN before the first {@link #offer}} */
    public double accuracy() {
        return accuracy;
    }

    /** {@return loss of the best values; NaN before the first {@link #offer}} */
    public double loss() {
        return loss;
    }

    /**
     * Saves all of it, or takes it back. A run has one at most.
     *
     * @param state that is saved or read
     * @param prefix of the tensors' names in the state
     */
    public void visit(RunState state, String prefix) {
        accuracy = state.number("bestAccuracy", accuracy);
        loss = state.number("bestLoss", loss);
        values.visit(state, prefix);
    }
}
