package io.pare.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.function.IntSupplier;

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
        return terminal ? new Bar(err, new TerminalWidth()) : new Lines(err);
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

    /** A bar for each epoch, redrawn at most ten times a second. Touches no signal handler, as terminal libraries do. */
    final class Bar implements ProgressView {
        private static final long REDRAW_NANOS = 100_000_000L;
        private static final int MOST_CELLS = 24;
        private static final int BESIDE_CELLS = 70;
        private static final String ERASE_REST = "\u001b[K";
        /** A line that is longer than the terminal is wide, as after it was made narrower, shall not scroll it. */
        private static final String BEGIN = "\r\u001b[?7l";
        private static final String END = ERASE_REST + "\u001b[?7h";

        private final PrintWriter err;
        private final IntSupplier width;
        private final char full;
        private final char empty;
        private boolean shown;
        private long drawn;

        /** @param width columns of the terminal, asked at each drawing */
        Bar(PrintWriter err, IntSupplier width) {
            this.err = err;
            this.width = width;
            boolean unicode =
                    System.getProperty("stderr.encoding", "").toLowerCase(Locale.ROOT).startsWith("utf");
            this.full = unicode ? '\u2588' : '#';
            this.empty = unicode ? '\u2591' : '.';
        }

        @Override
        public void line(String text) {
            clear();
            err.println(text);
            err.flush();
        }

        @Override
        public void step(String title, int done, int steps, Gauges gauges) {
            long now = System.nanoTime();
            if (shown && now - drawn < REDRAW_NANOS) {
                return;
            }
            drawn = now;
            shown = true;
            int columns = width.getAsInt();
            int cells = Math.clamp(columns - BESIDE_CELLS, 0, MOST_CELLS);
            int filled = (int) ((long) cells * done / steps);
            String bar = String.valueOf(full).repeat(filled) + String.valueOf(empty).repeat(cells - filled);
            String text = title + (bar.isEmpty() ? "" : " " + bar)
                    + String.format(Locale.ROOT, " %3d%%  ", 100L * done / steps) + gauges.text();
            TerminalWriter.control(err, BEGIN);
            err.print(text.substring(0, Math.clamp(columns - 1, 0, text.length())));
            TerminalWriter.control(err, END);
            err.flush();
        }

        @Override
        public void clear() {
            if (shown) {
                TerminalWriter.control(err, "\r" + ERASE_REST);
                err.flush();
                shown = false;
            }
        }
    }
}
