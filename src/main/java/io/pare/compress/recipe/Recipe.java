package io.pare.compress.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import io.pare.compress.TensorPattern;
import io.pare.compress.TrainingOptions;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.Stage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A pipeline as a list of stages, read from YAML.
 *
 * <p>Every key is checked: unknown ones are refused with the nearest known one. What a stage leaves out comes from the
 * recipe's own {@code train} and {@code admm}, and then from the defaults of the records named in {@link Stage}.
 *
 * @param name of the recipe
 * @param model that it was made for; others with fitting layer names may use it
 * @param description one sentence
 * @param dense how the dense network is trained where none is given
 * @param stages in order
 */
public record Recipe(String name, String model, String description, TrainingOptions dense, List<Stage> stages) {
    private static final ObjectMapper YAML = JsonMapper.builder(YAMLFactory.builder().build())
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .withCoercionConfig(LogicalType.Boolean,
                    rules -> rules.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail))
            .build();
    private static final ObjectMapper SORTED = new ObjectMapper()
            .addMixIn(TrainingOptions.class, Additions.class)
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);
    private static final Map<String, Stage> KINDS = kinds();
    private static final List<String> TEXTS = List.of("name", "model", "description");
    private static final List<String> MAPS = List.of("dense", "train", "admm");
    private static final List<String> KEYS = Stream.of(TEXTS, MAPS, List.of("stages")).flatMap(List::stream).toList();
    private static final java.util.regex.Pattern NAME = java.util.regex.Pattern
            .compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}");
    private static final java.util.regex.Pattern TWICE = java.util.regex.Pattern.compile("Duplicate field '([^']*)'");
    private static final Set<Class<?>> FRACTIONS = Set.of(double.class, Double.class);
    private static final long MOST_BYTES = 1 << 20;
    /** Adam with a cosine, dropout and small shifts; the best epoch on validation. */
    public static final TrainingOptions DENSE =
            new TrainingOptions(8, 1e-3, 0.01, TrainingOptions.Course.COSINE, 0, TrainingOptions.Rule.ADAM, 0.9, 0, 64,
                    true, 1, false, 0, 4, 0, TrainingOptions.Select.BEST);
    private static final String EPOCHS = "epochs";
    private static final String FOLDER = "/io/pare/compress/recipes/";

    public Recipe {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("name cannot be '" + name
                    + "': it names a folder, so up to 100 letters, digits and ._-, the first no dot");
        }
        stages = List.copyOf(stages);
    }

    private static Map<String, Stage> kinds() {
        Map<String, Stage> kinds = new LinkedHashMap<>();
        kinds.put("admm-prune", Stage.Prune.DEFAULTS);
        kinds.put("mask-retrain", Stage.Retrain.DEFAULTS);
        kinds.put("progressive-prune", Stage.Progressive.DEFAULTS);
        kinds.put("admm-cluster", Stage.Values.CLUSTER);
        kinds.put("admm-quantize", Stage.Values.QUANTIZE);
        kinds.put("quantize-retrain", Stage.Freeze.DEFAULTS);
        kinds.put("cluster-retrain", Stage.Centroids.DEFAULTS);
        kinds.put("admm-joint", Stage.JointValues.DEFAULTS);
        kinds.put("global-budget", Stage.Budget.DEFAULTS);
        return kinds;
    }

    /** Options that came after runs were saved without them: left out of {@link #text} where they are off. */
    private interface Additions {
        @JsonInclude(JsonInclude.Include.NON_DEFAULT)
        boolean flip();
    }

    /** The first {@code count} stages in a form that is equal for stages that do the same. */
    String text(int count) {
        StringBuilder text = new StringBuilder();
        try {
            for (Stage stage : stages.subList(0, count)) {
                text.append(kind(stage)).append(SORTED.writeValueAsString(stage));
                patterns(stage).values().stream().filter(Recipe::orderCounts).forEach(text::append);
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

    /** Every pattern of a stage, in order, by the key that it stands under. */
    static Map<String, List<String>> patterns(Stage stage) {
        Map<String, List<String>> patterns = new LinkedHashMap<>();
        switch (stage) {
            case Stage.Prune prune -> {
                patterns.put("layers", List.copyOf(prune.keep().layers().keySet()));
                patterns.put("structure", List.copyOf(prune.structure().keySet()));
                patterns.put("exclude", prune.exclude());
                patterns.put("rhoOf", List.copyOf(prune.admm().rhoOf().keySet()));
            }
            case Stage.Retrain retrain -> {
            }
            case Stage.Progressive rounds -> patterns.putAll(patterns(rounds.prune()));
            case Stage.Values values -> {
                patterns.put("bits", List.copyOf(values.bits().keySet()));
                patterns.put("rhoOf", List.copyOf(values.admm().rhoOf().keySet()));
            }
            case Stage.Freeze freeze -> {
            }
            case Stage.Centroids centroids -> {
            }
            case Stage.JointValues joint -> {
                patterns.put("layers", List.copyOf(joint.keep().layers().keySet()));
                patterns.put("bits", List.copyOf(joint.bits().keySet()));
                patterns.put("rhoOf", List.copyOf(joint.admm().rhoOf().keySet()));
            }
            case Stage.Budget budget -> patterns.put("rhoOf", List.copyOf(budget.admm().rhoOf().keySet()));
        }
        return patterns;
    }

    /** The name under which recipes call a stage. */
    static String kind(Stage stage) {
        return switch (stage) {
            case Stage.Prune prune -> "admm-prune";
            case Stage.Retrain retrain -> "mask-retrain";
            case Stage.Progressive progressive -> "progressive-prune";
            case Stage.Values values -> values.levels() == null ? "admm-cluster" : "admm-quantize";
            case Stage.Freeze freeze -> "quantize-retrain";
            case Stage.Centroids centroids -> "cluster-retrain";
            case Stage.JointValues joint -> "admm-joint";
            case Stage.Budget budget -> "global-budget";
        };
    }

    /** The same stages with one epoch in each of their rounds: what takes time is left out, nothing else. */
    public Recipe shortened() {
        Stage shortDense = shortened(new Stage.Retrain(dense));
        return new Recipe(name, model, description, shortDense.train(),
                stages.stream().map(Recipe::shortened).toList());
    }

    private static Stage shortened(Stage stage) {
        JsonNode node = YAML.valueToTree(stage);
        for (JsonNode options : node.findParents(EPOCHS)) {
            ((ObjectNode) options).put(EPOCHS, Math.min(1, options.get(EPOCHS).asInt()));
        }
        try {
            return YAML.treeToValue(node, stage.getClass());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stage cannot be read back: " + stage, e);
        }
    }

    /** How the dense network, if there is none yet, and then each stage trains. */
    public List<TrainingOptions> trainings(boolean withDense) {
        Stream<TrainingOptions> inner = stages.stream().flatMap(Stage::trainings);
        return (withDense ? Stream.concat(Stream.of(dense), inner) : inner).distinct().toList();
    }

    /** Whether a stage learns from the dense network's answers too. */
    public boolean distills() {
        return trainings(false).stream().anyMatch(options -> options.distill() > 0);
    }

    /** Names of the recipes that come with Pare. */
    public static List<String> shipped() {
        return List.of("lenet5-prune", "lenet5-prune-max", "lenet5-cluster", "lenet5-quantize", "lenet5-binary",
                "lenet5-joint", "lenet5-joint-max", "lenet300-prune", "lenet300-prune-max", "lenet300-cluster",
                "lenet300-quantize", "lenet300-binary", "lenet300-joint", "lenet300-joint-max", "lenet5-fashion-prune",
                "lenet5-fashion-prune-max", "lenet5-fashion-joint", "resnet20-cifar-prune", "resnet20-cifar-joint",
                "vgg11-cifar-prune", "vgg11-cifar-joint", "alexnet-prune", "alexnet-joint", "alexnet-imagenette-joint",
                "vgg16-prune", "vgg16-joint");
    }

    /**
     * The recipe for pruning and values that comes with Pare for a model, the first if there are several.
     *
     * @throws RecipeException if there is none
     */
    public static Recipe usual(String model) throws IOException {
        for (String name : shipped()) {
            if (name.endsWith("-joint")) {
                Recipe recipe = load(name);
                if (recipe.model().equals(model)) {
                    return recipe;
                }
            }
        }
        throw new RecipeException(
                "no recipe comes with Pare for " + model + ": give --recipe FILE, or --auto; recipes are "
                        + String.join(", ", shipped()));
    }

    /**
     * A shipped recipe by name, or else a file.
     *
     * @throws RecipeException if there is neither, or if it is no text in UTF-8 or does not fit the schema
     * @throws IOException if the file cannot be read
     */
    public static Recipe load(String nameOrFile) throws IOException {
        if (shipped().contains(nameOrFile)) {
            try (InputStream in = Recipe.class.getResourceAsStream(FOLDER + nameOrFile + ".yaml")) {
                if (in == null) {
                    throw new RecipeException("the recipe '" + nameOrFile + "' is missing from this jar");
                }
                return parse(nameOrFile, new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
        }
        Path path = Path.of(nameOrFile);
        if (!Files.isRegularFile(path)) {
            throw new RecipeException("there is no recipe and no file '" + nameOrFile + "'"
                    + suggestion(nameOrFile, shipped()) + "; recipes are " + String.join(", ", shipped()));
        }
        if (Files.size(path) > MOST_BYTES) {
            throw new RecipeException(nameOrFile + " has more than " + MOST_BYTES + " bytes: it is no recipe");
        }
        try {
            return parse(nameOrFile, Files.readString(path));
        } catch (CharacterCodingException e) {
            throw new RecipeException(nameOrFile + " is not text in UTF-8: save it as UTF-8", e);
        }
    }

    /**
     * Reads a recipe.
     *
     * @param where named in errors
     */
    public static Recipe parse(String where, String yaml) {
        try (YAMLParser parser = ((YAMLFactory) YAML.getFactory()).createParser(yaml)) {
            JsonNode root = YAML.readTree(parser);
            if (root == null || !root.isObject()) {
                throw new RecipeException(where + ": a recipe is a map with the keys " + KEYS);
            }
            if (parser.nextToken() != null) {
                throw new RecipeException(where + ": holds more than one document; a file is one recipe");
            }
            for (Map.Entry<String, JsonNode> entry : root.properties()) {
                String key = entry.getKey();
                JsonNode value = entry.getValue();
                known(where, key, KEYS);
                if (TEXTS.contains(key) && !value.isValueNode()) {
                    throw new RecipeException(where + ": '" + key + "' must be text");
                }
                if (MAPS.contains(key) && !absent(value) && !value.isObject()) {
                    throw new RecipeException(where + ": '" + key + "' must be a map of settings, such as {epochs: 5}");
                }
            }
            JsonNode list = root.path("stages");
            if (!list.isArray() || list.isEmpty()) {
                throw new RecipeException(where + ": 'stages' must be a list of at least one stage");
            }
            List<Stage> stages = new ArrayList<>();
            // Where they are wrong they are so once, not in each stage.
            fill(where, "admm-prune", YAML.createObjectNode(), root);
            for (int i = 0; i < list.size(); i++) {
                stages.add(stage(where + ": stage " + (i + 1), list.get(i), root));
            }
            TrainingOptions dense = root.has("dense")
                    ? fill(where + ": dense", "mask-retrain",
                            YAML.createObjectNode().set("train", root.get("dense")), YAML.createObjectNode()).train()
                    : DENSE;
            JsonNode name = root.path("name");
            return new Recipe(name.asText().isEmpty() ? named(where) : name.asText(), root.path("model").asText(""),
                    root.path("description").asText(""), dense, stages);
        } catch (IllegalArgumentException e) {
            throw new RecipeException(where + ": " + firstLine(e.getMessage()), e);
        } catch (JsonProcessingException e) {
            throw new RecipeException(where + ": " + said(e) + place(e), e);
        } catch (IOException e) {
            throw new RecipeException(where + ": " + e.getMessage(), e);
        }
    }

    /** The name of a recipe that gives itself none: its file's, without what a name cannot hold. */
    private static String named(String where) {
        String name = where.substring(Math.max(where.lastIndexOf('/'), where.lastIndexOf('\\')) + 1)
                .replaceFirst("\\.ya?ml$", "").replaceAll("[^A-Za-z0-9._-]", "-").replaceFirst("^\\.+", "");
        return name.isEmpty() ? "recipe" : name.substring(0, Math.min(100, name.length()));
    }

    private static Stage stage(String where, JsonNode node, JsonNode root) {
        if (node.isTextual()) {
            known(where, node.asText(), KINDS.keySet());
            return fill(where + " (" + node.asText() + ")", node.asText(), YAML.createObjectNode(), root);
        }
        if (!node.isObject() || node.size() != 1) {
            throw new RecipeException(where + ": a stage is one name with a map, such as 'mask-retrain: {...}'");
        }
        Map.Entry<String, JsonNode> entry = node.properties().iterator().next();
        known(where, entry.getKey(), KINDS.keySet());
        return fill(where + " (" + entry.getKey() + ")", entry.getKey(), entry.getValue(), root);
    }

    private static Stage fill(String where, String kind, JsonNode given, JsonNode root) {
        Stage defaults = KINDS.get(kind);
        ObjectNode full = YAML.valueToTree(defaults);
        share(where, full, root);
        if (full.has("prune")) {
            share(where, (ObjectNode) full.get("prune"), root);
            overlay(where, (ObjectNode) full.get("retrain"), root.path("train"));
        }
        if (!given.isObject() && !absent(given)) {
            throw new RecipeException(where + ": must be a map of settings");
        }
        overlay(where, full, given);
        try {
            Stage stage = YAML.treeToValue(full, defaults.getClass());
            if (!kind(stage).equals(kind)) {
                throw new RecipeException(where + ": levels belongs to admm-quantize");
            }
            return stage;
        } catch (UnrecognizedPropertyException e) {
            throw new RecipeException(where + ": unknown key '" + e.getPropertyName() + "'"
                    + suggestion(e.getPropertyName(), e.getKnownPropertyIds().stream().map(Object::toString).toList()),
                    e);
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

    /** The recipe's own training and ADMM settings, under those of the stage. */
    private static void share(String where, ObjectNode stage, JsonNode root) {
        for (String part : List.of("train", "admm")) {
            if (stage.has(part)) {
                overlay(where, (ObjectNode) stage.get(part), root.path(part));
            }
        }
    }

    /** Whether nothing stands behind a key. */
    private static boolean absent(JsonNode value) {
        return value.isNull() || value.isTextual() && value.asText().isEmpty();
    }

    /** Replaces fields of {@code base} by those that have a value; maps are merged. */
    private static void overlay(String where, ObjectNode base, JsonNode given) {
        for (Map.Entry<String, JsonNode> entry : given.properties()) {
            String key = entry.getKey();
            JsonNode value = entry.getValue();
            if (base.get(key) instanceof ObjectNode inner && !absent(value)) {
                if (!value.isObject()) {
                    throw new RecipeException(where + ": '" + key + "' must be a map");
                }
                overlay(where, inner, value);
            } else if (!base.has(key) || !absent(value)) {
                base.set(key, value.deepCopy());
            }
        }
    }

    private static void known(String where, String name, Collection<String> names) {
        if (!names.contains(name)) {
            throw new RecipeException(where + ": unknown key '" + name + "'" + suggestion(name, names) + "; known are "
                    + String.join(", ", names));
        }
    }

    static String suggestion(String name, Collection<String> known) {
        String best = null;
        int bestDistance = 1 + Math.max(2, name.length() / 3);
        for (String candidate : known) {
            int distance = distance(name, candidate);
            if (distance < bestDistance) {
                bestDistance = distance;
                best = candidate;
            }
        }
        return best == null ? "" : ", did you mean '" + best + "'?";
    }

    /** Edit distance of Levenshtein, case ignored. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int above = row[j];
                boolean same = Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1));
                row[j] = Math.min(diagonal + (same ? 0 : 1), 1 + Math.min(row[j], row[j - 1]));
                diagonal = above;
            }
        }
        return row[b.length()];
    }

    private static String place(JsonProcessingException e) {
        return e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")";
    }

    private static String firstLine(String message) {
        return message == null ? "cannot be read" : message.lines().findFirst().orElse("");
    }
}
