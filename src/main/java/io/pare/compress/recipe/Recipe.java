package io.pare.compress.recipe;

import io.pare.compress.TrainingOptions;
import io.pare.compress.constraint.BlockLevels;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.Reconstruct;
import io.pare.compress.stage.Stage;
import io.pare.file.Jackson;
import io.pare.file.Spelling;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A pipeline as a list of stages, read from YAML.
 *
 * <p>Every key is checked: unknown ones are refused with the nearest known one. What a stage leaves out comes from the
 * recipe's own {@code train} and {@code admm}, and then from the {@link Catalog}.
 *
 * @param name of the recipe
 * @param model that it was made for; others with fitting layer names may use it
 * @param description one sentence
 * @param dense how the dense network is trained where none is given
 * @param stages in order
 * @param teaching whom stages distil from
 * @param catalog that the recipe was read with: it has every constraint that a resumable run of it saves
 */
public record Recipe(String name, String model, String description, TrainingOptions dense, List<Stage> stages,
        Teaching teaching, Catalog catalog) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}");
    private static final long MOST_BYTES = 1 << 20;
    /** Adam with a cosine, dropout and small shifts; the best epoch on validation. */
    public static final TrainingOptions DENSE =
            new TrainingOptions(8, TrainingOptions.DEFAULTS.descent(), 64, true, 1, false, 0, 4, 0,
                    TrainingOptions.Select.BEST);
    private static final double MOST_RATIO = 1e6;
    /** Most bits of a value that is not a float. */
    public static final int MOST_BITS = 8;
    private static final double USUAL_RATIO = 10;
    /** Four bits. */
    private static final double USUAL_QUANTIZATION = 8;
    /** Half of the weights: about what a network bears without training. */
    public static final double USUAL_RECONSTRUCTION = 2;
    /** Bits of a value of {@code reconstruct}. */
    public static final int USUAL_BITS = 4;
    /** Name of the recipe that trains nothing. */
    public static final String RECONSTRUCT = "reconstruct";
    private static final String EPOCHS = "epochs";
    private static final String DISTILL = "distill";
    private static final String FOLDER = "/io/pare/compress/recipes/";

    /**
     * Whom stages with a {@code distill} above 0 learn from. A recipe writes it as {@code distill: {teacher: [runs/one,
     * runs/two], copies: 8}}.
     *
     * @param teacher folders of finished runs, or files, of networks of the same inputs and classes, which answer by the
     *            mean of their logits; none for the dense network
     * @param copies in which students see each image: teachers are asked about each copy once; 0 for new images, about
     *            which they are asked in each step; {@code null} for any images, where teachers see them as they are
     */
    public record Teaching(List<String> teacher, @Nullable Integer copies) {
        /** By the dense network, which sees images as they are. */
        public static final Teaching BY_DENSE = new Teaching(List.of(), null);
        private static final int MOST_COPIES = 1000;

        /**
         * Copies the list.
         *
         * @throws IllegalArgumentException if an entry is empty, or copies are not 0 to 1000
         */
        public Teaching {
            teacher = teacher == null ? List.of() : Collections.unmodifiableList(new ArrayList<>(teacher));
            if (teacher.stream().anyMatch(each -> each == null || each.isBlank())) {
                throw new IllegalArgumentException("teacher has an empty entry");
            }
            if (copies != null && (copies < 0 || copies > MOST_COPIES)) {
                throw new IllegalArgumentException(
                        "copies cannot be " + copies + ": give 0 to " + MOST_COPIES + ", or leave it out");
            }
        }
    }

    /**
     * Distils, where stages do, from the dense network.
     *
     * @param name of the recipe
     * @param model that it was made for; empty for any
     * @param description one line
     * @param dense how a dense network is trained before it
     * @param stages in their order
     * @param catalog that the recipe was read with
     */
    public Recipe(String name, String model, String description, TrainingOptions dense, List<Stage> stages,
            Catalog catalog) {
        this(name, model, description, dense, stages, Teaching.BY_DENSE, catalog);
    }

    /**
     * Checks the name and copies the lists.
     *
     * @throws IllegalArgumentException if the name has other characters, or the recipe says whom it distils from and
     *             does not distil
     */
    public Recipe {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("name cannot be '" + name
                    + "': it names a folder, so up to 100 letters, digits and ._-, the first no dot");
        }
        stages = List.copyOf(stages);
        Objects.requireNonNull(catalog, "catalog");
        if (!teaching.equals(Teaching.BY_DENSE)
                && stages.stream().flatMap(Stage::trainings).noneMatch(options -> options.distill() > 0)) {
            throw new IllegalArgumentException("distill names whom to learn from, and no stage does: give train a share"
                    + " of it, such as {distill: 0.5}");
        }
    }

    /**
     * Takes stages whose constraints are Pare's own.
     *
     * @param name lower-case letters, digits and hyphens
     * @param model that it was made for; empty for any
     * @param description one line
     * @param dense how a dense network is trained before it
     * @param stages in their order
     */
    public Recipe(String name, String model, String description, TrainingOptions dense, List<Stage> stages) {
        this(name, model, description, dense, stages, standard());
    }

    /** {@return its dense training and its stages in a form that is equal for recipes that do the same} */
    public String text() {
        return dense + " " + text(stages.size());
    }

    /** The first {@code count} stages in a form that is equal for stages that do the same. */
    String text(int count) {
        return new RecipeReader(catalog).text(stages.subList(0, count));
    }

    /** {@return the same stages with one epoch in each of their rounds: what takes time is left out, nothing else} */
    public Recipe shortened() {
        return new RecipeReader(catalog).edited(this, EPOCHS,
                options -> options.put(EPOCHS, Math.min(1, options.get(EPOCHS).asInt())));
    }

    /** {@return the same stages without distillation} */
    public Recipe undistilled() {
        return new RecipeReader(catalog).edited(
                new Recipe(name, model, description, dense, stages, Teaching.BY_DENSE, catalog), DISTILL,
                options -> options.put(DISTILL, 0.0));
    }

    /**
     * {@return how each stage trains}
     *
     * @param withDense whether the dense network's training comes first
     */
    public List<TrainingOptions> trainings(boolean withDense) {
        Stream<TrainingOptions> inner = stages.stream().flatMap(Stage::trainings);
        return (withDense ? Stream.concat(Stream.of(dense), inner) : inner).distinct().toList();
    }

    /** {@return bytes that the network's file may have, as the last stage that bounds it says; 0 for any number} */
    public double fileBytes() {
        return stages.stream().mapToDouble(Stage::fileBytes).filter(bytes -> bytes > 0).reduce((_, next) -> next)
                .orElse(0);
    }

    /** {@return what the network may cost besides bytes of the file: of each quantity what the last stage that bounds it says} */
    public List<Budget> budgets() {
        Map<Budget.Quantity, Budget> last = new EnumMap<>(Budget.Quantity.class);
        stages.stream().flatMap(stage -> stage.budgets().stream()).forEach(each -> last.put(each.quantity(), each));
        return List.copyOf(last.values());
    }

    /** {@return whether a stage learns from the dense network's answers too} */
    public boolean distills() {
        return trainings(false).stream().anyMatch(options -> options.distill() > 0);
    }

    /**
     * Names of the recipes that come with Pare for networks that it knows.
     *
     * @return names for {@link #load}
     */
    public static List<String> shipped() {
        return List.of("lenet5-prune", "lenet5-prune-280", "lenet5-prune-350", "lenet5-prune-480", "lenet5-joint",
                "lenet5-joint-620", "lenet5-file", "lenet5-caffe-prune", "lenet5-robust-prune", "lenet5-cluster",
                "lenet5-quantize", "lenet5-bits",
                "lenet5-binary", "lenet5-caffe-joint", "lenet300-prune", "lenet300-prune-max", "lenet300-cluster",
                "lenet300-quantize", "lenet300-binary", "lenet300-joint", "lenet300-joint-max", "lenet5-fashion-prune",
                "lenet5-fashion-prune-max", "lenet5-fashion-joint", "resnet20-cifar-prune", "resnet20-cifar-joint",
                "resnet20-cifar-bits",
                "vgg11-cifar-prune", "vgg11-cifar-joint", "alexnet-prune", "alexnet-joint", "alexnet-imagenette-joint",
                "vgg16-prune", "vgg16-joint");
    }

    /**
     * Names of the recipes that fit any network and take a ratio.
     *
     * @return names for {@link #general(String, double)}
     */
    public static List<String> general() {
        return List.of("prune", "joint", "quantize", RECONSTRUCT);
    }

    /**
     * {@return the recipe {@code reconstruct}, which fits any network and trains nothing: each layer pruned alike, then its
     * values clustered}
     *
     * @param ratio of a layer's weights to non-zeros, 1 for all of them
     * @param bits of a value, from 1 to 8; 32 for floats
     * @param block neighbours in a row whose values lie on a grid of their own, in place of a codebook; 0 for a codebook
     * @param method how a layer is solved
     * @param samples of the data at most; 0 for all
     * @throws RecipeException if a number is out of range, or nothing would be compressed
     */
    public static Recipe reconstruct(double ratio, int bits, int block, Reconstruct.Solver method, int samples) {
        return reconstruct(ratio, bits, block, method, samples, List.of());
    }

    /**
     * {@return the recipe {@code reconstruct} with as many bits for each tensor's values as budgets allow}
     *
     * @param ratio of a layer's weights to non-zeros, 1 for all of them
     * @param bits of a value; at most, if there are budgets
     * @param block neighbours in a row whose values lie on a grid of their own; 0 for a codebook, as budgets ask for
     * @param method how a layer is solved
     * @param samples of the data at most; 0 for all
     * @param budgets what the network may cost; none where each tensor has so many bits
     * @throws RecipeException if a number is out of range, or nothing would be compressed
     */
    public static Recipe reconstruct(double ratio, int bits, int block, Reconstruct.Solver method, int samples,
            List<Budget> budgets) {
        if (!(ratio >= 1 && ratio <= MOST_RATIO)) {
            throw new RecipeException("the ratio is " + ratio + ", must be from 1 to " + MOST_RATIO);
        }
        if (bits != Float.SIZE && (bits < 1 || bits > MOST_BITS)) {
            throw new RecipeException("bits is " + bits + ": a value takes 1 to " + MOST_BITS + ", or 32 as a float");
        }
        List<Constraint> sets = new ArrayList<>();
        if (ratio > 1) {
            sets.add(Sparsity.share(1 / ratio));
        }
        if (block != 0 && (block < 1 || bits < 2 || bits > MOST_BITS)) {
            throw new RecipeException("blocks of " + block + " weights with values of " + bits
                    + " bits: take 1 or more, and 2 to " + MOST_BITS + " bits");
        }
        if (bits < Float.SIZE) {
            sets.add(block == 0 ? Clustering.bits(bits) : new BlockLevels(bits, block));
        }
        if (sets.isEmpty()) {
            throw new RecipeException("a ratio of 1 and values of 32 bits compress nothing: give others");
        }
        return new Recipe(RECONSTRUCT, "", "Compresses any network without training.", DENSE,
                List.of(new Reconstruct(Map.of("*", sets), method, Reconstruct.DEFAULTS.damping(), samples, 0, true,
                        budgets)));
    }

    /**
     * {@return the recipe {@code reconstruct} within a number of bytes: levels for all weights, each tensor's as fine as its
     * errors are worth}
     *
     * @param bytes of all weights, at most
     * @param method how a layer is solved
     * @param samples of the data at most; 0 for all
     */
    public static Recipe reconstruct(double bytes, Reconstruct.Solver method, int samples) {
        return new Recipe(RECONSTRUCT, "", "Compresses any network without training, into so many bytes.", DENSE,
                List.of(new Reconstruct(Map.of("*", List.of(new ScaledLevels(1, 0))), method,
                        Reconstruct.DEFAULTS.damping(), samples, bytes, true)));
    }

    /**
     * {@return one of the {@link #general} recipes}
     *
     * @param name one of them
     * @param ratio above 1: weights to non-zeros, or 32 bits to those of a value
     * @throws RecipeException if the ratio is out of range
     * @throws IOException if the recipe cannot be read
     */
    public static Recipe general(String name, double ratio) throws IOException {
        if (name.equals(RECONSTRUCT)) {
            return reconstruct(ratio, USUAL_BITS, 0, Reconstruct.DEFAULTS.method(), Reconstruct.DEFAULTS.samples());
        }
        if (!(ratio > 1 && ratio <= MOST_RATIO)) {
            throw new RecipeException("the ratio is " + ratio + ", must be above 1 and at most " + MOST_RATIO);
        }
        if (name.equals("quantize") && ratio > Float.SIZE) {
            throw new RecipeException("the ratio is " + ratio + ": a value of one bit is " + Float.SIZE
                    + " times smaller, for more give --recipe joint");
        }
        String text = resource(name).replace("HALFWAY", Double.toString(Math.sqrt(ratio)))
                .replace("RATIO", Double.toString(ratio))
                .replace("BITS", Long.toString(Math.clamp(Math.round(32 / ratio), 1, MOST_BITS)));
        return parse(name, text);
    }

    /**
     * {@return the recipe for pruning and values that comes with Pare for a model, the first if there are several}
     *
     * @param model name of the network
     * @throws RecipeException if there is none
     * @throws IOException if the recipe cannot be read
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
                "no recipe comes with Pare for " + model
                        + ": give --recipe joint --ratio R, prune or quantize likewise,"
                        + " --recipe FILE, or --auto");
    }

    /**
     * Loads a recipe as {@link #load(String, Catalog)} does, of stages and constraints that come with Pare.
     *
     * @param nameOrFile name of a shipped recipe, or path of a YAML file
     * @return the recipe
     * @throws RecipeException if there is neither, or if it is no text in UTF-8 or does not fit the schema
     * @throws IOException if the file cannot be read
     */
    public static Recipe load(String nameOrFile) throws IOException {
        return load(nameOrFile, standard());
    }

    /**
     * {@return a shipped recipe by name, or else a file}
     *
     * @param nameOrFile name of a shipped recipe, or path of a YAML file
     * @param catalog what it may name
     * @throws RecipeException if there is neither, or if it is no text in UTF-8 or does not fit the schema
     * @throws IOException if the file cannot be read
     */
    public static Recipe load(String nameOrFile, Catalog catalog) throws IOException {
        if (shipped().contains(nameOrFile)) {
            return parse(nameOrFile, resource(nameOrFile), catalog);
        }
        if (general().contains(nameOrFile)) {
            return general(nameOrFile, switch (nameOrFile) {
                case "quantize" -> USUAL_QUANTIZATION;
                case RECONSTRUCT -> USUAL_RECONSTRUCTION;
                default -> USUAL_RATIO;
            });
        }
        Path path = Path.of(nameOrFile);
        if (!Files.isRegularFile(path)) {
            throw new RecipeException("there is no recipe and no file '" + nameOrFile + "'"
                    + Spelling.suggestion(nameOrFile, all()) + "; recipes are " + String.join(", ", all()));
        }
        if (Files.size(path) > MOST_BYTES) {
            throw new RecipeException(nameOrFile + " has more than " + MOST_BYTES + " bytes: it is no recipe");
        }
        try {
            return parse(nameOrFile, Files.readString(path), catalog);
        } catch (CharacterCodingException e) {
            throw new RecipeException(nameOrFile + " is not text in UTF-8: save it as UTF-8", e);
        }
    }

    private static List<String> all() {
        return Stream.concat(general().stream(), shipped().stream()).toList();
    }

    /** The catalog of Pare's own stages, which cannot be linked without Jackson. */
    static Catalog standard() {
        Jackson.needForYaml("recipes");
        return Catalog.STANDARD;
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Recipe.class.getResourceAsStream(FOLDER + name + ".yaml")) {
            if (in == null) {
                throw new RecipeException("the recipe '" + name + "' is missing from this jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /**
     * Reads a recipe as {@link #parse(String, String, Catalog)} does, of stages and constraints that come with Pare.
     *
     * @param where named in errors
     * @param yaml one document
     * @return the recipe
     * @throws RecipeException if it does not fit the schema
     */
    public static Recipe parse(String where, String yaml) {
        return parse(where, yaml, standard());
    }

    /**
     * Reads a recipe.
     *
     * @param where named in errors
     * @param yaml one document
     * @param catalog what it may name
     * @return the recipe
     * @throws RecipeException if it does not fit the schema
     */
    public static Recipe parse(String where, String yaml, Catalog catalog) {
        return new RecipeReader(catalog).read(where, yaml);
    }
}
