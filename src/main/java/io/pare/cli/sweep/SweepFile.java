package io.pare.cli.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import io.pare.file.FormatException;
import io.pare.file.Spelling;
import io.pare.format.yaml.YamlText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The runs that a YAML file declares: a command, options of all runs, and what sets them apart.
 *
 * <pre>{@code
 * command: compress lenet5
 * options: {recipe: joint, from: runs/lenet5}
 * matrix:
 *   ratio: [10, 20, 40]
 *   seed: [1, 2]
 * }</pre>
 *
 * <p>{@code matrix} makes a run of each combination of its values, the last key's changing first. {@code list} has a map of
 * options for each run; with a matrix, each entry runs with each combination. {@code arguments} stands for the words after
 * the command that belong to no option.
 */
public final class SweepFile {
    /** Runs of a sweep at most. */
    public static final int MOST_RUNS = 10_000;

    private static final String COMMAND = "command";
    private static final String OPTIONS = "options";
    private static final String MATRIX = "matrix";
    private static final String LIST = "list";
    private static final Set<String> KEYS = new TreeSet<>(Set.of(COMMAND, OPTIONS, MATRIX, LIST));
    private static final String ARGUMENTS = "arguments";
    private static final int LONGEST_NAME = 100;

    private final Path file;
    private final JsonNode root;

    private SweepFile(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    /**
     * Reads the runs.
     *
     * @param file a text in YAML
     * @return at least one, in their order, no two of them alike
     * @throws FormatException if it declares no sweep
     * @throws IOException if it cannot be read
     */
    public static List<SweptRun> read(Path file) throws IOException {
        JsonNode root = YamlText.read(file);
        if (root == null || !root.isObject()) {
            throw new FormatException(file + ": a sweep is a map with the keys " + String.join(", ", KEYS));
        }
        return new SweepFile(file, root).runs();
    }

    private List<SweptRun> runs() {
        root.fieldNames().forEachRemaining(key -> {
            if (!KEYS.contains(key)) {
                throw wrong("unknown key '" + key + "'" + Spelling.suggestion(key, KEYS) + "; known are "
                        + String.join(", ", KEYS));
            }
        });
        List<String> command = words(root.path(COMMAND), "'" + COMMAND + "'");
        if (command.isEmpty()) {
            throw wrong("'" + COMMAND + "' must name a command, such as 'train lenet5'");
        }
        Map<String, JsonNode> shared = map(root.path(OPTIONS), "'" + OPTIONS + "'");
        List<Map<String, JsonNode>> all = all();
        int digits = Math.max(2, Integer.toString(all.size()).length());
        List<SweptRun> runs = new ArrayList<>();
        Map<List<String>, Integer> seen = new HashMap<>();
        for (Map<String, JsonNode> own : all) {
            int number = runs.size() + 1;
            Map<String, JsonNode> options = new LinkedHashMap<>(shared);
            Map<String, String> settings = new LinkedHashMap<>();
            own.forEach((key, value) -> {
                if (options.put(key, value) != null) {
                    throw wrong("'" + key + "' is set twice: under '" + OPTIONS + "' and for run " + number);
                }
                settings.put(key, String.join(" ", values(value, "'" + key + "'")));
            });
            List<String> words = line(command, options);
            Integer twin = seen.put(words, number);
            if (twin != null) {
                throw wrong("runs " + twin + " and " + number + " are the same: " + String.join(" ", words));
            }
            runs.add(new SweptRun(number, folder(number, digits, settings), settings, words));
        }
        return runs;
    }

    /** What sets each run apart: each entry of the list with each combination of the matrix. */
    private List<Map<String, JsonNode>> all() {
        Map<String, JsonNode> matrix = map(root.path(MATRIX), "'" + MATRIX + "'");
        JsonNode list = root.path(LIST);
        if (!list.isMissingNode() && (!list.isArray() || list.isEmpty())) {
            throw wrong("'" + LIST + "' must be a list of maps, one for each run");
        }
        List<Map<String, JsonNode>> all = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            all.add(map(list.get(i), "entry " + (i + 1) + " of '" + LIST + "'"));
        }
        if (all.isEmpty()) {
            all.add(Map.of());
        }
        for (Map.Entry<String, JsonNode> axis : matrix.entrySet()) {
            if (!axis.getValue().isArray() || axis.getValue().isEmpty()) {
                throw wrong("'" + axis.getKey() + "' under '" + MATRIX + "' must be a list of values, such as [1, 2]");
            }
            all = product(all, axis.getKey(), axis.getValue());
        }
        if (matrix.isEmpty() && list.isMissingNode()) {
            throw wrong("a sweep needs '" + MATRIX + "' or '" + LIST + "'");
        }
        return all;
    }

