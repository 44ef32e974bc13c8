package io.pare.compress.recipe;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import io.pare.compress.AdmmOptions;
import io.pare.compress.TensorPattern;
import io.pare.compress.TrainingOptions;
import io.pare.compress.stage.AdmmPrune;
import io.pare.compress.stage.MaskRetrain;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.Stage;
import io.pare.file.FormatException;
import io.pare.file.Spelling;
import io.pare.file.TextFile;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads the YAML of a {@link Recipe}, and says in a line what no recipe can say. What a recipe needs Jackson for is here,
 * so that a JVM without it can link the recipe itself.
 */
final class RecipeReader {
    private static final List<String> TEXTS = List.of("name", "model", "description");
    private static final List<String> MAPS = List.of("dense", "train", "admm", "distill");
    private static final List<String> KEYS = Stream.of(TEXTS, MAPS, List.of("stages")).flatMap(List::stream).toList();
    private static final Pattern TWICE = Pattern.compile("Duplicate field '([^']*)'");
    private static final Set<Class<?>> FRACTIONS = Set.of(double.class, Double.class);

    private final Catalog catalog;
    private final ObjectMapper yaml;

    RecipeReader(Catalog catalog) {
        this.catalog = catalog;
        this.yaml = catalog.yaml();
    }

    Recipe read(String where, String text) {
        try (YAMLParser parser = ((YAMLFactory) yaml.getFactory()).createParser(checked(where, text))) {
            JsonNode root = yaml.readTree(parser);
            if (root == null || !root.isObject()) {
                throw new RecipeException(where + ": a recipe is a map with the keys " + KEYS);
            }
            if (parser.nextToken() != null) {
                throw new RecipeException(where + ": holds more than one document; a file is one recipe");
            }
            for (Map.Entry<String, JsonNode> entry : root.properties()) {
                String key = entry.getKey();
                JsonNode value = entry.getValue();
                Catalog.known(where + ": ", "key", key, KEYS);
                if (TEXTS.contains(key) && !value.isValueNode()) {
                    throw new RecipeException(where + ": '" + key + "' must be text");
                }
                if (MAPS.contains(key) && !Catalog.absent(value) && !value.isObject()) {
                    throw new RecipeException(where + ": '" + key + "' must be a map of settings, such as {epochs: 5}");
                }
            }
            JsonNode list = root.path("stages");
            if (!list.isArray() || list.isEmpty()) {
                throw new RecipeException(where + ": 'stages' must be a list of at least one stage");
            }
            List<Stage> stages = new ArrayList<>();
            // Where they are wrong they are so once, not in each stage.
            fill(where, AdmmPrune.DEFAULTS, yaml.createObjectNode(), root);
            for (int i = 0; i < list.size(); i++) {
                stages.add(stage(where + ": stage " + (i + 1), list.get(i), root));
            }
            TrainingOptions dense = root.has("dense")
                    ? fill(where + ": dense", MaskRetrain.DEFAULTS,
                            yaml.createObjectNode().set("train", root.get("dense")), yaml.createObjectNode()).train()
                    : Recipe.DENSE;
            Recipe.Teaching teaching = root.path("distill").isObject()
                    ? bound(where + ": distill", root.get("distill"), Recipe.Teaching.class)
                    : Recipe.Teaching.BY_DENSE;
            JsonNode name = root.path("name");
            return new Recipe(name.asText().isEmpty() ? named(where) : name.asText(), root.path("model").asText(""),
                    root.path("description").asText(""), dense, stages, teaching, catalog);
        } catch (IllegalArgumentException e) {
            throw new RecipeException(where + ": " + firstLine(e.getMessage()), e);
        } catch (JsonProcessingException e) {
            throw new RecipeException(where + ": " + said(e) + place(e), e);
        } catch (IOException e) {
            throw new RecipeException(where + ": " + e.getMessage(), e);
        }
    }

    private static String checked(String where, String text) {
        try {
            TextFile.checkLines(where, text);
            return text;
        } catch (FormatException e) {
            throw new RecipeException(e.getMessage(), e);
        }
    }

