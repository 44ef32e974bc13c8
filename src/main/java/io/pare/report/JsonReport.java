package io.pare.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.pare.file.AtomicFile;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON that a run leaves for other programs: fields in the order in which they were put, two spaces of indentation.
 *
 * <p>Numbers that JSON cannot say (NaN, infinities) become {@code null}; accuracies are fractions. Not thread-safe.
 */
public final class JsonReport {
    private final Map<String, Object> fields = new LinkedHashMap<>();

    /** A report without fields yet. */
    public JsonReport() {}

    /** Adds or replaces a field: a number, text, boolean, list, map, record or {@code null}. */
    public JsonReport put(String name, Object value) {
        fields.put(name, finite(value));
        return this;
    }

    /** Adds all entries of a map, in its order. */
    public JsonReport putAll(Map<String, ?> values) {
        values.forEach(this::put);
        return this;
    }

    /** The text, with a line end. */
    public String json() {
        try {
            return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT)
                    .enable(SerializationFeature.WRITE_ENUMS_USING_TO_STRING).writeValueAsString(fields)
                    + System.lineSeparator();
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("a report holds something that JSON cannot: " + fields, e);
        }
    }

    /** Writes the text in one step. */
    public void write(Path target) {
        AtomicFile.write(target, json());
    }

    private static Object finite(Object value) {
        return switch (value) {
            case Double d when !Double.isFinite(d) -> null;
            case Float f when !Float.isFinite(f) -> null;
            case List<?> list -> list.stream().map(JsonReport::finite).toList();
            case Map<?, ?> map -> {
                Map<Object, Object> copy = new LinkedHashMap<>();
                map.forEach((key, entry) -> copy.put(key, finite(entry)));
                yield copy;
            }
            case null, default -> value;
        };
    }
}
