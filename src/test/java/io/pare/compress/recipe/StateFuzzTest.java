package io.pare.compress.recipe;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pare.compress.Blobs;
import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.RecipeException;
import io.pare.file.FormatException;
import io.pare.format.safetensors.Safetensors;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged states of compressions: as whole files, and with damage to what they say besides tensors. */
class StateFuzzTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TEXTS = "__metadata__";

    @TempDir
    Path folder;

    private static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Stops when a stage begins, or goes on after so many epochs. */
    private static PipelineListener stopAt(int epochs) {
        return new PipelineListener() {
            private int seen;

            @Override
            public void stageBegins(int number, int stages, String kind, int all) {
                if (epochs == 0) {
                    throw new Stopped();
                }
            }

            @Override
            public void epoch(EpochRow row) {
                if (++seen == epochs) {
                    throw new Stopped();
                }
            }
        };
    }

    /** A state of each kind of stage. */
    private List<byte[]> states(Recipe recipe) throws IOException {
        List<byte[]> states = new ArrayList<>();
        for (int epochs : new int[]{2, 5, 9, 14, 17, 20, 23, 26}) {
            Path state = folder.resolve("state-" + epochs);
            try (Blobs blobs = new Blobs().dense(1)) {
                new Pipeline(recipe, blobs.training, state, stopAt(epochs)).run();
            } catch (Stopped e) {
                states.add(Files.readAllBytes(state));
            }
        }
        return states;
    }

    private void read(Recipe recipe, byte[] state, int epochs) throws IOException {
        Path path = Files.write(folder.resolve("fuzz"), state);
        try (Blobs blobs = new Blobs()) {
            new Pipeline(recipe, blobs.training, path, stopAt(epochs)).run();
        } catch (Stopped e) {
            // It was read, and where tensors are whole it trained.
        }
    }

    /** A state whose texts are others. */
    private static byte[] withTexts(byte[] state, byte[] texts) {
        ByteBuffer file = ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN);
        byte[] header = new byte[Math.toIntExact(file.getLong())];
        file.get(header);
        byte[] changed;
        try {
            ObjectNode json = (ObjectNode) JSON.readTree(header);
            json.remove(TEXTS);
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.writeBytes(("{\"" + TEXTS + "\":").getBytes(StandardCharsets.UTF_8));
            all.writeBytes(texts);
            all.write(',');
            all.writeBytes(JSON.writeValueAsString(json).substring(1).getBytes(StandardCharsets.UTF_8));
            changed = all.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ByteBuffer.allocate(Long.BYTES + changed.length + file.remaining()).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(changed.length).put(changed).put(file).array();
    }

    private byte[] texts(byte[] state) throws IOException {
        try (Safetensors file = Safetensors.open(Files.write(folder.resolve("from"), state))) {
            return JSON.writeValueAsBytes(file.metadata());
        }
    }

    private Fuzz whole(Recipe recipe, List<byte[]> states) {
        return Fuzz.of("states", Mutations.of(states).withWords("-1", "9223372036854775807"),
                input -> read(recipe, input, 0), FormatException.class, RecipeException.class);
    }

    private Fuzz inside(Recipe recipe, List<byte[]> states) throws IOException {
        List<Mutations> texts = new ArrayList<>();
        for (byte[] state : states) {
            texts.add(Mutations.of(List.of(texts(state))).withWords("-1", "0", "null", "NaN", "[]", "{}",
                    "9223372036854775807", "1e300", "\\\"", "\"", ","));
        }
        return Fuzz.of("texts of states", number -> {
            int state = (int) (number % states.size());
            return withTexts(states.get(state), texts.get(state).apply(number));
        }, input -> read(recipe, input, 1), FormatException.class, RecipeException.class);
    }

    /** Changes one text of a state at a time to each of some values: damage that JSON does not show. */
    private void everyText(Recipe recipe, byte[] state) throws IOException {
        Map<String, String> texts = JSON.readValue(texts(state), new TypeReference<TreeMap<String, String>>() {});
        List<byte[]> inputs = new ArrayList<>();
        for (String name : texts.keySet()) {
            for (String value : new String[]{null, "", "-1", "7", "9223372036854775807", "1 2 3 4 5", "1e300 1e300",
                "NaN", "[]",
                "[null]",
                "{}", "{\"w1.weight.0\":null}", "{\"w1.weight.0\":[]}", "null"}) {
                inputs.add(with(texts, name, value));
            }
            for (String value : withNulls(texts.get(name))) {
                inputs.add(with(texts, name, value));
            }
        }
        Fuzz.of("texts", number -> inputs.get((int) number), input -> read(recipe, withTexts(state, input), 1),
                FormatException.class, RecipeException.class).run(inputs.size());
    }

    /** A JSON text with null in each of its places in turn, but once for places that have the same names on their way. */
    private static Collection<String> withNulls(String text) throws JsonProcessingException {
        Map<String, String> changed = new TreeMap<>();
        if (text.startsWith("[") || text.startsWith("{")) {
            JsonNode root = JSON.readTree(text);
            nulls(root, root, "", changed);
        }
        return changed.values();
    }

    private static void nulls(JsonNode root, JsonNode at, String way, Map<String, String> changed)
            throws JsonProcessingException {
        if (at instanceof ObjectNode object) {
            for (Map.Entry<String, JsonNode> member : List.copyOf(object.properties())) {
                String further = way + "/" + member.getKey();
                nulls(root, member.getValue(), further, changed);
                if (!changed.containsKey(further)) {
                    object.putNull(member.getKey());
                    changed.put(further, JSON.writeValueAsString(root));
                    object.set(member.getKey(), member.getValue());
                }
            }
        }
        if (at instanceof ArrayNode array) {
            for (JsonNode element : array) {
                nulls(root, element, way, changed);
            }
        }
    }

    private static byte[] with(Map<String, String> texts, String name, String value) throws JsonProcessingException {
        Map<String, String> changed = new TreeMap<>(texts);
        if (value == null) {
            changed.remove(name);
        } else {
            changed.put(name, value);
        }
        return JSON.writeValueAsBytes(changed);
    }

    @Test
    void damagedStatesAreReadOrRefused() throws IOException {
        Recipe recipe = Recipe.parse("all", PipelineTest.ALL);
        List<byte[]> states = states(recipe);
        whole(recipe, states).run(200);
        inside(recipe, states).run(400);
        for (byte[] state : states) {
            everyText(recipe, state);
        }
    }

    @Test
    @Tag("long")
    void manyDamagedStatesAreReadOrRefused() throws IOException {
        Recipe recipe = Recipe.parse("all", PipelineTest.ALL);
        inside(recipe, states(recipe)).runLong();
    }
}
