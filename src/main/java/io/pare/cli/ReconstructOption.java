package io.pare.cli;

import io.pare.compress.constraint.Budget;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.stage.Reconstruct;
import io.pare.compress.stage.Reconstruct.Solver;
import io.pare.data.OddImages;
import io.pare.net.CompressedWeights;
import io.pare.run.Calibration;
import io.pare.run.ModelSource;
import io.pare.run.StoredWeights;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The options of the recipe that trains nothing. */
final class ReconstructOption {
    @Spec(Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--calibrate", paramLabel = "PATH",
            description = "Of reconstruct, or of a recipe with no other stage: inputs without labels, in place of --data. A .npy file"
                    + " of what the network takes, a .npz file with an array for each input of an ONNX file, or a folder of"
                    + " pictures. For the file of a sentence encoder a .txt file with a text in each line. Scores are then"
                    + " the mean change of the outputs.")
    private Path calibration;

    @Option(names = "--tokenizer", paramLabel = "FILE.json",
            description = "Of --calibrate with texts: the encoder's tokenizer.json" + EncoderOption.USUAL_TOKENIZER)
    private Path tokenizer;

    @Option(names = "--samples", paramLabel = "N", defaultValue = "" + Reconstruct.USUAL_SAMPLES,
            description = "Of reconstruct: inputs at most, 0 for all (default: ${DEFAULT-VALUE}).")
    private int samples;

    @Option(names = "--bits", paramLabel = "B",
            description = "Of reconstruct: bits of a value, 1 to 8, or 32 for floats (default: " + Recipe.USUAL_BITS
                    + "). With --budget: at most (default: " + Recipe.MOST_BITS + ").")
    private Integer bits;

    @Option(names = "--file-bytes", paramLabel = "SIZE", converter = MemoryOption.Size.class,
            description = "Of reconstruct with --calibrate: bytes of the .pare file, such as 10M (of 1024). Weights go to levels; how fine"
                    + " those of each layer are follows from what it errs on its inputs. In place of --ratio and --bits.")
    private Long fileBytes;

    @Option(names = "--block", paramLabel = "N", defaultValue = "0",
            description = "Of reconstruct: put each N neighbours of a row on a grid of 2 to 8 bits, as ONNX Runtime runs them from"
                    + " a small file. 0 is a codebook for each layer (default: ${DEFAULT-VALUE}).")
    private int block;

    @Option(names = "--method", paramLabel = "NAME", defaultValue = "admm",
            description = "Of reconstruct: admm, alps, sparsegpt, gptq, wanda or magnitude (default: ${DEFAULT-VALUE}).")
    private Solver method;

    /** Where inputs without labels are; {@code null} for labelled data. */
    Path calibration() {
        return calibration;
    }

    /**
     * Refuses these options where no recipe takes them.
     *
     * @param recipe its name or file; {@code null} where none was given
     */
    void check(String recipe) {
        if (!Recipe.RECONSTRUCT.equals(recipe)) {
            // A recipe of the user's own says the rest itself.
            boolean own = calibration != null && recipe != null && !Recipe.general().contains(recipe);
            refuse("--bits", "--file-bytes", "--block", "--method");
            if (!own) {
                refuse("--calibrate", "--samples");
            }
        }
        if (fileBytes != null && calibration == null) {
            throw new UsageException("--file-bytes belongs to --calibrate");
        }
        for (String option : new String[]{"--bits", "--block"}) {
            if (fileBytes != null && spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new UsageException("--file-bytes chooses how fine weights are: leave " + option + " out");
            }
        }
        if (samples < 0) {
            throw new UsageException("--samples is " + samples + ", must be at least 0");
        }
        if (calibration != null && !Files.exists(calibration)) {
            throw new UsageException("--calibrate " + calibration + " does not exist");
        }
        if (tokenizer != null && (calibration == null || !isText())) {
            throw new UsageException("--tokenizer belongs to --calibrate with a .txt file");
        }
    }

    private void refuse(String... options) {
        for (String option : options) {
            if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new UsageException(option + " belongs to --recipe " + Recipe.RECONSTRUCT);
            }
        }
    }

    /** Refuses inputs without labels for a recipe that trains. */
    void check(Recipe recipe) {
        recipe.stages().stream().filter(stage -> !(stage instanceof Reconstruct)).findFirst().ifPresent(stage -> {
            if (calibration != null) {
                throw new UsageException("--calibrate is for stages reconstruct alone: " + recipe.name() + " has "
                        + stage.name() + ", which needs labels, so give --data");
            }
        });
    }

    private boolean isText() {
        return calibration.toString().toLowerCase(Locale.ROOT).endsWith(".txt");
    }

    /** Whether a size of the file is to be met. */
    boolean budgeted() {
        return fileBytes != null;
    }

    /** The recipe that meets the size that was given, of which {@code rest} bytes are taken by what it leaves alone. */
    Recipe within(long rest) {
        if (fileBytes <= rest) {
            throw new UsageException(String.format(Locale.ROOT,
                    "--file-bytes is %,d, and the network takes %,d without its weights: allow more", fileBytes, rest));
        }
        return Recipe.reconstruct(fileBytes - rest, method, samples);
    }

    /** Says so where a forecast was wrong and the file is larger. */
    void warnOfMore(Path file, PrintWriter err) throws IOException {
        if (fileBytes != null && Files.size(file) > fileBytes) {
            err.printf(Locale.ROOT, "note: %s has %,d bytes, %,d more than --file-bytes: ask for so many less%n", file,
                    Files.size(file), Files.size(file) - fileBytes);
        }
    }

    /** The recipe that prunes so far, with so many bits for all values, or as budgets allow. */
    Recipe recipe(double ratio, List<Budget> budgets) {
        int usual = budgets.isEmpty() ? Recipe.USUAL_BITS : Recipe.MOST_BITS;
        if (!budgets.isEmpty() && block != 0) {
            throw new UsageException("--budget chooses how many values codebooks have: leave --block out");
        }
        return Recipe.reconstruct(ratio, bits == null ? usual : bits, block, method, samples, budgets);
    }

    /** Reads the network and its inputs. */
    Calibration open(String model, FromOption from, OddImages odd, Consumer<String> notes) throws IOException {
        if (isText()) {
            Path file = Path.of(model);
            if (from.given() || !Files.isRegularFile(file)) {
                throw new UsageException("--calibrate " + calibration
                        + " is text, which is for the file of a sentence encoder; " + model + " is none");
            }
            return Calibration.ofText(file, EncoderOption.tokenizer(tokenizer, file), calibration, samples);
        }
        if (!from.given() && Calibration.hasNamedInputs(model, calibration)) {
            return Calibration.ofOnnx(Path.of(model), calibration, from.bindings(model));
        }
        ModelSource source = from.source(model);
        StoredWeights stored = from.given()
                ? from.weights()
                : source.weights().orElseThrow(() -> new UsageException(
                        model + " has no weights: give its trained ones by --from, or a file of a network"));
        CompressedWeights weights = stored.read(from.given() ? source.usual() : null, notes).weights();
        return Files.isDirectory(calibration)
                ? Calibration.ofPictures(weights, calibration, samples, odd, notes)
                : Calibration.of(weights, calibration);
    }
}
