package io.pare.cli;

import io.pare.compress.TrainingOptions;
import io.pare.compress.recipe.InfeasibleException;
import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.recipe.Provenance;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.recipe.RecipeCheck;
import io.pare.compress.recipe.Sensitivity;
import io.pare.compress.stage.Stage;
import io.pare.data.Corpus;
import io.pare.data.Dataset;
import io.pare.file.FileException;
import io.pare.file.FolderLock;
import io.pare.file.FormatException;
import io.pare.format.pare.PareFile;
import io.pare.mem.FloatTensor;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Model;
import io.pare.net.Parameter;
import io.pare.run.DataSets;
import io.pare.run.MemoryFit;
import io.pare.run.NetworkTraining;
import io.pare.run.Packing;
import io.pare.run.RunException;
import io.pare.run.Scales;
import io.pare.train.Checkpoint;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import io.pare.train.TrainingMemory;
import io.pare.train.TrainingSettings;
import io.pare.train.Weight;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compresses a network by a recipe. */
@Command(name = "compress", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Prune, cluster and quantise a network with ADMM, by a recipe.%n")
final class CompressCommand implements Callable<Integer> {
    private static final int AUTO_TRIES = 4;
    private static final int SAMPLED = 1 << 20;
    /** In the metadata of the dense network: what it was made from. */
    private static final String PROVENANCE = "provenance";

    @Parameters(paramLabel = "MODEL", description = "A network by name: see models.")
    private String model;

    @Mixin
    private FromOption from;

    @Option(names = "--recipe", paramLabel = "NAME|FILE",
            description = "A recipe that comes with Pare, or a YAML file (default: the model's own -joint recipe).")
    private String recipeName;

    @Option(names = "--auto",
            description = "Choose each layer's counts, and with --bytes its bits, from a sensitivity scan; in place of --recipe.")
    private boolean auto;

    @Option(names = "--ratio", paramLabel = "R", description = "Of --auto: weights to non-zeros.")
    private Double ratio;

    @Option(names = "--bytes", paramLabel = "B",
            description = "Of --auto: bytes of weight data, bits times non-zeros over 8.")
    private Double bytes;

    @Option(names = "--floor", paramLabel = "A", defaultValue = "0",
            description = "Of --auto: validation accuracy to reach. A run below it is made again at four fifths of the ratio, or five fourths of the bytes, three times at most.")
    private double floor;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "0",
            description = "A rehearsal: one epoch in each round of a stage, of at most N steps. Shows that all stages run, and in what time and memory.")
    private int steps;

    @Mixin
    private MemoryOption memory;

    @Option(names = "--admm-file", paramLabel = "FILE",
            description = "Keep ADMM's Z and U in this file, memory-mapped, rather than in memory; it is gone at the end. Where --memory-limit needs it, a file in --out.")
    private Path admmFile;

    @Option(names = "--out", paramLabel = "DIR", description = "Folder for state and results (default: runs/RECIPE).")
    private Path out;

    @Option(names = "--report", paramLabel = "FILE.json", description = "Write results as JSON.")
    private Path report;

    @Option(names = "--seed", paramLabel = "S", defaultValue = "1",
            description = "Fixes all that is random (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin
    private ThreadOption threads;

    @Mixin
    private PrecisionOption precision;

    @Mixin
    private DataOption data;

    @Option(names = {"-q", "--quiet"}, description = "No progress, only results.")
    private boolean quiet;

    @Option(names = "--no-pack",
            description = "Leave all weights and biases as trained. Otherwise, last of all, what cannot change the output is removed, biases and values are rounded to few bits as long as validation accuracy stays, and units are sorted: the same network in a smaller file. All figures are of the packed network.")
    private boolean unpacked;

    @Option(names = "--anew", description = "Begin again where --out holds an unfinished run, rather than going on.")
    private boolean anew;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        check();
        Recipe recipe = auto ? null : recipeName == null ? Recipe.usual(model) : Recipe.load(recipeName);
        if (steps > 0) {
            recipe = recipe.shortened();
        }
        int count = threads.orElse(ThreadOption.processors());
        DataSets.Opened opened = data.open(data.settings(), model, count, spec.commandLine().getErr()::println);
        if (!auto) {
            check(recipe, opened.model());
        }
        Path folder = out != null ? out : Path.of("runs", auto ? "auto-" + model : recipe.name());
        OutputPath.checkFolder(folder);
        try (FolderLock _ = FolderLock.take(folder)) {
            try {
                return run(recipe, opened, folder, count);
            } catch (FileException e) {
                throw new FileException(e.getMessage() + "; the same command then goes on", e.getCause());
            }
        }
    }

    private int run(Recipe given, DataSets.Opened opened, Path folder, int count) throws IOException {
        Recipe recipe = given;
        Model declared = opened.model();
        Corpus corpus = opened.corpus();
        Path denseState = folder.resolve("dense-state.safetensors");
        Path denseFile = folder.resolve("dense.safetensors");
        if (anew) {
            Files.deleteIfExists(denseState);
            Files.deleteIfExists(denseFile);
            Files.deleteIfExists(state(folder));
            for (int i = 0; i < AUTO_TRIES; i++) {
                Files.deleteIfExists(autoState(folder, i));
            }
        }
        ThreadOption.apply(count);
        Dataset.Split split = corpus.split(0, seed);
        Fitted fitted = fitted(auto ? Sensitivity.outline(model, bytes != null) : recipe, declared, corpus, split,
                !from.given() && !Files.exists(denseFile),
                folder.resolve("admm.tmp"));
        try (Network network = Network.create(declared, seed, Natives.enabled());
                Network teacher = auto || recipe.distills()
                        ? Network.create(declared, seed, Natives.enabled())
                        : null;
                NetworkTraining training = new NetworkTraining(network, teacher, split.train(), split.validation(),
                        corpus.scale(), corpus.augmentation().crop(), seed, steps, precision.get())) {
            training.passes(fitted::passes);
            training.warnings(spec.commandLine().getErr()::println);
            Provenance provenance = provenance(corpus);
            double denseSeconds = 0;
            if (from.given()) {
                from.load(network, corpus.scale(), spec.commandLine().getErr()::println);
            } else {
                TrainingOptions options = auto ? Recipe.DENSE : recipe.dense();
                Provenance denseFrom = provenance.with("'dense:' of its recipe", options);
                if (Files.exists(denseFile)) {
                    denseFrom.check(denseFile, Checkpoint.loadWeights(network, denseFile).get(PROVENANCE));
                } else {
                    Recipe dense = new Recipe("dense", model, "", options, List.of(new Stage.Retrain(options)));
                    denseSeconds = new Pipeline(dense, training, denseState, lines()).provenance(provenance).run()
                            .trainSeconds();
                    Checkpoint.saveWeights(network, corpus.scale(), denseFile, Map.of(PROVENANCE, denseFrom.text()));
                }
                Files.deleteIfExists(denseState);
            }
            provenance = provenance.with("starting weights", Checkpoint.fingerprint(network));
            if (teacher != null) {
                copy(network, teacher);
            }
            Map<String, float[]> before = samples(network);
            Evaluation denseTest = training.measure(corpus.test());
            Pipeline pipeline;
            Pipeline.Result result;
            if (auto) {
                double wanted = bytes != null ? bytes : ratio;
                Sensitivity scan = Sensitivity.scan(training, Sensitivity.SHARES, Sensitivity.BITS);
                int tries = 0;
                while (true) {
                    recipe = bytes != null
                            ? scan.recipe(model, wanted)
                            : scan.recipe(model, declared.weightCount(), wanted);
                    pipeline = new Pipeline(recipe, training, autoState(folder, tries), lines())
                            .admmFile(fitted.admmFile()).provenance(provenance);
                    result = run(pipeline, network, corpus, folder);
                    if (result.validation().accuracy() >= floor || ++tries == AUTO_TRIES) {
                        break;
                    }
                    wanted *= bytes != null ? 1.25 : 0.8;
                    copy(teacher, network);
                }
            } else {
                pipeline = new Pipeline(recipe, training, state(folder), lines()).admmFile(fitted.admmFile())
                        .provenance(provenance).rehearsal(steps > 0);
                result = run(pipeline, network, corpus, folder);
            }
            List<Packing.Row> packing = List.of();
            if (!unpacked && pipeline.death().isEmpty()) {
                packing = new Packing(declared, parameters(network), training, pipeline, corpus.scale()).run();
                result = pipeline.recount();
            }
            Evaluation test = training.measure(corpus.test());
            Checkpoint.saveWeights(network, corpus.scale(), folder.resolve(Checkpoint.WEIGHTS), Map.of());
            long fileBytes = pack(network, declared, corpus.scale(), folder.resolve(model + ".pare"));
            if (!pipeline.death().isEmpty()) {
                spec.commandLine().getErr().println("pare: " + pipeline.death() + "; the file is not representative");
            }
            double guess = split.validation().largestShare();
            if (steps == 0 && result.validation().accuracy() <= guess) {
                spec.commandLine().getErr().printf(Locale.ROOT, "warning: validation accuracy %.4f is no better than"
                        + " naming one class always (%.4f): ask for a smaller ratio, or train longer%n",
                        result.validation().accuracy(), guess);
            }
            CompressionReport written = new CompressionReport(recipe, declared, corpus.name(), seed, count,
                    precision.get(), result,
                    steps, pipeline.death(), packing, denseTest, test, fileBytes, denseSeconds);
            PrintWriter results = spec.commandLine().getOut();
            results.print(written.text());
            results.flush();
            if (report != null) {
                written.json().write(report);
            }
            new CompressionPage(written, before, samples(network)).page().write(folder.resolve("report.html"));
            if (result.validation().accuracy() < floor) {
                spec.commandLine().getErr().printf(Locale.ROOT,
                        "pare: validation accuracy %.4f is below the floor %.4f: ask for a smaller ratio%n",
                        result.validation().accuracy(), floor);
                return Commands.FAILURE;
            }
        }
        return Commands.OK;
    }

    /** What decides the bits of a run besides recipe and starting weights. */
    private Provenance provenance(Corpus corpus) {
        String images = corpus.train().fingerprint()
                + (corpus.validation() == null ? "" : " and " + corpus.validation().fingerprint());
        return Provenance.NONE.with("--seed", seed).with("--precision", precision.get()).with("--steps", steps)
                .with("data", images).with("scale of pixels", Scales.text(corpus.scale()));
    }

    private static Path state(Path folder) {
        return folder.resolve("state.safetensors");
    }

    private static Path autoState(Path folder, int attempt) {
        return folder.resolve("state-" + attempt + ".safetensors");
    }

    /** Runs the stages; where they cannot end, what there is by then is kept. */
    private static Pipeline.Result run(Pipeline pipeline, Network network, Corpus corpus, Path folder)
            throws IOException {
        try {
            return pipeline.run();
        } catch (InfeasibleException e) {
            Path weights = folder.resolve(Checkpoint.WEIGHTS);
            Checkpoint.saveWeights(network, corpus.scale(), weights, Map.of());
            throw new InfeasibleException(e.getMessage() + "; its weights are in " + weights
                    + ": begin again with --anew and another recipe, or go on from them with --from");
        }
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
    private Fitted fitted(Recipe recipe, Model declared, Corpus corpus, Dataset.Split split, boolean dense,
            Path usualFile) {
        if (!memory.fit().given()) {
            return new Fitted(Map.of(), admmFile);
        }
        Dataset train = split.train();
        List<TrainingSettings> settings = recipe.trainings(dense).stream()
                .map(options -> NetworkTraining.settings(options, null, corpus.augmentation().crop(), seed,
                        precision.get()))
                .distinct()
                .toList();
        long all = declared.elementCount();
        long teacher = recipe.distills()
                ? (all + (long) train.size() * declared.classes()) * Float.BYTES
                        + TrainingMemory.inference(declared, train, Natives.enabled())
                : 0;
        for (Path file = admmFile;; file = usualFile) {
            long besides = teacher + MemoryFit.images(corpus)
                    + Pipeline.memory(recipe, declared.weightCount(), all, file != null);
            try {
                Map<Integer, TrainingSettings> byBatch = new LinkedHashMap<>();
                memory.fit().fit(declared, settings, List.of(split.validation(), corpus.test()), besides,
                        "stages and images in memory take", false, line -> {
                            if (!quiet) {
                                spec.commandLine().getErr().println(line);
                            }
                        }).forEach(each -> byBatch.put(each.batchSize(), each));
                return new Fitted(byBatch, file);
            } catch (RunException e) {
                if (file != null) {
                    throw e;
                }
            }
        }
    }

    /** Refuses a recipe that cannot end well for this network, and says what is odd about it. */
    private void check(Recipe recipe, Model declared) {
        PrintWriter err = spec.commandLine().getErr();
        if (!recipe.model().isBlank() && !recipe.model().equals(model)) {
            err.println("note: recipe " + recipe.name() + " was made for " + recipe.model() + ", not for " + model);
        }
        List<RecipeCheck.Tensor> tensors = declared.parameters().stream().filter(Parameter::weight)
                .map(each -> from.given()
                        ? RecipeCheck.Tensor.unknown(each.name(), each.shape())
                        : RecipeCheck.Tensor.dense(each.name(), each.shape()))
                .toList();
        RecipeCheck.notes(recipe, tensors, NetworkTraining.output(declared), !declared.links().isEmpty())
                .forEach(note -> err.println("note: recipe " + recipe.name() + ": " + note));
        err.flush();
    }

    private void check() {
        precision.get();
        if (admmFile != null && Files.exists(admmFile)) {
            throw new UsageException("--admm-file " + admmFile + " exists: name a file that does not");
        }
        if (auto && recipeName != null) {
            throw new UsageException("--recipe and --auto exclude each other");
        }
        if (auto && (ratio == null) == (bytes == null)) {
            throw new UsageException("--auto takes one of --ratio and --bytes");
        }
        if (!auto && (ratio != null || bytes != null || floor != 0)) {
            throw new UsageException("--ratio, --bytes and --floor belong to --auto; a recipe says these itself");
        }
        if (ratio != null && !(ratio >= 1) || bytes != null && !(bytes >= 1)) {
            throw new UsageException("--ratio and --bytes must be at least 1");
        }
        if (!(floor >= 0 && floor <= 1)) {
            throw new UsageException("--floor is " + floor + ", must be an accuracy from 0 to 1");
        }
        boolean rehearsal = spec.commandLine().getParseResult().hasMatchedOption("--steps");
        if (rehearsal && (steps < 1 || auto)) {
            throw new UsageException(
                    auto ? "--steps belongs to --recipe" : "--steps is " + steps + ", must be at least 1");
        }
        if (report != null) {
            OutputPath.checkFile("--report", report);
        }
    }

    private static void copy(Network from, Network to) {
        for (Weight weight : from.weights()) {
            to.value(weight.name()).copyFrom(weight.value());
        }
    }

    /** Writes the coded network and reads it back. */
    private static long pack(Network network, Model declared, InputScale scale, Path file) throws IOException {
        CompressedWeights weights = CompressedWeights.of(declared, parameters(network), scale);
        PareFile.write(file, weights);
        CompressedWeights stored = PareFile.read(file);
        weights.tensors().forEach((name, tensor) -> {
            if (!tensor.sameAs(stored.tensor(name))) {
                throw new FormatException(file + " does not give back the values of " + name
                        + " that were written: the disk is broken, or this is a fault of Pare's");
            }
        });
        return Files.size(file);
    }

    private static Map<String, FloatTensor> parameters(Network network) {
        Map<String, FloatTensor> parameters = new LinkedHashMap<>();
        network.weights().forEach(weight -> parameters.put(weight.name(), weight.value()));
        return parameters;
    }

    /** Weights for the plots: of large tensors every so-many-th. */
    private static Map<String, float[]> samples(Network network) {
        Map<String, float[]> samples = new LinkedHashMap<>();
        for (Weight weight : network.weights()) {
            if (weight.decays()) {
                FloatTensor value = weight.value();
                int stride = (int) Math.ceilDiv(value.count(), SAMPLED);
                float[] sample = new float[(int) Math.ceilDiv(value.count(), stride)];
                for (int i = 0; i < sample.length; i++) {
                    sample[i] = value.get((long) i * stride);
                }
                samples.put(weight.name(), sample);
            }
        }
        return samples;
    }

    private PipelineListener lines() {
        return quiet ? PipelineListener.SILENT : new CompressionLines(spec.commandLine().getErr(), System::nanoTime);
    }
}
