package io.pare.compress.recipe;

import com.fasterxml.jackson.core.type.TypeReference;
import io.pare.compress.Admm;
import io.pare.compress.Guarantee;
import io.pare.compress.LayerRow;
import io.pare.compress.Training;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.RunContext;
import io.pare.compress.stage.Sizes;
import io.pare.compress.stage.Stage;
import io.pare.compress.stage.StageRow;
import io.pare.compress.stage.StageRun;
import io.pare.descent.RunState;
import io.pare.descent.Snapshot;
import io.pare.descent.Stop;
import io.pare.descent.StoppedException;
import io.pare.file.FormatException;
import io.pare.format.safetensors.Safetensors;
import io.pare.mem.CriticalSection;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs the stages of a recipe on a training, keeps its state on disk, and proves the result.
 *
 * <p>With a state file, a run that was stopped at any instant resumes after its last epoch. It ends with the same bits as
 * one that was not stopped. The state fits every recipe that begins with the stages of the run, so that a finished run continues
 * when stages are added. One thread; not reusable. The regions of the training's values stay open while it runs.
 */
public final class Pipeline {
    private static final RunState.Kind STATE =
            new RunState.Kind("pare.run", "2", "is no saved compression run: give another --out");

    private final Recipe recipe;
    private final Training training;
    private final @Nullable Path stateFile;
    private final PipelineListener progress;
    private final RunContext context;
    private final CriticalSection section;
    private final List<StageRow> finished = new ArrayList<>();
    private List<EpochRow> epochs = new ArrayList<>();
    private Provenance provenance = Provenance.NONE;
    private boolean rehearsal;
    private String death = "";

    /**
     * Makes a run of a recipe.
     *
     * @param recipe the stages
     * @param training whose weights are the dense ones; they are changed in place
     * @param stateFile where the state is saved; the run resumes if it exists; {@code null} for none
     * @param progress called by the thread that runs
     */
    public Pipeline(Recipe recipe, Training training, @Nullable Path stateFile, PipelineListener progress) {
        this.recipe = recipe;
        this.training = training;
        this.stateFile = stateFile;
        this.progress = progress;
        this.context = new RunContext(training);
        this.section = context.section("the pipeline of '" + recipe.name() + "'");
    }

    /**
     * {@return off-heap bytes that a run takes besides its training: copies of weights, masks, and Z and U, unless
     * these go into a file} Working memory of projections comes on top, which follows the number of weights that are
     * left.
     *
     * @param recipe the stages
     * @param weights elements of all compressible tensors
     * @param all elements of all tensors
     * @param admmInFile whether Z and U lie in a file
     */
    public static long memory(Recipe recipe, long weights, long all, boolean admmInFile) {
        Sizes sizes = new Sizes(weights, all, admmInFile);
        long most = recipe.stages().stream().mapToLong(stage -> stage.memory(sizes)).max().orElse(0);
        // The weights that the stage began with, and those before its cut.
        return most + 2 * weights * Float.BYTES;
    }

    /**
     * Keeps Z and U in that file, mapped, while a stage needs them, rather than in memory; see
     * {@link Admm.Builder#inFile}.
     *
     * @param file that does not exist yet; gone after the run
     * @return this
     */
    public Pipeline admmFile(Path file) {
        context.admmFile(file);
        return this;
    }

    /**
     * Stops before the end when that says so; by default when the thread is interrupted.
     *
     * @param when it stops, looked at after each step
     * @return this
     */
    public Pipeline stop(Stop when) {
        context.stop(when);
        return this;
    }

    /**
     * Lets the run go on where a network dies in a stage, as may be in one that is too short: see {@link #death}.
     *
     * @param only whether this is a rehearsal
     * @return this
     */
    public Pipeline rehearsal(boolean only) {
        rehearsal = only;
        return this;
    }

    /** {@return in which stage and tensor the network of a rehearsal died, in words; empty if it did not} */
    public String death() {
        return death;
    }

    /**
     * Says what decides the bits of a run besides its recipe: a state that was begun with something else is refused.
     *
     * @param settings saved with the state
     * @return this
     */
    public Pipeline provenance(Provenance settings) {
        provenance = settings;
        return this;
    }

    /**
     * What a pipeline ends with.
     *
     * @param stages one row each
     * @param layers the recount of the final weights
     * @param proofs each constraint with what was counted
     * @param weights elements of all compressible tensors
     * @param nonzeros of them
     * @param weightDataBytes bits times non-zeros, over 8
     * @param codebookBytes all distinct values at four bytes each
     * @param entropyBytes weight data and the entropy bound of positions together
     * @param validation of exactly the final weights
     * @param trainSeconds of all W steps
     * @param projectionSeconds of all Z and U steps
     */
    public record Result(List<StageRow> stages, List<LayerRow> layers, Map<String, Feasibility> proofs, long weights,
            long nonzeros, double weightDataBytes, double codebookBytes, double entropyBytes,
            Training.Evaluation validation, double trainSeconds, double projectionSeconds) {}

