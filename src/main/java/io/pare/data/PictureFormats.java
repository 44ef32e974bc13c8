package io.pare.data;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;

/** The picture files that can be read: what the JDK reads, and whatever ImageIO plug-ins there are. */
public final class PictureFormats {
    /** The JDK leaves out two old endings of JPEG. */
    private static final Set<String> ENDINGS = new TreeSet<>(Set.of("jpe", "jfif"));
    static {
        Arrays.stream(ImageIO.getReaderFileSuffixes()).filter(suffix -> !suffix.isEmpty())
                .forEach(suffix -> ENDINGS.add(suffix.toLowerCase(Locale.ROOT)));
    }

    private PictureFormats() {}

    /**
     * {@return whether a file of that name counts as a picture}
     *
     * @param file only its name is looked at
     */
    public static boolean named(Path file) {
        return ENDINGS.contains(ending(file));
    }

    /** {@return the endings of their names, for messages} */
    public static String endings() {
        return ENDINGS.stream().map(ending -> "." + ending).collect(Collectors.joining(", "));
    }

    private static String ending(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(dot + 1).toLowerCase(Locale.ROOT);
    }

    /** Files that are not read, counted by their endings. Not thread-safe. */
    public static final class Others {
        private final Map<String, Integer> counts = new TreeMap<>();
        private int total;

        /** None counted yet. */
        public Others() {}

        /**
         * Counts one.
         *
         * @param file counted by its ending
         */
        public void add(Path file) {
            String ending = ending(file);
            counts.merge(ending.isEmpty() ? "without an ending" : "." + ending, 1, Integer::sum);
            total++;
        }

        /** {@return how many there are} */
        public int total() {
            return total;
        }

        /** What there are, such as "3 .txt, 12 .webp". */
        @Override
        public String toString() {
            return counts.entrySet().stream().map(kind -> kind.getValue() + " " + kind.getKey())
                    .collect(Collectors.joining(", "));
        }
    }
}
