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
import io.pare.descent.Stop;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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
    private @Nullable Path stateFile;
    private Catalog catalog = Recipe.standard();
    private PipelineListener progress = PipelineListener.SILENT;
    private Stop stop = Stop.BY_INTERRUPT;

    private Compression(Training training) {
        this.training = training;
    }

    /**
     * Compresses the weights of a training, in place.
     *
     * @param training whose values, gradients and steps are used; the caller's
     * @return stages to be chosen
     */
    public static Compression of(Training training) {
        return new Compression(training);
    }

    /**
     * Prunes to one weight in {@code ratio} over all tensors.
     *
     * @param ratio weights to non-zeros, above 1
     * @param admm how ADMM runs
     * @param train how its W steps train
     * @return this
     */
    public Compression prune(double ratio, AdmmOptions admm, TrainingOptions train) {
        Keep keep = new Keep(0, ratio, GlobalSparsity.Score.LAMP, true, Map.of());
        return stage(new AdmmPrune(keep, Map.of(), 0.7, true, List.of(), admm, train));
    }

    /**
     * Prunes whole structures, by tensor or pattern.
     *
     * @param structure by tensor or pattern
     * @param admm how ADMM runs
     * @param train how its W steps train
     * @return this
     */
    public Compression prune(Map<String, Structure> structure, AdmmOptions admm, TrainingOptions train) {
        return stage(new AdmmPrune(Keep.DEFAULTS, structure, 0, true, List.of(), admm, train));
    }

    /**
     * Retrains what is not zero.
     *
     * @param train how it trains
     * @return this
     */
    public Compression retrain(TrainingOptions train) {
        return stage(new MaskRetrain(train));
    }

    /**
     * Clusters to so many bits a value.
     *
     * @param bits 1 to 8, by tensor or pattern
     * @param admm how ADMM runs
     * @param train how its W steps train
     * @return this
     */
    public Compression cluster(Map<String, Integer> bits, AdmmOptions admm, TrainingOptions train) {
        return stage(new AdmmValues(bits, null, true, true, true, admm, train));
    }

    /**
     * Quantises to evenly spaced levels of so many bits.
     *
     * @param bits 1 to 8, by tensor or pattern
     * @param admm how ADMM runs
     * @param train how its W steps train
     * @return this
     */
    public Compression quantize(Map<String, Integer> bits, AdmmOptions admm, TrainingOptions train) {
        return stage(new AdmmValues(bits, Quantization.Levels.UNIFORM, true, true, true, admm, train));
    }

    /**
     * Retrains codewords: members of one move together.
     *
     * @param train how it trains
     * @return this
     */
    public Compression retrainValues(TrainingOptions train) {
        return stage(new ClusterRetrain(train));
    }

    /**
     * Adds any stage.
     *
     * @param stage that runs after those before
     * @return this
     */
    public Compression stage(Stage stage) {
        stages.add(stage);
        return this;
    }

    /**
     * Saves the state in a file after each epoch, and resumes from it if it exists.
     *
     * @param file replaced in one step each time
     * @return this
     */
    public Compression resumable(Path file) {
        this.stateFile = file;
        return this;
    }

    /**
     * Adds the constraints of the caller, which a resumable run has to read back; without them it has those of Pare.
     *
     * @param own what reads stages and constraints of the state
     * @return this
     */
    public Compression catalog(Catalog own) {
        this.catalog = own;
        return this;
    }

    /**
     * Reports stages and epochs.
     *
     * @param listener called by the thread that runs
     * @return this
     */
    public Compression progress(PipelineListener listener) {
        this.progress = listener;
        return this;
    }

    /**
     * Stops before the end when that says so; see {@link Pipeline#stop}.
     *
     * @param when it stops, looked at after each step
     * @return this
     */
    public Compression stop(Stop when) {
        this.stop = when;
        return this;
    }

    /**
     * Runs all stages; see {@link Pipeline#run}.
     *
     * @return the rows of all stages, and the proofs
     * @throws InfeasibleException if weights are not in a set that a stage put them in, or let nothing pass
     * @throws io.pare.compress.stage.RecipeException if a stage does not fit the tensors, or the state belongs to
     *            another run
     * @throws IOException if the state cannot be read or written
     */
    public Pipeline.Result run() throws IOException {
        return new Pipeline(new Recipe("builder", "", "", TrainingOptions.DEFAULTS, stages, catalog),
                training, stateFile, progress).stop(stop).run();
    }
}