    /**
     * Runs all stages, or resumes them.
     *
     * @return the rows of all stages, and the proofs
     * @throws InfeasibleException if weights are not in a set that a stage put them in, or let nothing pass
     * @throws RecipeException if a stage does not fit the model, or the state belongs to another recipe or other
     *            settings
     * @throws StoppedException between two steps, if the run is to stop: its state is that after its last epoch, from which
     *         the same pipeline goes on
     * @throws IOException if the state cannot be read or written
     */
    public Result run() throws IOException {
        try (var _ = section.enter()) {
            return runStages();
        }
    }

    private Result runStages() throws IOException {
        int at = 0;
        int epoch = 0;
        RunState.Reader saved = stateFile != null && Files.exists(stateFile)
                ? new RunState.Reader(stateFile, STATE, recipe.catalog().json()) : null;
        try (Region region = Region.shared("stage start")) {
            Snapshot start = new Snapshot(region, Variable.values(context.weights()));
            if (saved != null) {
                at = (int) saved.whole("stage", 0, 0, Integer.MAX_VALUE);
                epoch = (int) saved.whole("epochInStage", 0, 0, Integer.MAX_VALUE);
                checkRecipe(saved.text("stages", ""), at + (epoch > 0 ? 1 : 0));
                provenance.check(stateFile, saved.textOr("settings", null));
                death = saved.textOr("death", "");
                visit(saved);
                if (finished.size() != at || epochs.size() != epoch) {
                    throw saved.damaged("finished", null);
                }
            }
            RecipeCheck.notes(recipe, training, saved == null, stateFile != null);
            progress.runBegins(recipe.name(), Stream
                    .concat(finished.stream().flatMap(stage -> stage.epochs().stream()), epochs.stream())
                    .mapToLong(EpochRow::epoch).max().orElse(0));
            for (int i = at; i < recipe.stages().size(); i++) {
                int first = i == at ? epoch : 0;
                context.stop().check();
                runStage(i, first, first > 0 ? saved : null, start);
            }
            context.stop().check();
        } finally {
            if (saved != null) {
                saved.close();
            }
        }
        return result();
    }

    /** Refuses a state whose stages are not those that this recipe begins with. */
    private void checkRecipe(String begun, int stages) {
        for (int i = 1; i <= stages; i++) {
            if (i > recipe.stages().size() || !begun.startsWith(recipe.text(i))) {
                throw new RecipeException(stateFile + " was begun with another stage " + i + " than '" + recipe.name()
                        + "' has: go on with the recipe that it was begun with, or give another --out");
            }
        }
        if (!begun.equals(recipe.text(stages))) {
            throw new FormatException(stateFile + " is damaged: its stages are not those it says it ended");
        }
    }

    private void runStage(int index, int first, RunState.Reader saved, Snapshot start) throws IOException {
        Stage stage = recipe.stages().get(index);
        String kind = stage.name();
        try (StageRun run = stage.open(context)) {
            int total = run.epochs();
            if (saved == null) {
                start.take();
                run.begin();
            } else {
                start.visit(saved, "start.");
                resume(run, first, saved);
            }
            progress.stageBegins(index + 1, recipe.stages().size(), kind, total);
            for (int e = first; e < total && !run.converged(); e++) {
                EpochRow row = run.epoch(e);
                epochs.add(row);
                progress.epoch(row);
                if (stateFile != null && e + 1 < total) {
                    save(index, e + 1, run, start);
                }
            }
            List<Guarantee> before = context.guarantees();
            Training.Evaluation end = run.finish();
            verify("stage " + (index + 1) + " (" + kind + ")", before);
            StageRow row = new StageRow(index + 1, kind, end.accuracy(), end.loss(),
                    start.squaredDistances().values().stream().mapToDouble(Double::doubleValue).sum(),
                    run.cutErrors(), run.outputErrors(),
                    epochs.stream().mapToDouble(EpochRow::trainSeconds).sum(),
                    epochs.stream().mapToDouble(EpochRow::projectionSeconds).sum(), LayerRow.of(context.weights()),
                    List.copyOf(epochs));
            epochs = new ArrayList<>();
            finished.add(row);
            progress.stageEnds(row);
        }
        if (stateFile != null) {
            save(index + 1, 0, null, start);
        }
    }

    private static void resume(StageRun run, int epochs, RunState.Reader saved) {
        try {
            run.visit(saved);
        } catch (IllegalArgumentException e) {
            throw saved.damaged("stage", e);
        }
        if (epochs >= run.epochs()) {
            throw saved.damaged("epochInStage", null);
        }
    }