    /** Stages in a form that is equal for stages that do the same. */
    String text(List<Stage> stages) {
        StringBuilder text = new StringBuilder();
        try {
            for (Stage stage : stages) {
                text.append(stage.name()).append(catalog.sorted().writeValueAsString(stage));
                stage.patterns().values().stream().filter(RecipeReader::orderCounts).forEach(text::append);
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("stages have no JSON form: " + stages, e);
        }
        return text.toString();
    }

    /** Whether patterns stand in an order that the sorted form hides although it may decide which one counts. */
    private static boolean orderCounts(List<String> patterns) {
        Comparator<String> length = Comparator.comparingInt(String::length);
        List<String> wild = patterns.stream().filter(TensorPattern::wild).toList();
        return !wild.stream().sorted(length).toList()
                .equals(wild.stream().sorted(length.thenComparing(Comparator.naturalOrder())).toList());
    }

    /** A recipe with other values of a key of training options. */
    Recipe edited(Recipe recipe, String key, Consumer<ObjectNode> change) {
        MaskRetrain dense = (MaskRetrain) edited(new MaskRetrain(recipe.dense()), key, change);
        return new Recipe(recipe.name(), recipe.model(), recipe.description(), dense.train(),
                recipe.stages().stream().map(stage -> edited(stage, key, change)).toList(), recipe.teaching(),
                catalog);
    }

    private Stage edited(Stage stage, String key, Consumer<ObjectNode> change) {
        JsonNode node = yaml.valueToTree(stage);
        node.findParents(key).forEach(options -> change.accept((ObjectNode) options));
        try {
            return yaml.treeToValue(node, stage.getClass());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stage cannot be read back: " + stage, e);
        }
    }

    /** The name of a recipe that gives itself none: its file's, without what a name cannot hold. */
    private static String named(String where) {
        String name = where.substring(Math.max(where.lastIndexOf('/'), where.lastIndexOf('\\')) + 1)
                .replaceFirst("\\.ya?ml$", "").replaceAll("[^A-Za-z0-9._-]", "-").replaceFirst("^\\.+", "");
        return name.isEmpty() ? "recipe" : name.substring(0, Math.min(100, name.length()));
    }

    private Stage stage(String where, JsonNode node, JsonNode root) {
        if (node.isTextual()) {
            return fill(where, node.asText(), yaml.createObjectNode(), root);
        }
        if (!node.isObject() || node.size() != 1) {
            throw new RecipeException(where + ": a stage is one name with a map, such as 'mask-retrain: {...}'");
        }
        Map.Entry<String, JsonNode> entry = node.properties().iterator().next();
        return fill(where, entry.getKey(), entry.getValue(), root);
    }

    private Stage fill(String where, String name, JsonNode given, JsonNode root) {
        Catalog.known(where + ": ", "key", name, catalog.stages().keySet());
        String place = where + " (" + name + ")";
        Stage stage = fill(place, catalog.stages().get(name), given, root);
        if (!stage.name().equals(name)) {
            throw new RecipeException(place + ": " + differing(yaml.valueToTree(catalog.stages().get(name)), given,
                    yaml.valueToTree(catalog.stages().get(stage.name()))) + " belongs to " + stage.name());
        }
        return stage;
    }

    /** The key, of those that are given, by which a stage is one of another name than its defaults. */
    private static String differing(ObjectNode defaults, JsonNode given, ObjectNode other) {
        return given.properties().stream().map(Map.Entry::getKey)
                .filter(key -> !defaults.path(key).equals(other.path(key))).findFirst().orElse("what it says");
    }

    /** The defaults of a stage under the recipe's own settings under those that are given. */
    private Stage fill(String where, Stage defaults, JsonNode given, JsonNode root) {
        ObjectNode full = yaml.valueToTree(defaults);
        share(where, defaults.getClass(), full, root);
        if (!given.isObject() && !Catalog.absent(given)) {
            throw new RecipeException(where + ": must be a map of settings");
        }
        Catalog.overlay(where, full, given);
        return bound(where, full, defaults.getClass());
    }

    private <T> T bound(String where, JsonNode full, Class<T> type) {
        try {
            return yaml.treeToValue(full, type);
        } catch (UnrecognizedPropertyException e) {
            throw new RecipeException(where + ": unknown key '" + e.getPropertyName() + "'" + Spelling.suggestion(
                    e.getPropertyName(), e.getKnownPropertyIds().stream().map(Object::toString).toList()), e);
        } catch (JsonMappingException e) {
            String path = String.join(".", e.getPath().stream().map(JsonMappingException.Reference::getFieldName)
                    .filter(name -> name != null).toList());
            throw new RecipeException(where + (path.isEmpty() ? "" : ": " + path) + ": " + firstLine(
                    e.getCause() instanceof IllegalArgumentException cause
                            ? cause.getMessage()
                            : said(e)),
                    e);
        } catch (JsonProcessingException e) {
            throw new RecipeException(where + ": " + said(e), e);
        }
    }

    /** Lays the recipe's own training and ADMM settings over the defaults of a stage, and of the stages inside it. */
    private static void share(String where, Class<?> stage, ObjectNode defaults, JsonNode root) {
        for (RecordComponent key : stage.getRecordComponents()) {
            if (!(defaults.get(key.getName()) instanceof ObjectNode inner)) {
                continue;
            }
            if (key.getType() == TrainingOptions.class) {
                Catalog.overlay(where, inner, root.path("train"));
            } else if (key.getType() == AdmmOptions.class) {
                Catalog.overlay(where, inner, root.path("admm"));
            } else if (Stage.class.isAssignableFrom(key.getType()) && key.getType().isRecord()) {
                share(where, key.getType(), inner, root);
            }
        }
    }

    /** What Jackson refused, without the names of classes and of its settings. */
    private static String said(JsonProcessingException e) {
        Matcher twice = TWICE.matcher(e.getOriginalMessage());
        if (twice.lookingAt()) {
            return "'" + twice.group(1) + "' stands there twice";
        }
        if (e instanceof InvalidFormatException wrong) {
            String value = String.valueOf(wrong.getValue()).replaceAll("\\R", " ");
            return "'" + value + "' is " + expected(wrong.getTargetType());
        }
        if (e instanceof MismatchedInputException wrong && wrong.getTargetType() != null) {
            Class<?> type = wrong.getTargetType();
            return "must be " + (Collection.class.isAssignableFrom(type) ? "a list, such as [conv1, fc1]"
                    : Map.class.isAssignableFrom(type) || type.isRecord() ? "a map" : "one value");
        }
        return firstLine(e.getOriginalMessage());
    }

    private static String expected(Class<?> type) {
        if (type.isEnum()) {
            return "none of " + Arrays.stream(type.getEnumConstants())
                    .map(constant -> ((Enum<?>) constant).name().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(", "));
        }
        if (type == Boolean.class || type == boolean.class) {
            return "neither true nor false";
        }
        return FRACTIONS.contains(type) ? "no number" : "no whole number";
    }

    private static String place(JsonProcessingException e) {
        return e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")";
    }

    private static String firstLine(String message) {
        return message == null ? "cannot be read" : message.lines().findFirst().orElse("");
    }
}
