package io.pare.cli;

import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * How fast a training goes at present, and how long the rest takes at that rate. One thread.
 *
 * <p>Steps count by how recent they are, so that neither the first ones, which the JVM interprets, nor a busy hour long
 * ago bends the forecast. What lies between epochs, validation and checkpoints, counts apart.
 */
final class Pace {
    private static final double MEMORY_SECONDS = 5;
    private static final double WARM_UP_SECONDS = 1;

    private final long allSteps;
    private final int stepsPerEpoch;
    private final int batch;
    private final LongSupplier nanos;
    private long last;
    private double sinceFirstStep = Double.NaN;
    private double steps;
    private double seconds;
    private double betweenEpochs;

    /** @param nanos a clock, such as {@link System#nanoTime} */
    Pace(long allSteps, int stepsPerEpoch, int batch, LongSupplier nanos) {
        this.allSteps = allSteps;
        this.stepsPerEpoch = stepsPerEpoch;
        this.batch = batch;
        this.nanos = nanos;
        this.last = nanos.getAsLong();
    }

    /** A step is done. */
    void step() {
        double spent = lap();
        if (Double.isNaN(sinceFirstStep)) {
            // It builds what the others use.
            sinceFirstStep = 0;
            return;
        }
        sinceFirstStep += spent;
        if (sinceFirstStep > WARM_UP_SECONDS) {
            double kept = Math.exp(-spent / MEMORY_SECONDS);
            steps = steps * kept + 1;
            seconds = seconds * kept + spent;
        }
    }

    /** What comes between two epochs is done, or a part of it. */
    void between(boolean first) {
        betweenEpochs = (first ? 0 : betweenEpochs) + lap();
    }

    /** The time left after {@code done} steps of all, such as "1m 20s"; "-" as long as nothing is known. */
    String left(long done) {
        long left = allSteps - done;
        return steps == 0
                ? "-"
                : ProgressView.duration(left * seconds / steps + Math.ceilDiv(left, stepsPerEpoch) * betweenEpochs);
    }

    /** Images a second, in steps; "-" as long as nothing is known. */
    String rate() {
        return steps == 0 ? "-" : String.format(Locale.ROOT, "%,.0f", batch * steps / seconds);
    }

    private double lap() {
        long now = nanos.getAsLong();
        double spent = (now - last) / 1e9;
        last = now;
        return spent;
    }
}
