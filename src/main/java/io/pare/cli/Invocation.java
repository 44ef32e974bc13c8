package io.pare.cli;

import java.util.regex.Pattern;

/** Commands as the user would type them, for messages that say what to do next. */
final class Invocation {
    private static final Pattern PLAIN = Pattern.compile("[\\w./:=,+@%-]+");

    private Invocation() {}

    /** A command line of this program, called as it was called now. */
    static String of(String... args) {
        StringBuilder line = new StringBuilder(System.getProperty("pare.command", "pare"));
        for (String arg : args) {
            line.append(' ')
                    .append(PLAIN.matcher(arg).matches() ? arg : "'" + arg.replace("'", "'\\''") + "'");
        }
        return line.toString();
    }
}