    private List<Map<String, JsonNode>> product(List<Map<String, JsonNode>> before, String key, JsonNode values) {
        if ((long) before.size() * values.size() > MOST_RUNS) {
            throw wrong("more than " + MOST_RUNS + " runs: leave out some values");
        }
        List<Map<String, JsonNode>> after = new ArrayList<>();
        for (Map<String, JsonNode> one : before) {
            for (JsonNode value : values) {
                Map<String, JsonNode> next = new LinkedHashMap<>(one);
                if (next.put(key, value) != null) {
                    throw wrong("'" + key + "' is set twice: under '" + MATRIX + "' and '" + LIST + "'");
                }
                after.add(next);
            }
        }
        return after;
    }

    private List<String> line(List<String> command, Map<String, JsonNode> options) {
        List<String> line = new ArrayList<>(command);
        options.forEach((key, value) -> {
            if (key.equals(ARGUMENTS)) {
                line.addAll(words(value, "'" + key + "'"));
            } else if (value.isBoolean() && value.booleanValue()) {
                line.add("--" + key);
            } else {
                for (String text : values(value, "'" + key + "'")) {
                    // In one word, so that a value may begin with a dash.
                    line.add("--" + key + "=" + text);
                }
            }
        });
        return line;
    }

    /** A value as text, a list of them for an option that is given more than once, none for null. */
    private List<String> values(JsonNode value, String what) {
        List<String> values = new ArrayList<>();
        if (value.isArray()) {
            value.forEach(each -> values.add(text(each, what)));
        } else if (!value.isNull()) {
            values.add(text(value, what));
        }
        return values;
    }

    /** Words as a list, or as a text with spaces between them. */
    private List<String> words(JsonNode value, String what) {
        return value.isTextual() ? List.of(value.asText().strip().split("\\s+")) : values(value, what);
    }

    private String text(JsonNode value, String what) {
        if (!value.isValueNode() || value.isNull() || value.asText().isBlank()) {
            throw wrong(what + " has " + (value.isMissingNode() ? "nothing" : value) + ", must be a word or a number");
        }
        return value.asText();
    }

    private Map<String, JsonNode> map(JsonNode node, String what) {
        Map<String, JsonNode> map = new LinkedHashMap<>();
        if (node.isMissingNode()) {
            return map;
        }
        if (!node.isObject()) {
            throw wrong(what + " must be a map, such as {seed: 1}");
        }
        node.forEachEntry((key, value) -> {
            if (key.isBlank() || key.startsWith("-")) {
                throw wrong(what + " has '" + key + "': write an option without its dashes");
            }
            map.put(key, value);
        });
        return map;
    }

    /** A name that says what sets the run apart, of letters that every file system has. */
    private static String folder(int number, int digits, Map<String, String> settings) {
        StringBuilder name = new StringBuilder(String.format("%0" + digits + "d", number));
        settings.forEach((key, value) -> name.append('-').append(key).append('=').append(value));
        String plain = name.toString().replaceAll("[^A-Za-z0-9._=+-]", "_");
        return plain.substring(0, Math.min(LONGEST_NAME, plain.length()));
    }

    private FormatException wrong(String message) {
        return new FormatException(file + ": " + message);
    }
}
