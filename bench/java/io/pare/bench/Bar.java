package io.pare.bench;

import java.util.Locale;

/**
 * A figure beside what it has to reach.
 *
 * @param group what it is of
 * @param pare median and least time, or errors; empty if it could not be measured
 * @param peer the same of what it is compared with; empty if the bar is a figure by itself
 * @param ratio by the medians, in the bar's unit; NaN if it could not be measured
 * @param best the same by the least times
 * @param bar what the ratio has to reach
 * @param atLeast whether more is better
 * @param remark in words, empty if there is nothing to say; else why there is no figure
 */
record Bar(String group, String what, Sample pare, Sample peer, String of, double ratio, double best, double bar,
        boolean atLeast, String remark) {
    /** A median and the least, in {@code unit}. */
    record Sample(double median, double least, String unit) {
        static Sample of(Turns.Times times) {
            double scale = times.median() < 2e-3 ? 1e6 : times.median() < 2 ? 1e3 : 1;
            return new Sample(times.median() * scale, times.least() * scale,
                    scale == 1e6 ? "us" : scale == 1e3 ? "ms" : "s");
        }

        @Override
        public String toString() {
            return unit.isEmpty() ? String.format(Locale.ROOT, "%.5g", median)
                    : String.format(Locale.ROOT, "%s / %s %s", short3(median), short3(least), unit);
        }
    }

    private static String short3(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
    }

    /** Pare's time over another's, at most so much. */
    static Bar share(String group, String what, Turns.Times pare, String of, Turns.Times peer, double bar) {
        return new Bar(group, what, Sample.of(pare), Sample.of(peer), of, pare.median() / peer.median(),
                pare.least() / peer.least(), bar, false, "");
    }

    /** How many times as fast as another, at least so many. */
    static Bar speed(String group, String what, Turns.Times pare, String of, Turns.Times peer, double bar) {
        return new Bar(group, what, Sample.of(pare), Sample.of(peer), of, peer.median() / pare.median(),
                peer.least() / pare.least(), bar, true, "");
    }

    /** Seconds, at most so many. */
    static Bar seconds(String group, String what, Turns.Times pare, double bar, String remark) {
        return new Bar(group, what, Sample.of(pare), null, "seconds", pare.median(), pare.least(), bar, false,
                remark);
    }

    /** One that could not be measured. */
    static Bar missing(String group, String what, double bar, boolean atLeast, String why) {
        return new Bar(group, what, null, null, "", Double.NaN, Double.NaN, bar, atLeast, why);
    }

    private boolean reached(double value) {
        return atLeast ? value >= bar : value <= bar;
    }

    /** By the medians; what only the least times reach is missed. */
    String verdict() {
        return Double.isNaN(ratio) ? "not measured"
                : reached(ratio) ? "met" : reached(best) ? "missed; met by the least times" : "missed";
    }

    /** A row of a table in Markdown. */
    String row() {
        String figure = Double.isNaN(ratio) ? "" : String.format(Locale.ROOT, "%.3f (%.3f)", ratio, best);
        return String.format(Locale.ROOT, "| %s | %s | %s | %s | %s %s | %s%s |", what, pare == null ? "" : pare,
                peer == null ? of : of + ": " + peer, figure, atLeast ? "at least" : "at most",
                String.valueOf(bar).replaceAll("\\.0$", ""), verdict(), remark.isEmpty() ? "" : ": " + remark);
    }
}
