package io.pare.cli.sweep;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * One run of a sweep.
 *
 * @param number from 1
 * @param folder its name below the sweep's
 * @param settings what the matrix and the list give it, as text by option
 * @param words its command line, but for what the sweep adds for a folder and a number of threads
 */
public record SweptRun(int number, String folder, Map<String, String> settings, List<String> words) {
    /** What a word may have in place of the run's folder. */
    public static final String FOLDER = "{run}";

    /** What sets it apart, for messages. */
    public String title() {
        return "run " + number + (settings.isEmpty() ? "" : settings.entrySet().stream()
                .map(setting -> setting.getKey() + " " + setting.getValue())
                .collect(Collectors.joining(", ", " (", ")")));
    }
}
