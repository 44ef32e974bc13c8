package io.pare.cli;

import io.pare.report.Printable;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.Locale;

/**
 * Where lines leave for a terminal, a file or a pipe: what text of others could steer a terminal with is written out.
 *
 * <p>{@code println} writes one line. In {@code printf} the format may have line ends, its arguments none. What Pare
 * itself steers with goes through {@link #control}. Flushes after each {@code println} and {@code printf}.
 */
final class TerminalWriter extends PrintWriter {
    private final Sink sink;
    private boolean controlling;

    private TerminalWriter(Sink sink, Charset charset) {
        super(sink, true, charset);
        this.sink = sink;
    }

    /** Writes to {@code out} without a buffer in between, so that {@link #exit} sees what went wrong there. */
    static TerminalWriter of(OutputStream out, Charset charset) {
        return new TerminalWriter(new Sink(out), charset);
    }

    static TerminalWriter of(FileDescriptor out, Charset charset) {
        return of(new FileOutputStream(out), charset);
    }

    /** The exit code of a command that came to {@code exit}, after a look at whether its results have arrived here. */
    int exit(int exit, TerminalWriter err) {
        flush();
        if (sink.failure == null || exit != Commands.OK) {
            return exit;
        }
        String reason = String.valueOf(sink.failure.getMessage());
        if (reason.toLowerCase(Locale.ROOT).contains("broken pipe")) {
            // Whoever reads has seen enough, as in `pare models | head -1`.
            return Commands.UNREAD;
        }
        err.println("pare: cannot write results to stdout: " + reason);
        return Commands.FAILURE;
    }

    /** Writes text of Pare's own as it is. */
    void control(String text) {
        controlling = true;
        try {
            print(text);
        } finally {
            controlling = false;
        }
    }

    /** Writes text of Pare's own as it is, where {@code out} would change it. */
    static void control(PrintWriter out, String text) {
        if (out instanceof TerminalWriter terminal) {
            terminal.control(text);
        } else {
            out.print(text);
        }
    }

    @Override
    public void write(int character) {
        write(Character.toString(character));
    }

    @Override
    public void write(char[] text, int from, int count) {
        write(new String(text, from, count));
    }

    @Override
    public void write(String text, int from, int count) {
        String part = text.substring(from, from + count);
        String shown = controlling ? part : Printable.text(part);
        super.write(shown, 0, shown.length());
    }

    @Override
    public void write(String text) {
        write(text, 0, text.length());
    }

    @Override
    public void println(String text) {
        super.println(Printable.line(String.valueOf(text)));
    }

    @Override
    public void println(Object value) {
        println(String.valueOf(value));
    }

    @Override
    public PrintWriter format(String format, Object... values) {
        return super.format(format, lines(values));
    }

    @Override
    public PrintWriter format(Locale locale, String format, Object... values) {
        return super.format(locale, format, lines(values));
    }

    private static Object[] lines(Object... values) {
        return Arrays.stream(values)
                .map(value -> value == null || value instanceof Number || value instanceof Boolean
                        ? value
                        : Printable.line(value.toString()))
                .toArray();
    }

    /** Remembers the first failure, which a print writer only tells of. */
    private static final class Sink extends FilterOutputStream {
        private IOException failure;

        Sink(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[]{(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            try {
                out.write(bytes, from, count);
            } catch (IOException e) {
                failure = failure == null ? e : failure;
                throw e;
            }
        }
    }
}
