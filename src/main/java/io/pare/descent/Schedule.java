package io.pare.descent;

import java.util.Locale;

/**
 * Learning rate over a training: up in a line, then along a course.
 *
 * @param rate the highest rate, above 0
 * @param course after the warm-up
 * @param floor share of the rate at the end of a {@link Course#COSINE}
 * @param warmUp how long the rate rises from zero: epochs, parts allowed, in a run that counts its steps, see
 *            {@link #ofStep}; else a share, see {@link #ofShare}
 */
public record Schedule(double rate, Course course, double floor, double warmUp) {
    private static final int PIECES = 3;
    private static final double PIECE = 0.1;
    /** The least rate of a warm-up that knows no first step, as a share of the highest. */
    private static final double FIRST = 1e-3;

    /** Course of a rate. */
    public enum Course {
        /** Half a cosine, from the rate to its floor (Loshchilov and Hutter, 1608.03983, equation 5, one period). */
        COSINE,
        /** A tenth after each third. */
        STEP,
        /** The rate throughout. */
        CONSTANT;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * {@return half a cosine without warm-up}
     *
     * @param rate at the beginning
     * @param floor share of it at the end, in [0, 1]
     */
    public static Schedule cosine(double rate, double floor) {
        return new Schedule(rate, Course.COSINE, floor, 0);
    }

    /**
     * {@return a schedule of one rate throughout}
     *
     * @param rate above 0
     */
    public static Schedule constant(double rate) {
        return new Schedule(rate, Course.CONSTANT, 0, 0);
    }

    /**
     * {@return the rate when a share of the training is over}
     *
     * @param done in [0, 1]
     */
    public double ofShare(double done) {
        return done < warmUp
                ? rising(Math.max(done, FIRST * warmUp), warmUp)
                : along(Math.min(1, (done - warmUp) / (1 - warmUp)));
    }

    /**
     * {@return the rate of a step} Its last step ends a warm-up with the rate, and a cosine with the floor.
     *
     * @param step from 0
     * @param stepsPerEpoch at least 1
     * @param epochs that the run is to have
     */
    public double ofStep(long step, int stepsPerEpoch, int epochs) {
        long warm = risingSteps(stepsPerEpoch);
        if (step < warm) {
            return rising((step + 1.0) / warm, 1);
        }
        long left = (long) epochs * stepsPerEpoch - warm;
        long end = course == Course.COSINE ? left - 1 : left;
        return along(Math.min(1, (double) (step - warm) / Math.max(1, end)));
    }

    /**
     * {@return steps of a warm-up whose unit is an epoch}
     *
     * @param stepsPerEpoch at least 1
     */
    public long risingSteps(int stepsPerEpoch) {
        return Math.round(warmUp * stepsPerEpoch);
    }

    private double rising(double part, double whole) {
        return rate * part / whole;
    }

    private double along(double done) {
        return rate * switch (course) {
            case COSINE -> floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * done));
            case STEP -> Math.pow(PIECE, Math.min(PIECES - 1, Math.floor(PIECES * done)));
            case CONSTANT -> 1;
        };
    }
}
