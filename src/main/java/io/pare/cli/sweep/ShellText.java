package io.pare.cli.sweep;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Command lines as a POSIX shell reads them. */
public final class ShellText {
    private static final Pattern PLAIN = Pattern.compile("[\\w./:=,+@%-]+");

    private ShellText() {}

    /** The words with spaces between them, quoted where they need it. */
    public static String line(List<String> words) {
        return words.stream().map(ShellText::word).collect(Collectors.joining(" "));
    }

    static String word(String word) {
        return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
