package io.pare.compress.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.jsontype.TypeDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.pare.compress.AdmmOptions;
import io.pare.compress.TrainingOptions;
import io.pare.compress.constraint.BlockCirculant;
import io.pare.compress.constraint.BlockLevels;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.FixedPoint;
import io.pare.compress.constraint.HierarchicalBlocks;
import io.pare.compress.constraint.KernelPatterns;
import io.pare.compress.constraint.NofMClustering;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.compress.constraint.ScaledSigns;
import io.pare.compress.constraint.SparseClustering;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.StructuredSparsity;
import io.pare.compress.stage.AdmmBudget;
import io.pare.compress.stage.AdmmConstrain;
import io.pare.compress.stage.AdmmJoint;
import io.pare.compress.stage.AdmmPrune;
import io.pare.compress.stage.AdmmRate;
import io.pare.compress.stage.AdmmValues;
import io.pare.compress.stage.ClusterRetrain;
import io.pare.compress.stage.GradualPrune;
import io.pare.compress.stage.Keep;
import io.pare.compress.stage.MaskRetrain;
import io.pare.compress.stage.ObsPrune;
import io.pare.compress.stage.ProgressivePrune;
import io.pare.compress.stage.QuantizeRetrain;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.Reconstruct;
import io.pare.compress.stage.Stage;
import io.pare.file.Spelling;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The stages and constraints that a recipe may name, each with the values of the keys that a recipe leaves out. A caller
 * adds his own and reads recipes with the result:
 *
 * <pre>{@code
 * Catalog catalog = Catalog.STANDARD.with(new Jitter(0.1, TrainingOptions.DEFAULTS)).with(new Ball(1));
 * Recipe recipe = Recipe.load("mine.yaml", catalog);
 * }</pre>
 *
 * <p>A run that names them is resumed by a recipe that was read with the same additions. Immutable; any thread may use it.
 */
public final class Catalog {
    private static final String KIND = "kind";

    /** What comes with Pare. A constraint that a recipe says nothing more of asks for the least of its kind. */
    public static final Catalog STANDARD = new Catalog(
            List.of(AdmmPrune.DEFAULTS, MaskRetrain.DEFAULTS, GradualPrune.DEFAULTS, ObsPrune.DEFAULTS,
                    ProgressivePrune.DEFAULTS,
                    AdmmValues.CLUSTER,
                    AdmmValues.QUANTIZE, QuantizeRetrain.DEFAULTS, ClusterRetrain.DEFAULTS, AdmmJoint.DEFAULTS,
                    AdmmBudget.DEFAULTS, AdmmRate.DEFAULTS, AdmmConstrain.DEFAULTS, Reconstruct.DEFAULTS),
            List.of(Sparsity.share(1), StructuredSparsity.of(StructuredSparsity.Unit.ROW, 1), new Clustering(256),
                    Quantization.bits(8), new SparseClustering(Sparsity.share(1), 256), new KernelPatterns(256, 64),
                    new BlockCirculant(1), new BlockLevels(8, BlockLevels.USUAL_BLOCK), new ScaledLevels(1, 0),
                    new NofMClustering(1, 1, 256), new ScaledSigns(true), new FixedPoint(16),
                    new HierarchicalBlocks(1, 1, 1, 1, 1)));

    private final List<Stage> stages;
    private final List<Constraint> constraints;
    private final Map<String, Stage> stagesByName = new LinkedHashMap<>();
    private final Map<String, Constraint> constraintsByKind = new LinkedHashMap<>();
    private final ObjectMapper yaml;
    private final ObjectMapper sorted;
    private final ObjectMapper json;

