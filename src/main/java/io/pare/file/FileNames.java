package io.pare.file;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** Names of files that the locale has no letters for, as in containers without {@code LANG}. */
public final class FileNames {
    private FileNames() {}

    /**
     * {@return what to add to a message about a file of that name; nothing if the locale can hold it}
     *
     * @param name a file's name, without its folder
     */
    public static String hint(String name) {
        return hint(name, Charset.forName(System.getProperty("sun.jnu.encoding", StandardCharsets.UTF_8.name())));
    }

    static String hint(String name, Charset locale) {
        return locale.newEncoder().canEncode(name)
                ? ""
                : "; this locale has no letters outside "
                        + (locale.equals(StandardCharsets.US_ASCII) ? "ASCII" : locale)
                        + ": set LC_ALL=C.UTF-8";
    }
}
