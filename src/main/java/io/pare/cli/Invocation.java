package io.pare.cli;

import io.pare.cli.sweep.ShellText;
import java.util.List;

/** Commands as the user would type them, for messages that say what to do next. */
final class Invocation {
    private Invocation() {}

    /** A command line of this program, called as it was called now. */
    static String of(String... args) {
        String program = System.getProperty("pare.command", "pare");
        return args.length == 0 ? program : program + " " + ShellText.line(List.of(args));
    }
}
