package io.pare.compress.recipe;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.compress.stage.RecipeException;
import io.pare.file.FormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What determines the bits of a run besides its recipe, by the names of options: seed, data, starting weights. It is saved
 * with the run's files, and only a run with the same settings may resume from them.
 *
 * @param settings in the order of messages
 */
public record Provenance(Map<String, String> settings) {
    /** No settings: any run may resume. */
    public static final Provenance NONE = new Provenance(Map.of());

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST_TOLD = 60;

    /** Copies the map. */
    public Provenance {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    /**
     * {@return the same with one more setting}
     *
     * @param name of the setting, as messages call it
     * @param value whose text is kept
     */
    public Provenance with(String name, Object value) {
        Map<String, String> more = new LinkedHashMap<>(settings);
        more.put(name, value.toString());
        return new Provenance(more);
    }

    /** {@return a form that {@link #check} reads} */
    public String text() {
        try {
            return JSON.writeValueAsString(settings);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings have no JSON form: " + settings, e);
        }
    }

    /**
     * Refuses a file that was not made with these settings.
     *
     * @param file named in the message
     * @param begun the {@link #text} of those that it was made with; {@code null} if it does not say
     * @throws RecipeException naming what differs
     */
    public void check(Path file, @Nullable String begun) {
        if (begun == null || !begun.startsWith("{")) {
            if (settings.isEmpty()) {
                return;
            }
            throw new RecipeException(file + " does not say from what it was made, as an earlier version wrote it: give"
                    + " another --out, or begin anew");
        }
        Map<String, String> found = read(file, begun);
        List<String> were = new ArrayList<>();
        List<String> are = new ArrayList<>();
        settings.forEach((name, value) -> {
            String was = found.getOrDefault(name, "unknown");
            if (!was.equals(value)) {
                boolean told = Math.max(was.length(), value.length()) <= LONGEST_TOLD;
                were.add(told ? name + " " + was : "another " + name);
                are.add(told ? name + " " + value : "this one");
            }
        });
        if (!were.isEmpty()) {
            throw new RecipeException(file + " was begun with " + String.join(" and ", were) + ", not with "
                    + String.join(" and ", are) + ": give it the same, or another --out");
        }
    }

    private static Map<String, String> read(Path file, String text) {
        try {
            return JSON.readValue(text, new TypeReference<Map<String, String>>() {});
        } catch (JsonProcessingException e) {
            throw new FormatException(file + " is damaged: its settings cannot be read", e);
        }
    }
}