    /** Whether what a stage made is what it was to make, and a network. */
    private void verify(String stage, List<Guarantee> before) {
        List<Guarantee> made = context.guarantees().stream().filter(guarantee -> !before.contains(guarantee)).toList();
        if (stateFile != null) {
            made.forEach(guarantee -> recipe.catalog().checkKnown(guarantee.constraint()));
        }
        try {
            proofs(made, name -> context.variable(name).value());
        } catch (InfeasibleException e) {
            throw new InfeasibleException(stage + ": " + e.getMessage());
        }
        String blocked = Blockage.find(context.weights(), training.links(), training::leadsPast);
        if (blocked != null && death.isEmpty()) {
            death = "the network died in " + stage + ": nothing passes " + blocked;
            if (!rehearsal) {
                throw new InfeasibleException(
                        death + " any more; ask the stage for less, in more epochs or with a longer ramp");
            }
        }
    }

    private void save(int stage, int epoch, StageRun run, Snapshot start) throws IOException {
        RunState.Writer state = new RunState.Writer(STATE, recipe.catalog().json());
        state.text("stages", recipe.text(stage + (epoch > 0 ? 1 : 0)));
        state.text("settings", provenance.text());
        state.count("stage", stage);
        state.count("epochInStage", epoch);
        state.text("death", death);
        visit(state);
        if (run != null) {
            start.visit(state, "start.");
            run.visit(state);
        }
        state.write(stateFile);
    }

    private void visit(RunState state) {
        context.visit(state);
        List<StageRow> ended = state.json("finished", finished, new TypeReference<List<StageRow>>() {});
        List<EpochRow> open = state.json("epochs", epochs, new TypeReference<List<EpochRow>>() {});
        if (ended.contains(null) || open.contains(null)) {
            throw state.damaged("finished", null);
        }
        if (state.reading()) {
            finished.clear();
            finished.addAll(ended);
            epochs = open;
        }
    }

    private Result result() throws IOException {
        return result(prove());
    }

    /**
     * Counts the weights again as they are now, after they were changed since {@link #run}.
     *
     * @return the last result, with new counts and proofs
     * @throws InfeasibleException if they are no longer in a set that a stage put them in
     */
    public Result recount() {
        try (var _ = section.enter()) {
            return result(proofs(context.guarantees(), name -> context.variable(name).value()));
        }
    }

    /**
     * Checks that the weights as they are now lie in all sets that stages put them in.
     *
     * @throws InfeasibleException naming the first one that they do not lie in
     */
    public void check() {
        try (var _ = section.enter()) {
            proofs(context.guarantees(), name -> context.variable(name).value());
        }
    }

    private Result result(Map<String, Feasibility> proofs) {
        List<LayerRow> layers = LayerRow.of(context.weights());
        long nonzeros = layers.stream().mapToLong(LayerRow::kept).sum();
        double data = layers.stream().mapToDouble(LayerRow::dataBytes).sum();
        double codebooks = layers.stream().filter(row -> row.bits() < 32).mapToDouble(row -> 4.0 * row.unique()).sum();
        double positions = layers.stream().mapToDouble(LayerRow::entropyPositionBytes).sum();
        return new Result(List.copyOf(finished), layers, proofs, context.weightCount(), nonzeros, data, codebooks,
                data + positions, training.validate(), context.trainingSeconds(), context.projectionSeconds());
    }

    /** Recounts from stored weights where there is a state file, else from those in memory. */
    private Map<String, Feasibility> prove() throws IOException {
        if (stateFile == null) {
            return proofs(context.guarantees(), name -> context.variable(name).value());
        }
        try (Region region = Region.confined("proof"); Safetensors stored = Safetensors.open(stateFile)) {
            return proofs(context.guarantees(), name -> {
                try {
                    FloatTensor tensor = stored.floats("value." + name, region);
                    if (tensor.segment().mismatch(context.variable(name).value().segment()) >= 0) {
                        throw new InfeasibleException(name + " is stored other than it was trained");
                    }
                    return tensor;
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /**
     * Counts whether tensors lie in the sets that they were put in.
     *
     * @throws InfeasibleException naming the first one that does not
     */
    static Map<String, Feasibility> proofs(List<Guarantee> guarantees,
            Function<String, FloatTensor> tensors) {
        Map<String, Feasibility> proofs = new LinkedHashMap<>();
        for (Guarantee guarantee : guarantees) {
            ProjectionState memory = new ProjectionState();
            memory.replace(guarantee.memory());
            Feasibility found = guarantee.constraint().measure(guarantee.tensors().stream().map(tensors).toList(),
                    memory);
            if (!found.holds()) {
                throw new InfeasibleException(guarantee + " does not hold: " + found.detail());
            }
            proofs.put(guarantee.toString(), found);
        }
        return proofs;
    }

    /** {@return the constraints that the result lies in} */
    public List<Guarantee> guarantees() {
        return context.guarantees();
    }
}
