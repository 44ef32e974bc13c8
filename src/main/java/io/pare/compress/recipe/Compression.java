package io.pare.compress.recipe;

import io.pare.compress.AdmmOptions;
import io.pare.compress.Training;
import io.pare.compress.TrainingOptions;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.stage.AdmmPrune;
import io.pare.compress.stage.AdmmValues;
import io.pare.compress.stage.ClusterRetrain;
import io.pare.compress.stage.Keep;
import io.pare.compress.stage.MaskRetrain;
import io.pare.compress.stage.Stage;
import io.pare.compress.stage.Structure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Builds a pipeline in code, without YAML. Each method adds a stage; stages run in that order.
 *
 * <pre>{@code
 * Pipeline.Result result = Compression.of(training)
 *         .prune(20, AdmmOptions.DEFAULTS, options)
 *         .retrain(options)
 *         .cluster(Map.of("*", 2), AdmmOptions.DEFAULTS, options)
 *         .run();
 * }</pre>
 *
 * <p>Not thread-safe.
 */
public final class Compression {
    private final Training training;
    private final List<Stage> stages = new ArrayList<>();
    private Path stateFile;
    private Catalog catalog = Catalog.STANDARD;
    private PipelineListener progress = PipelineListener.SILENT;

    private Compression(Training training) {
        this.training = training;
    }

    /** Compresses the weights of that training, in place. */
    public static Compression of(Training training) {
        return new Compression(training);
    }

    /** Prunes to one weight in {@code ratio} over all tensors. */
    public Compression prune(double ratio, AdmmOptions admm, TrainingOptions train) {
        Keep keep = new Keep(0, ratio, GlobalSparsity.Score.LAMP, true, Map.of());
        return stage(new AdmmPrune(keep, Map.of(), 0.7, true, List.of(), admm, train));
    }

    /** Prunes whole structures, by tensor or pattern. */
    public Compression prune(Map<String, Structure> structure, AdmmOptions admm, TrainingOptions train) {
        return stage(new AdmmPrune(Keep.DEFAULTS, structure, 0, true, List.of(), admm, train));
    }

    /** Retrains what is not zero. */
    public Compression retrain(TrainingOptions train) {
        return stage(new MaskRetrain(train));
    }

    /** Clusters to so many bits a value, by tensor or pattern. */
    public Compression cluster(Map<String, Integer> bits, AdmmOptions admm, TrainingOptions train) {
        return stage(new AdmmValues(bits, null, true, true, true, admm, train));
    }

    /** Quantises to evenly spaced levels of so many bits, by tensor or pattern. */
    public Compression quantize(Map<String, Integer> bits, AdmmOptions admm, TrainingOptions train) {
        return stage(new AdmmValues(bits, Quantization.Levels.UNIFORM, true, true, true, admm, train));
    }

    /** Retrains codewords. */
    public Compression retrainValues(TrainingOptions train) {
        return stage(new ClusterRetrain(train));
    }

    /** Adds any stage. */
    public Compression stage(Stage stage) {
        stages.add(stage);
        return this;
    }

    /** Saves the state in a file after each epoch, and resumes from it if it exists. */
    public Compression resumable(Path file) {
        this.stateFile = file;
        return this;
    }

    /** Adds the constraints of the caller, which a resumable run has to read back; without them it has those of Pare. */
    public Compression catalog(Catalog own) {
        this.catalog = own;
        return this;
    }

    /** Reports stages and epochs to {@code listener}. */
    public Compression progress(PipelineListener listener) {
        this.progress = listener;
        return this;
    }

    /** Runs all stages; see {@link Pipeline#run}. */
    public Pipeline.Result run() throws IOException {
        return new Pipeline(new Recipe("builder", "", "", TrainingOptions.DEFAULTS, stages, catalog),
                training, stateFile, progress)
                .run();
    }
}
