package io.pare.train;

/** Learning rate over the steps of a run, as a factor of the base rate. */
public sealed interface Schedule {
    /** The factor for {@code step}, from 0, of {@code total} steps. */
    double factor(long step, long total);

    /** The base rate throughout. */
    record Constant() implements Schedule {
        @Override
        public double factor(long step, long total) {
            return 1;
        }
    }

    /** Half a cosine from 1 to {@code floor} (Loshchilov and Hutter, 1608.03983, equation 5, one period). */
    record Cosine(double floor) implements Schedule {
        @Override
        public double factor(long step, long total) {
            double done = total <= 1 ? 0 : Math.min(1.0, (double) step / (total - 1));
            return floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * done));
        }
    }

    /** Times {@code decay} after each {@code 1 / pieces} of the run. */
    record Steps(int pieces, double decay) implements Schedule {
        public Steps {
            if (pieces < 1) {
                throw new IllegalArgumentException("a step schedule needs at least one piece, not " + pieces);
            }
        }

        @Override
        public double factor(long step, long total) {
            return Math.pow(decay, Math.min(pieces - 1, step * pieces / Math.max(1, total)));
        }
    }

    /** A linear rise over the first {@code steps} steps, then {@code after} on what is left. */
    record WarmUp(long steps, Schedule after) implements Schedule {
        @Override
        public double factor(long step, long total) {
            return step < steps ? (step + 1.0) / steps : after.factor(step - steps, Math.max(1, total - steps));
        }
    }
}
