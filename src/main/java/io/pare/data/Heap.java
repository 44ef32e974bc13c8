package io.pare.data;

import java.util.Locale;

/** What may be taken of the Java heap for one array, or one picture, whose size a file declares. */
final class Heap {
    private static final int MEGABYTE = 1_000_000;

    private Heap() {}

    /** Half of all there is. */
    static long share() {
        return Runtime.getRuntime().maxMemory() / 2;
    }

    /** Why {@code bytes} are too many; {@code null} if they are not. */
    static String excess(long bytes) {
        return bytes <= share()
                ? null
                : String.format(Locale.ROOT, "takes %d MB, more than half of the %d MB that Java may use;"
                        + " give it more by JDK_JAVA_OPTIONS=-XmxSIZE", bytes / MEGABYTE, 2 * share() / MEGABYTE);
    }

    /** Refuses to read what {@code subject} names if {@code bytes} are too many. */
    static void check(String subject, long bytes) {
        String excess = excess(bytes);
        if (excess != null) {
            throw new DataException(subject + " " + excess);
        }
    }
}
