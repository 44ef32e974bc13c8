package io.pare.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows on stderr how a run goes: a bar on a terminal, plain lines elsewhere, nothing when quiet. One thread. */
interface ProgressView extends AutoCloseable {
    /** A line that stays. */
    void line(String text);

    /**
     * Where an epoch stands; called for every step, so it does little.
     *
     * @param title of the epoch
     * @param done steps done
     */
    void step(String title, int done, int steps, Gauges gauges);

    /** Takes away what is not to stay, for output by others. */
    default void clear() {}

    @Override
    default void close() {
        clear();
    }

    /** What a bar shows beside itself; asked only when it is drawn. */
    @FunctionalInterface
    interface Gauges {
        String text();
    }

    /** The view for a run. */
    static ProgressView choose(boolean quiet, PrintWriter err) {
        if (quiet) {
            return new Silent();
        }
        boolean terminal = System.console() != null && System.console().isTerminal()
                && !"dumb".equals(System.getenv("TERM"));
        return terminal ? new Bar() : new Lines(err);
    }

    /** "1m 20s", "45s", "2h 3m". */
    static String duration(double seconds) {
        Duration time = Duration.ofSeconds(Math.max(0, Math.round(seconds)));
        if (time.toHours() > 0) {
            return time.toHours() + "h " + time.toMinutesPart() + "m";
        }
        return time.toMinutes() > 0 ? time.toMinutes() + "m " + time.toSecondsPart() + "s" : time.toSeconds() + "s";
    }

    /** Shows nothing. */
    final class Silent implements ProgressView {
        @Override
        public void line(String text) {}

        @Override
        public void step(String title, int done, int steps, Gauges gauges) {}
    }

    /** One line when there is something to say. */
    final class Lines implements ProgressView {
        private final PrintWriter err;

        Lines(PrintWriter err) {
            this.err = err;
        }

        @Override
        public void line(String text) {
            err.println(text);
            err.flush();
        }

        @Override
        public void step(String title, int done, int steps, Gauges gauges) {}
    }

    /** A bar for each epoch, redrawn ten times a second. */
    final class Bar implements ProgressView {
        private static final long REDRAW_NANOS = 100_000_000L;

        private ProgressBar bar;
        private long drawn;

        @Override
        public void line(String text) {
            clear();
            System.err.println(text);
        }

        @Override
        public void step(String title, int done, int steps, Gauges gauges) {
            long now = System.nanoTime();
            if (bar != null && now - drawn < REDRAW_NANOS) {
                return;
            }
            if (bar == null) {
                bar = new ProgressBarBuilder().setTaskName(title).setInitialMax(steps).clearDisplayOnFinish()
                        .hideEta().setStyle(style()).setUpdateIntervalMillis(100)
                        .setConsumer(new ConsoleProgressBarConsumer(System.err)).build();
            }
            drawn = now;
            bar.setExtraMessage(" " + gauges.text());
            bar.stepTo(done);
        }

        @Override
        public void clear() {
            if (bar != null) {
                bar.close();
                bar = null;
            }
        }

        private static ProgressBarStyle style() {
            String charset = System.getProperty("stderr.encoding", "").toLowerCase(Locale.ROOT);
            return charset.startsWith("utf") ? ProgressBarStyle.UNICODE_BLOCK : ProgressBarStyle.ASCII;
        }
    }
}