    private Catalog(List<Stage> stages, List<Constraint> constraints) {
        this.stages = stages;
        this.constraints = constraints;
        NamedType[] own = constraints.stream().filter(Constraint.Custom.class::isInstance)
                .map(Constraint.Custom.class::cast).map(each -> new NamedType(each.getClass(), each.name()))
                .toArray(NamedType[]::new);
        this.json = JsonMapper.builder().registerSubtypes(own).build();
        this.sorted = JsonMapper.builder().registerSubtypes(own).addMixIn(TrainingOptions.Keys.class, Additions.class)
                .addMixIn(AdmmOptions.class, Additions.class).addMixIn(Keep.class, Additions.class)
                .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();
        this.yaml = JsonMapper.builder(YAMLFactory.builder().build()).registerSubtypes(own)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
                .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
                .withCoercionConfig(LogicalType.Boolean,
                        rules -> rules.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail))
                .addModule(new SimpleModule().addDeserializer(Constraint.class, new ByKind())).build();
        for (Stage stage : stages) {
            add(stagesByName, stage.name(), stage);
        }
        for (Constraint constraint : constraints) {
            add(constraintsByKind, kind(constraint), constraint);
        }
    }

    private static <T> void add(Map<String, T> named, String name, T defaults) {
        if (!defaults.getClass().isRecord()) {
            throw new IllegalArgumentException(
                    "'" + name + "' must be a record, whose components are the keys in a recipe");
        }
        if (named.putIfAbsent(name, defaults) != null) {
            throw new IllegalArgumentException("there is a '" + name + "' already: give another name");
        }
    }

    /** Options that came after runs were saved without them: left out of {@link Recipe#text} where they are off. */
    private interface Additions {
        @JsonInclude(JsonInclude.Include.NON_DEFAULT)
        boolean flip();

        @JsonInclude(JsonInclude.Include.NON_DEFAULT)
        boolean fisher();

        @JsonInclude(JsonInclude.Include.NON_DEFAULT)
        double rate();

        @JsonInclude(JsonInclude.Include.NON_NULL)
        Object groups();
    }

    /**
     * {@return the same with a stage of the caller's}
     *
     * @param defaults what its keys are where a recipe leaves them out; {@code train} and {@code admm} of the recipe
     *            come before those
     * @throws IllegalArgumentException if it is no record, or there is a stage of that name
     */
    public Catalog with(Stage.Custom defaults) {
        return new Catalog(and(stages, defaults), constraints);
    }

    /**
     * {@return the same with a constraint of the caller's, which recipes name as {@code kind} wherever a stage takes
     * a constraint}
     *
     * @param defaults what its keys are where a recipe leaves them out
     * @throws IllegalArgumentException if it is no record, or there is a constraint of that name
     */
    public Catalog with(Constraint.Custom defaults) {
        for (Class<?> known : Constraint.class.getPermittedSubclasses()) {
            if (known.getSimpleName().equals(defaults.name())) {
                throw new IllegalArgumentException("Pare has a '" + defaults.name() + "': give another name");
            }
        }
        return new Catalog(stages, and(constraints, defaults));
    }

    private static <T> List<T> and(List<T> first, T last) {
        List<T> all = new ArrayList<>(first);
        all.add(last);
        return List.copyOf(all);
    }

    /** The stages by name, with their defaults. */
    Map<String, Stage> stages() {
        return Collections.unmodifiableMap(stagesByName);
    }

    /** What reads recipes. */
    ObjectMapper yaml() {
        return yaml;
    }

    /** What writes stages such that equal ones have equal text. */
    ObjectMapper sorted() {
        return sorted;
    }

    /** What saves runs and takes them back. */
    ObjectMapper json() {
        return json;
    }

    /**
     * Refuses a constraint that a run could save and not take back.
     *
     * @throws RecipeException if it is a caller's and not in this catalog
     */
    void checkKnown(Constraint constraint) {
        if (constraint instanceof Constraint.Custom own
                && constraints.stream().noneMatch(each -> each.getClass() == own.getClass())) {
            throw new RecipeException("a run with a constraint '" + own.name()
                    + "' can be resumed only with a catalog that has it: add it by Catalog.with; known are "
                    + String.join(", ", constraintsByKind.keySet()));
        }
    }

    /** The kind under which recipes and saved runs call a constraint. */
    private String kind(Constraint constraint) {
        return json.<JsonNode>valueToTree(constraint).path(KIND).asText();
    }

    /**
     * Refuses a name that is not known.
     *
     * @param where named in the message
     * @throws RecipeException with the nearest known name, and all of them
     */
    static void known(String where, String what, String name, Collection<String> names) {
        if (!names.contains(name)) {
            throw new RecipeException(where + unknown(what, name, names));
        }
    }

    private static String unknown(String what, String name, Collection<String> names) {
        return "unknown " + what + " '" + name + "'" + Spelling.suggestion(name, names) + "; known are "
                + String.join(", ", names);
    }

    /** Replaces fields of {@code base} by those that have a value; maps are merged. */
    static void overlay(String where, ObjectNode base, JsonNode given) {
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

    /** Whether nothing stands behind a key. */
    static boolean absent(JsonNode value) {
        return value.isNull() || value.isTextual() && value.asText().isEmpty();
    }

    /** Reads a constraint as a recipe writes it: its kind, and the keys that are not to be as in the catalog. */
    private final class ByKind extends JsonDeserializer<Constraint> {
        @Override
        public Constraint deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            JsonNode given = context.readTree(parser);
            Constraint defaults = constraintsByKind.get(given.path(KIND).asText());
            if (!given.isObject() || !given.path(KIND).isTextual() || defaults == null) {
                String message = given.path(KIND).isTextual()
                        ? unknown(KIND, given.get(KIND).asText(), constraintsByKind.keySet())
                        : "a constraint is a map with a 'kind'; known are "
                                + String.join(", ", constraintsByKind.keySet());
                throw JsonMappingException.from(parser, message, new IllegalArgumentException(message));
            }
            ObjectNode full = yaml.valueToTree(defaults);
            overlay("constraint", full, given);
            return yaml.treeToValue(full, defaults.getClass());
        }

        @Override
        public Object deserializeWithType(JsonParser parser, DeserializationContext context, TypeDeserializer type)
                throws IOException {
            return deserialize(parser, context);
        }
    }
}
