package io.pare.cli;

import io.pare.file.FileNames;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** What the process's locale means for names of files, which Java reads and writes in its encoding. */
final class Locales {
    /** Stands for each byte that an encoding cannot read. */
    private static final char UNREADABLE = '\ufffd';
    /** What becomes of that when it is passed on. */
    private static final char LOST = '?';

    private Locales() {}

    /** Whether names with letters outside ASCII cannot be had, as without {@code LANG} in a container. */
    static boolean knowsOnlyAscii() {
        return Charset.forName(System.getProperty("sun.jnu.encoding", StandardCharsets.UTF_8.name()))
                .equals(StandardCharsets.US_ASCII);
    }

    /** What to add to a message about a name that the locale could not read; nothing if that is said, or not the case. */
    static String hint(String message) {
        String hint = message.indexOf(UNREADABLE) >= 0 ? FileNames.hint(message) : "";
        return message.endsWith(hint) ? "" : hint;
    }

    /**
     * The arguments as they were typed: a parent that knows only ASCII can pass on neither bytes nor letters beyond it,
     * but the system keeps its command line. Where that is not to be had, or says something else, what was passed stays.
     */
    static String[] arguments(long parent, String... passed) {
        if (Arrays.stream(passed).noneMatch(argument -> argument.indexOf(LOST) >= 0)) {
            return passed;
        }
        try {
            byte[] line = Files.readAllBytes(Path.of("/proc", Long.toString(parent), "cmdline"));
            String[] typed = new String(line, StandardCharsets.UTF_8).split("\0", -1);
            String[] lossy = new String(line, StandardCharsets.US_ASCII).replace(UNREADABLE, LOST).split("\0", -1);
            int last = typed.length - 1;
            int first = last - passed.length;
            return first >= 0 && Arrays.equals(lossy, first, last, passed, 0, passed.length)
                    ? Arrays.copyOfRange(typed, first, last)
                    : passed;
        } catch (IOException e) {
            return passed;
        }
    }
}
