package io.pare.run;

import io.pare.compress.Guarantee;
import io.pare.compress.TrainingOptions;
import io.pare.compress.constraint.Budget;
import io.pare.compress.recipe.InfeasibleException;
import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.recipe.Provenance;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.recipe.RecipeCheck;
import io.pare.compress.recipe.Sensitivity;
import io.pare.compress.stage.MaskRetrain;
import io.pare.compress.stage.Stage;
import io.pare.data.Corpus;
import io.pare.data.Dataset;
import io.pare.descent.Stop;
import io.pare.descent.StoppedException;
import io.pare.exec.backend.Precision;
import io.pare.file.FolderLock;
import io.pare.file.FormatException;
import io.pare.format.pare.PareFile;
import io.pare.mem.FloatTensor;
import io.pare.mpi.Ranks;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Parameter;
import io.pare.net.Task;
import io.pare.train.Checkpoint;
import io.pare.train.Evaluation;
import io.pare.train.Metrics;
import io.pare.train.Network;
import io.pare.train.Reduction;
import io.pare.train.Robustness;
import io.pare.train.TrainingMemory;
import io.pare.train.TrainingSettings;
import io.pare.train.Weight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Compresses a network in a folder. It trains the dense network or takes a trained one, and runs a recipe or searches one.
 * Then it packs the result, writes it as {@code .pare} and reads it back.
 *
 * <pre>{@code
 * try (CompressionJob job = new CompressionJob(data.model(), data.corpus(), folder)
 *         .recipe(Recipe.load("lenet300-prune")).from(StoredWeights.of(trained))) {
 *     CompressionResult result = job.run();
 * }
 * }</pre>
 *
 * <p>The folder keeps the state: the same job, stopped at any instant and begun again, resumes after its last epoch and
 * ends with the same bits. {@code NativeThreads.set} says with how many threads it computes.
 *
 * <p>Owns its networks, which lie off-heap, and the lock on the folder, until {@link #close}. Say what is to be done, then
 * {@link #begin} or {@link #run}, each once. One thread at a time.
 */
public final class CompressionJob implements AutoCloseable {
    /** Name of the dense network's file. */
    private static final String DENSE = "dense.safetensors";
    private static final String DENSE_STATE = "dense-state.safetensors";
    private static final String STATE = "state.safetensors";
    private static final int AUTO_TRIES = 4;
    /** In the metadata of the dense network: what it was made from. */
    private static final String PROVENANCE = "provenance";

    /** Gives a network its first weights. */
    private interface First {
        void copyTo(Network into, InputScale scale, Consumer<String> notes) throws IOException;
    }

    private final Net model;
    private final Corpus corpus;
    private Path folder;
    private PrivateFolder own;
    private Recipe recipe;
    private Double ratio;
    private Double bytes;
    private List<Budget> within = List.of();
    private List<CostTable> costs = List.of();
    private Budgets budgets;
    private double floor;
    private First from;
    private Ending ending = Ending.NONE;
    private UnaryOperator<CompressedWeights> written = UnaryOperator.identity();
    private UnaryOperator<float[]> counted = UnaryOperator.identity();
    private long seed = 1;
    private Precision precision = Precision.FP32;
    private @Nullable MemoryFit memory;
    private Path admmFile;
    private int steps;
    private boolean packed = true;
    private Map<String, String> noted;
    private boolean anew;
    private PipelineListener progress = PipelineListener.SILENT;
    private Ranks ranks = Ranks.alone();
    private Reduction reduction = Reduction.USUAL;
    private Stop stop = Stop.BY_INTERRUPT;
    private Consumer<String> notes = line -> {
    };
    private Consumer<String> warnings = line -> {
    };

    private FolderLock lock;
    private Dataset.Split split;
    private Fitted fitted;
    private Network network;
    /** The dense network as it was: what a search goes back to, and whom stages distil from if they name no other. */
    private Network dense;
    private StoredTeachers teachers;
    private NetworkTraining training;
    private Provenance provenance;
    private double denseSeconds;
    private Evaluation denseTest;
    private @Nullable Robustness denseRobust;
    private boolean used;

    /**
     * Touches nothing yet.
     *
     * @param model of the network
     * @param corpus with images and classes that fit the model
     * @param folder for state and results, created if need be
     */
    public CompressionJob(Net model, Corpus corpus, Path folder) {
        this.model = model;
        this.corpus = corpus;
        this.folder = folder;
    }

    /**
     * Compresses by a recipe; without this or a search, by the model's usual one.
     *
     * @param given not beside a search
     * @return this
     */
    public CompressionJob recipe(Recipe given) {
        recipe = given;
        return this;
    }

    /**
     * Searches counts for each layer by a scan of what each can do without.
     *
     * @param wanted weights to non-zeros, at least 1
     * @param least validation accuracy to reach, or another task's metric, of errors at most: a run that misses it is
     *            made again at four fifths of the ratio, three times at most; 0 for any
     * @return this
     */
    public CompressionJob toRatio(double wanted, double least) {
        ratio = wanted;
        floor = least;
        return this;
    }

    /**
     * Searches counts and bits for each layer by a scan of what each can do without.
     *
     * @param wanted bytes of weight data, bits times non-zeros over 8, at least 1
     * @param least as of {@link #toRatio}, with five fourths of the bytes
     * @return this
     */
    public CompressionJob toBytes(double wanted, double least) {
        bytes = wanted;
        floor = least;
        return this;
    }

    /**
     * Searches counts, and bits where they count, for each layer by a scan of what each can do without, such that the network
     * costs no more than budgets allow.
     *
     * @param budgets each of another quantity; none where only the tables' costs are to be told
     * @param tables what latency and energy are; a budget of one needs its table
     * @param least as of {@link #toRatio}, with five fourths of the budgets
     * @return this
     */
    public CompressionJob within(List<Budget> budgets, List<CostTable> tables, double least) {
        within = List.copyOf(budgets);
        costs = List.copyOf(tables);
        if (!within.isEmpty()) {
            floor = least;
        }
        return this;
    }

    /**
     * Begins with these weights; without them a dense network is trained first, as the recipe says.
     *
     * @param weights of the same model
     * @return this
     */
    public CompressionJob from(StoredWeights weights) {
        from = weights::copyTo;
        return this;
    }

    /**
     * Begins with these weights.
     *
     * @param weights of the same model
     * @return this
     */
    public CompressionJob from(CompressedWeights weights) {
        from = (into, _, _) -> into.copyFrom(weights);
        return this;
    }

    /**
     * Writes another network with the same tensors, or some of them, in place of that which is compressed.
     *
     * @param made gives what is written, from what was compressed
     * @return this
     */
    public CompressionJob written(UnaryOperator<CompressedWeights> made) {
        written = made;
        return this;
    }

    /**
     * Says what of the outputs counts, where errors of layers are weighed against each other.
     *
     * @param found makes it of the outputs of some samples, one after another
     * @return this
     */
    public CompressionJob counted(UnaryOperator<float[]> found) {
        counted = found;
        return this;
    }

    /**
     * Writes the network with this ending, which its file has and training leaves out.
     *
     * @param given ending of the file, or none
     * @return this
     */
    public CompressionJob ending(Ending given) {
        ending = given;
        return this;
    }

    /**
     * Fixes all that is random, and which training images are held back for validation; 1 unless given.
     *
     * @param number any
     * @return this
     */
    public CompressionJob seed(long number) {
        seed = number;
        return this;
    }

    /**
     * Chooses the numbers of training steps; validation is in fp32 in any case.
     *
     * @param numbers fp32 unless given
     * @return this
     */
    public CompressionJob precision(Precision numbers) {
        precision = numbers;
        return this;
    }

    /**
     * Stays within a limit: by more passes a step, then by ADMM's tensors in a file.
     *
     * @param limit of the process; without this, {@link MemoryFit#container(Ranks)}
     * @return this
     */
    public CompressionJob memory(MemoryFit limit) {
        memory = limit;
        return this;
    }

    /**
     * Keeps ADMM's Z and U in that file, mapped, rather than in memory; it must not exist, and is gone at the end.
     *
     * @param file does not exist yet
     * @return this
     */
    public CompressionJob admmFile(Path file) {
        admmFile = file;
        return this;
    }

    /**
     * Makes it a rehearsal: one epoch in each round of a stage, of at most so many steps; a search is tried once.
     *
     * @param most steps an epoch, at least 1
     * @return this
     */
    public CompressionJob rehearsal(int most) {
        steps = most;
        return this;
    }

    /**
     * Leaves all weights and biases as trained, in place of packing them.
     *
     * @return this
     */
    public CompressionJob unpacked() {
        packed = false;
        return this;
    }

    /**
     * Notes in the file how it was made: recipe, data, seed, and the scores on validation and test data. The file then has
     * some 150 bytes more; {@link PareFile#provenance} reads them.
     *
     * @param more what else to note, first; texts of one line by names without a colon
     * @return this
     */
    public CompressionJob provenance(Map<String, String> more) {
        noted = new LinkedHashMap<>(more);
        return this;
    }

    /**
     * Begins again where the folder holds an unfinished run, rather than going on.
     *
     * @return this
     */
    public CompressionJob anew() {
        anew = true;
        return this;
    }

    /**
     * Compresses together with the same jobs of other processes: each sees its part of every batch, all take the same steps
     * of ADMM, and only the first one writes into the folder.
     *
     * @param together the processes
     * @param by how gradients are brought together
     * @return this
     */
    public CompressionJob on(Ranks together, Reduction by) {
        ranks = together;
        reduction = by;
        return this;
    }

    /**
     * Stops before the end when that says so, by a {@link StoppedException}; by default when the thread is interrupted. The
     * folder then has the state after the last epoch, from which the same job goes on to the same bits.
     *
     * @param when it stops, looked at after each step
     * @return this job
     */
    public CompressionJob stop(Stop when) {
        stop = when;
        return this;
    }

    /**
     * Is told of stages and epochs.
     *
     * @param listener called by the thread that runs
     * @return this
     */
    public CompressionJob progress(PipelineListener listener) {
        progress = listener;
        return this;
    }

    /**
     * Takes a line that says what is planned.
     *
     * @param listener called by the thread that runs
     * @return this
     */
    public CompressionJob notes(Consumer<String> listener) {
        notes = listener;
        return this;
    }

    /**
     * Takes a line for what is odd: about the recipe, the first weights, or a loss that grows out of all proportion.
     *
     * @param listener called by the thread that runs
     * @return this
     */
    public CompressionJob warnings(Consumer<String> listener) {
        warnings = listener;
        return this;
    }

    private boolean searches() {
        return ratio != null || bytes != null || !within.isEmpty();
    }

    /**
     * Takes the folder and makes the dense network, which {@link #network} then gives.
     *
     * @return the dense network on test data
     * @throws RunException if the settings exclude each other, or the memory limit holds nothing
     * @throws io.pare.compress.stage.RecipeException if the recipe cannot end well for this network, or the folder
     *            holds what was made with other settings
     * @throws FormatException if a file with weights or state is damaged
     * @throws StoppedException between two steps of the dense training, as {@link #stop} says
     * @throws io.pare.file.FileException if another run has the folder, or a file cannot be written
     * @throws IOException if a file cannot be read or written
     */
    public Evaluation begin() throws IOException {
        if (used) {
            throw new IllegalStateException("a job begins once");
        }
        used = true;
        if (memory == null) {
            memory = MemoryFit.container(ranks);
        }
        ranks.together(() -> {
            prepare();
            stop.check();
            lock = ranks.first() ? FolderLock.take(folder) : null;
            return null;
        });
        List<String> states = new ArrayList<>(List.of(DENSE_STATE, DENSE, STATE));
        for (int i = 0; i < AUTO_TRIES; i++) {
            states.add(autoState(i));
        }
        for (String state : anew ? states : List.<String>of()) {
            Files.deleteIfExists(folder.resolve(state));
        }
        if (ranks.size() > 1) {
            own = PrivateFolder.of(folder, ranks, states);
            folder = own.path();
            admmFile = ranks.first() || admmFile == null ? admmFile : folder.resolve("admm.tmp");
        }
        Path denseState = folder.resolve(DENSE_STATE);
        Path denseFile = folder.resolve(DENSE);
        split = corpus.split(0, seed);
        Recipe planned = planned();
        teachers = StoredTeachers.open(planned, model, corpus);
        fitted = fitted(planned, from == null && !Files.exists(denseFile));
        network = Network.create(model, seed, Natives.enabled()).on(ranks, reduction);
        if (searches() || recipe.distills() && teachers.empty()) {
            dense = Network.create(model, seed, Natives.enabled());
            teachers.byDense(dense);
        }
        training = new NetworkTraining(network, teachers.teachers(), split.train(), split.validation(), corpus.scale(),
                corpus.augmentation().crop(), seed, steps, precision);
        training.costs(budgets);
        training.passes(fitted::passes);
        training.counted(counted);
        training.warnings(warnings);
        provenance = provenance();
        if (from != null) {
            ranks.together(() -> {
                from.copyTo(network, corpus.scale(), warnings);
                return null;
            });
        }
        if (ranks.size() > 1) {
            ranks.requireSame(Map.of("its weights", Checkpoint.fingerprint(network), "its recipe", planned().text(),
                    "its options or data", provenance.text(), "how gradients are summed", reduction.toString()));
        }
        if (from == null) {
            trainDense(denseState, denseFile);
        }
        provenance = provenance.with("starting weights", Checkpoint.fingerprint(network));
        if (dense != null) {
            copy(network, dense);
        }
        denseTest = training.measure(corpus.test());
        denseRobust = robust(planned);
        return denseTest;
    }

    /** The network of now on test data under the attack of the last stage that has one; {@code null} where none has. */
    private @Nullable Robustness robust(Recipe run) {
        return run.trainings(false).stream().map(TrainingOptions::attack).filter(Objects::nonNull)
                .reduce((_, last) -> last).map(attack -> training.measure(corpus.test(), attack)).orElse(null);
    }

    private void prepare() throws IOException {
        if (recipe != null && searches() || ratio != null && bytes != null
                || !within.isEmpty() && (ratio != null || bytes != null)) {
            throw new RunException("a recipe, a ratio, a number of bytes and budgets exclude each other: give one");
        }
        if (model.weightCount() == 0) {
            throw new RunException(model.name() + " has no weights: there is nothing to compress");
        }
        budgets = new Budgets(within, model, corpus.scale(), costs);
        if (!searches()) {
            recipe = recipe == null ? Recipe.usual(model.name()) : recipe;
            recipe = suited(recipe);
            if (admmFile != null && recipe.stages().stream().noneMatch(Stage::hasAdmm)) {
                throw new RunException("--admm-file is for stages with ADMM, and recipe " + recipe.name()
                        + " has none: leave it out");
            }
            checkRecipe();
            budgets = budgets.of(recipe.budgets());
        }
    }

    /** The recipe as this job runs it: short in a rehearsal, without distillation where there are no classes. */
    private Recipe suited(Recipe given) {
        Recipe timed = steps > 0 ? given.shortened() : given;
        if (corpus.task() == Task.CLASSIFY || !given.distills()) {
            return timed;
        }
        if (!searches() && !Recipe.general().contains(given.name())) {
            throw new RunException("recipe " + given.name() + " distils, which is for task classify, not for "
                    + corpus.task() + ": leave 'distill' out of its stages");
        }
        return timed.undistilled();
    }

    /** The recipe, or what stands for that of a search. */
    private Recipe planned() {
        return searches() ? outline() : recipe;
    }

    /** The stages that a search will end with, before it knows counts. */
    private Recipe outline() {
        return suited(within.isEmpty()
                ? Sensitivity.outline(model.name(), bytes != null)
                : Sensitivity.outline(model.name(), budgets.coded(), budgets.fileBytes(1)));
    }

    /** Refuses a recipe that cannot end well for this network, and says what is odd about it. */
    private void checkRecipe() {
        if (!recipe.model().isBlank() && !recipe.model().equals(model.name())) {
            warnings.accept("note: recipe " + recipe.name() + " was made for " + recipe.model() + ", not for "
                    + model.name());
        }
        List<RecipeCheck.Tensor> tensors = model.parameters().stream().filter(Parameter::weight)
                .map(each -> from != null
                        ? RecipeCheck.Tensor.unknown(each.name(), each.shape())
                        : RecipeCheck.Tensor.dense(each.name(), each.shape()))
                .toList();
        RecipeCheck.notes(recipe, tensors, NetworkTraining.output(model), !model.links().isEmpty(),
                NetworkTraining.groups(model))
                .forEach(note -> warnings.accept("note: recipe " + recipe.name() + ": " + note));
    }

    private void trainDense(Path denseState, Path denseFile) throws IOException {
        TrainingOptions options = planned().dense();
        Provenance denseFrom = provenance.with("'dense:' of its recipe", options);
        if (Files.exists(denseFile)) {
            denseFrom.check(denseFile, Checkpoint.loadWeights(network, denseFile).get(PROVENANCE));
        } else {
            Recipe dense = new Recipe("dense", model.name(), "", options, List.of(new MaskRetrain(options)));
            denseSeconds = new Pipeline(dense, training, denseState, progress).stop(stop).provenance(provenance)
                    .run()
                    .trainSeconds();
            Checkpoint.saveWeights(network, corpus.scale(), denseFile, Map.of(PROVENANCE, denseFrom.text()));
        }
        Files.deleteIfExists(denseState);
    }

    /** What decides the bits of a run besides recipe and starting weights. */
    private Provenance provenance() {
        String images = corpus.train().fingerprint()
                + (corpus.validation() == null ? "" : " and " + corpus.validation().fingerprint());
        Provenance same = Provenance.NONE.with("--seed", seed).with("--precision", precision).with("--steps", steps)
                .with("data", images).with("scale of pixels", Scales.text(corpus.scale()))
                .with("layers", model.fingerprint());
        if (!searches() && !recipe.teaching().equals(Recipe.Teaching.BY_DENSE)) {
            same = same.with("'distill:' of its recipe", teachers.networks().stream().map(Checkpoint::fingerprint)
                    .toList() + " copies " + recipe.teaching().copies());
        }
        if (!budgets.costs().isEmpty()) {
            same = same.with("--cost", budgets.costs());
        }
        return corpus.task() == Task.CLASSIFY ? same : same.with("--task", corpus.task());
    }

    /** {@return whether the folder is this job's, so that the same job would go on from what is in it} */
    public boolean begun() {
        return lock != null;
    }

    /**
     * {@return the network as it is now: dense after {@link #begin}, compressed after {@link #run}; gone after {@link
     * #close}}
     */
    public Network network() {
        if (network == null) {
            throw new IllegalStateException("the job has not begun: call begin() or run()");
        }
        return network;
    }

    /** What the stages came to. */
    private record Compressed(Recipe recipe, Pipeline pipeline, Pipeline.Result result, @Nullable Sensitivity scan,
            Sensitivity.@Nullable Plan plan) {}

    /**
     * Begins, if {@link #begin} has not, and does all of it.
     *
     * @return what was written, and how good it is
     * @throws InfeasibleException if the recipe cannot be met; the weights by then are in the folder
     * @throws StoppedException between two steps, as {@link #stop} says
     * @throws RunException as {@link #begin} does
     * @throws io.pare.train.TrainingException if the loss is no longer a finite number
     * @throws FormatException if the file does not give back what was written
     * @throws io.pare.file.FileException if a file cannot be written; the same job then goes on
     * @throws IOException if a file cannot be read or written
     */
    public CompressionResult run() throws IOException {
        if (!used) {
            begin();
        }
        Compressed compressed = searches() ? search() : byRecipe();
        Pipeline pipeline = compressed.pipeline();
        Pipeline.Result result = compressed.result();
        List<Packing.Row> packing = List.of();
        if (packed && pipeline.death().isEmpty()) {
            stop.check();
            packing = new Packing(model, values(network), training, pipeline, corpus.scale())
                    .run(compressed.recipe().fileBytes());
            result = pipeline.recount();
        }
        Checkpoint.saveWeights(network, ending, corpus.scale(), folder.resolve(Checkpoint.WEIGHTS), Map.of());
        checkSize(compressed.recipe().fileBytes());
        Evaluation test = training.measure(corpus.test());
        Robustness robust = robust(compressed.recipe());
        Path file = folder.resolve(model.name() + ".pare");
        long written = write(file, pipeline.guarantees(), note(compressed.recipe(), result, test));
        return new CompressionResult(compressed.recipe(), model, result, pipeline.death(), packing, denseTest, test,
                file,
                written, denseSeconds, Metrics.ofConstant(split.validation()),
                budgets.rows(compressed.scan(), compressed.plan(), values(network), written), denseRobust, robust);
    }

    /** Refuses a network whose file would have more bytes than the recipe allows; a rehearsal's may. */
    private void checkSize(double most) {
        double bytes = most == 0 || steps > 0 ? 0 : training.fileBytes().of(values(network));
        if (bytes > most) {
            throw new InfeasibleException(String.format(Locale.ROOT,
                    "the file has %.0f bytes where the recipe allows %.0f: its weights are in %s%s", bytes, most,
                    folder.resolve(Checkpoint.WEIGHTS),
                    packed ? "; ask its stage for fewer bytes" : "; leave --no-pack out"));
        }
    }

    private Compressed byRecipe() throws IOException {
        Pipeline pipeline = new Pipeline(recipe, training, folder.resolve(STATE), progress).admmFile(fitted.admmFile())
                .provenance(provenance).stop(stop).rehearsal(steps > 0);
        return new Compressed(recipe, pipeline, run(pipeline), null, null);
    }

    /** Asks for less until validation accuracy is high enough. */
    private Compressed search() throws IOException {
        double wanted = !within.isEmpty() ? 1 : bytes != null ? bytes : ratio;
        Sensitivity scan = Sensitivity.scan(training, Sensitivity.SHARES, Sensitivity.BITS);
        int tries = 0;
        while (true) {
            stop.check();
            Sensitivity.Plan plan = within.isEmpty() ? null : budgets.plan(scan, wanted);
            Recipe tried = suited(plan != null
                    ? budgets.recipe(plan, wanted)
                    : bytes != null
                            ? scan.recipe(model.name(), wanted)
                            : scan.recipe(model.name(), model.weightCount(), wanted));
            Pipeline pipeline = new Pipeline(tried, training, folder.resolve(autoState(tries)), progress)
                    .admmFile(fitted.admmFile())
                    .provenance(provenance).stop(stop).rehearsal(steps > 0);
            Pipeline.Result result = run(pipeline);
            if (steps > 0 || reached(result.validation().accuracy()) || ++tries == AUTO_TRIES) {
                return new Compressed(tried, pipeline, result, scan, plan);
            }
            wanted *= ratio != null ? 0.8 : 1.25;
            copy(dense, network);
        }
    }

    /**
     * {@return whether a score is as good as the search is to reach}
     *
     * @param score validation accuracy, or another task's metric
     */
    public boolean reached(double score) {
        return floor == 0 || score >= corpus.task().score(floor);
    }

    /** Runs the stages; where they cannot end, what there is by then is kept. */
    private Pipeline.Result run(Pipeline pipeline) throws IOException {
        try {
            return pipeline.run();
        } catch (InfeasibleException e) {
            Path weights = folder.resolve(Checkpoint.WEIGHTS);
            Checkpoint.saveWeights(network, ending, corpus.scale(), weights, Map.of());
            throw new InfeasibleException(e.getMessage() + "; its weights are in " + weights
                    + ": begin again with --anew and another recipe, or go on from them with --from");
        }
    }

    private Map<String, String> note(Recipe used, Pipeline.Result result, Evaluation test) {
        if (noted == null) {
            return Map.of();
        }
        Map<String, String> note = new LinkedHashMap<>(noted);
        note.put("recipe", used.name());
        note.put("data", corpus.name() + ", " + corpus.train().fingerprint());
        note.put("seed", Long.toString(seed));
        note.put("validation",
                String.format(Locale.ROOT, "%.4f", corpus.task().shown(result.validation().accuracy())));
        note.put("test", test.words());
        return note;
    }

    /** Writes the coded network and reads it back; gives the file's size. */
    private long write(Path file, List<Guarantee> guarantees, Map<String, String> note) throws IOException {
        CompressedWeights coded =
                ScaledTensors.code(CompressedWeights.of(model, values(network), corpus.scale()), guarantees);
        CompressedWeights weights = written.apply(ending.on(coded));
        PareFile.write(file, weights, note);
        CompressedWeights stored = PareFile.read(file);
        weights.tensors().forEach((name, tensor) -> {
            if (!tensor.sameAs(stored.tensor(name))) {
                throw new FormatException(file + " does not give back the values of " + name
                        + " that were written: the disk is broken, or this is a fault of Pare's");
            }
        });
        return Files.size(file);
    }

    /** Trainings by batch in the passes that fit, and where Z and U lie; {@code null} for memory. */
    private record Fitted(Map<Integer, TrainingSettings> byBatch, Path admmFile) {
        TrainingSettings passes(TrainingSettings asked) {
            TrainingSettings chosen = byBatch.get(asked.batchSize());
            return chosen == null
                    ? asked
                    : asked.in(chosen.accumulate(), chosen.evaluationBatch(), chosen.recompute());
        }
    }

    /** Fits the run into the memory limit: by more passes a step, then by Z and U in a file. */
    private Fitted fitted(Recipe outline, boolean dense) {
        if (!memory.given()) {
            return new Fitted(Map.of(), admmFile);
        }
        Dataset train = split.train();
        List<TrainingSettings> settings = outline.trainings(dense).stream()
                .map(options -> NetworkTraining.settings(options, null, corpus.augmentation().crop(), seed,
                        precision).on(ranks.size()))
                .distinct()
                .toList();
        long all = model.elementCount();
        long forTeachers = outline.distills() ? teachersMemory(outline, train) : 0;
        for (Path file = admmFile;; file = folder.resolve("admm.tmp")) {
            long besides = forTeachers + MemoryFit.images(corpus)
                    + Pipeline.memory(outline, model.weightCount(), all, file != null);
            try {
                Map<Integer, TrainingSettings> byBatch = new LinkedHashMap<>();
                memory.fit(model, settings, List.of(split.validation(), corpus.test()), besides,
                        "stages and images in memory take", false, notes)
                        .forEach(each -> byBatch.put(each.batchSize(), each));
                return new Fitted(byBatch, file);
            } catch (RunException e) {
                if (file != null) {
                    throw e;
                }
            }
        }
    }

    /** Weights and activations of those who teach, and their answers. */
    private long teachersMemory(Recipe outline, Dataset train) {
        long variations = outline.trainings(false).stream()
                .map(options -> List.of(options.shift(), options.flip(), options.warp())).distinct().count();
        Integer copies = outline.teaching().copies();
        long answers = copies == null ? 1 : copies * variations;
        List<Net> models =
                teachers.empty() ? List.of(model) : teachers.networks().stream().map(Network::model).toList();
        return answers * train.size() * model.classes() * Float.BYTES
                + models.stream().mapToLong(each -> each.elementCount() * Float.BYTES
                        + TrainingMemory.inference(each, train, Natives.enabled())).sum();
    }

    private static String autoState(int attempt) {
        return "state-" + attempt + ".safetensors";
    }

    private static void copy(Network from, Network to) {
        for (Weight weight : from.weights()) {
            to.value(weight.name()).copyFrom(weight.value());
        }
    }

    private static Map<String, FloatTensor> values(Network network) {
        Map<String, FloatTensor> values = new LinkedHashMap<>();
        network.weights().forEach(weight -> values.put(weight.name(), weight.value()));
        return values;
    }

    /** Frees the networks and gives the folder back; harmless twice. */
    @Override
    public void close() {
        FolderLock held = lock;
        lock = null;
        try (PrivateFolder _ = own; FolderLock _ = held; Network _ = network; Network _ = dense;
                StoredTeachers _ = teachers;
                NetworkTraining _ = training) {
            // Closes the last one first, and all of them whatever one throws.
        }
    }
}
