package io.pare.file;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** Says when a file is not found because the locale cannot hold its name, as in containers without {@code LANG}. */
public final class FileNames {
    private static final char UNKNOWN = '\ufffd';

    private FileNames() {}

    /** What to add to a message about {@code name}; empty unless the locale is, or may be, to blame. */
    public static String hint(String name) {
        return hint(name, Charset.forName(System.getProperty("sun.jnu.encoding", StandardCharsets.UTF_8.name())));
    }

    static String hint(String name, Charset locale) {
        // Of a name on the command line only question marks may be left.
        boolean lost = !locale.newEncoder().canEncode(name) || name.indexOf(UNKNOWN) >= 0
                || name.indexOf('?') >= 0 && !locale.newEncoder().canEncode("" + UNKNOWN);
        return lost && !locale.equals(StandardCharsets.UTF_8)
                ? " (the locale's encoding, " + locale + ", cannot hold every name: set LC_ALL=C.UTF-8)"
                : "";
    }
}
