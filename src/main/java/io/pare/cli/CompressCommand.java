package io.pare.cli;

import io.pare.Pare;
import io.pare.compress.constraint.Budget;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.recipe.Recipe;
import io.pare.data.Corpus;
import io.pare.file.FileException;
import io.pare.format.pare.PareFile;
import io.pare.mpi.Ranks;
import io.pare.net.CompressedWeights;
import io.pare.net.Task;
import io.pare.run.BudgetRow;
import io.pare.run.Calibration;
import io.pare.run.CompressionJob;
import io.pare.run.CompressionResult;
import io.pare.run.CostTable;
import io.pare.run.DataSets;
import io.pare.run.ModelSource;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compresses a network by a recipe. */
@Command(name = "compress", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Prune, cluster and quantise a network with ADMM, by a recipe.")
final class CompressCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "MODEL",
            description = "A network: a name, see models; an .onnx or .pare file with its weights; or a .yaml file that"
                    + " declares its layers (default: the one that --recipe was made for).")
    private String model;

    @Mixin
    private FromOption from;

    @Option(names = "--recipe", paramLabel = "NAME|FILE",
            description = "prune, joint, quantize or reconstruct, which fit any network and take --ratio; another recipe that comes"
                    + " with Pare; or a YAML file (default: the model's own -joint recipe).")
    private String recipeName;

    @Option(names = "--auto",
            description = "Choose each layer's counts, and with --bytes its bits, from a sensitivity scan; in place of --recipe.")
    private boolean auto;

    @Option(names = "--ratio", paramLabel = "R",
            description = "Of --auto and of the recipes prune and joint: weights to non-zeros (default of these: 10)."
                    + " Of quantize: 32 bits to those of a value (default: 8). Of reconstruct: weights to non-zeros of each layer (default: 2).")
    private Double ratio;

    @Mixin
    private ReconstructOption reconstruct;

    @Option(names = "--bytes", paramLabel = "B",
            description = "Of --auto: bytes of weight data, bits times non-zeros over 8.")
    private Double bytes;

    @Option(names = "--budget", paramLabel = "BUDGET",
            description = "Of --auto: what the network may cost, such as \"latency<=20us\", \"file-bytes<=1500\", \"macs<=40M\","
                    + " \"bops<=2G\", \"weight-bytes<=900\" or \"energy<=5uJ\". May be given more than once, in place of --ratio and --bytes."
                    + " Of reconstruct: each layer's values get as many bits as \"bops<=2G\" or \"weight-bytes<=900\" allows.")
    private List<String> budget = List.of();

    @Option(names = "--cost", paramLabel = "FILE.json",
            description = "What layers cost in time, as measure writes it, or in energy. Budgets of these need it, and the report"
                    + " then says what the network takes. May be given more than once.")
    private List<Path> costs = List.of();

    @Option(names = "--floor", paramLabel = "A", defaultValue = "0",
            description = "Of --auto: validation accuracy to reach, of --task multilabel macro F1, of regress MAE at most. A run that misses it is made again at four fifths of the ratio, or five fourths of the bytes or budgets, three times at most.")
    private double floor;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "0",
            description = "A rehearsal: one epoch in each round of a stage, of at most N steps; --auto tries once. Shows that all stages run, and in what time and memory.")
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

    @Mixin
    private TensorBoardOption tensorboard;

    @Mixin
    private RanksOption together;

    @Option(names = {"-q", "--quiet"}, description = "No progress, only results.")
    private boolean quiet;

    @Option(names = "--no-pack",
            description = "Leave all weights and biases as trained. Otherwise, last of all, what cannot change the output is removed, biases and values are rounded to few bits as long as validation accuracy stays, and units are sorted: the same network in a smaller file. All figures are of the packed network.")
    private boolean unpacked;

    @Option(names = "--provenance",
            description = "Note in the .pare file how it was made: version, recipe, data, seed and scores, some 150 bytes. inspect shows them.")
    private boolean provenance;

    @Option(names = "--anew", description = "Begin again where --out holds an unfinished run, rather than going on.")
    private boolean anew;

    @Spec
    private CommandSpec spec;

    private Ranks ranks;

    @Override
    public Integer call() throws IOException {
        ranks = together.begin(spec.commandLine(), "the same command goes on after the last epoch");
        Recipe named = ranks.together(() -> {
            check();
            return recipeName == null ? null : named();
        });
        if (reconstruct.calibration() != null) {
            return calibrated(named);
        }
        ModelSource source = ranks.together(() -> from.source(model != null ? model : named.model()));
        Recipe recipe = auto || named != null ? named : ranks.together(() -> Recipe.usual(source.name()));
        int count = threads.orElse(ThreadOption.processors());
        DataSets.Opened opened = ranks.together(
                () -> data.open(data.settings(), source, from, count, spec.commandLine().getErr()::println));
        if (floor > 1 && opened.corpus().task() != Task.REGRESS) {
            throw new UsageException("--floor is " + floor + ", must be an accuracy from 0 to 1");
        }
        Path folder = out != null ? out : Path.of("runs", folder(source, recipe));
        OutputPath.checkFolder(folder);
        ThreadOption.apply(count);
        try (CompressionJob job = new CompressionJob(opened.model(), opened.corpus(), folder)) {
            source.weights().ifPresent(job::from);
            return run(job.recipe(recipe).ending(opened.ending()), opened.corpus(), folder, count,
                    source.isOnnx() ? source::writeOnnx : null);
        }
    }

    /** Writes compressed weights as an ONNX file. */
    private interface OnnxWriter {
        void write(Path into, CompressedWeights weights) throws IOException;
    }

    /**
     * Runs a job. Who brings ONNX wants it back: with the names of its input and output, and codes and codebooks where tensors
     * have them.
     *
     * @param onnx writes that; {@code null} where no ONNX was brought
     */
    private int run(CompressionJob job, Corpus corpus, Path folder, int count, OnnxWriter onnx) throws IOException {
        try {
            int code = run(job, corpus, folder, count);
            if (onnx != null && ranks.first()) {
                String name = job.network().model().name();
                Path file = folder.resolve(name + ".onnx");
                onnx.write(file, PareFile.read(folder.resolve(name + ".pare")));
                PrintWriter results = spec.commandLine().getOut();
                results.printf(Locale.ROOT, "%-20s %s, %,d bytes%n", "as ONNX", file, Files.size(file));
                results.flush();
            }
            return code;
        } catch (FileException e) {
            throw job.begun()
                    ? new FileException(e.getMessage() + "; the same command then goes on", e.getCause())
                    : e;
        }
    }

    /** Compresses by inputs without labels. */
    private int calibrated(Recipe named) throws IOException {
        data.refuse(reconstruct.calibration());
        PrintWriter err = spec.commandLine().getErr();
        Calibration calibration =
                reconstruct.open(model, from, data.settings().odd(err::println), err::println);
        Recipe recipe = reconstruct.budgeted() ? reconstruct.within(calibration.rest(!unpacked)) : named;
        String name = calibration.weights().model().name();
        Path folder = out != null ? out : Path.of("runs", recipe.name() + "-" + name);
        OutputPath.checkFolder(folder);
        int count = threads.orElse(ThreadOption.processors());
        ThreadOption.apply(count);
        try (CompressionJob job = new CompressionJob(calibration.weights().model(), calibration.corpus(), folder)
                .recipe(recipe).from(calibration.weights())
                .counted(calibration::counted)
                .written(compressed -> calibration.whole(compressed, !unpacked))) {
            int code = run(job, calibration.corpus(), folder, count,
                    calibration.names().isPresent() ? calibration::writeOnnx : null);
            reconstruct.warnOfMore(folder.resolve(name + ".pare"), err);
            return code;
        }
    }

    /** The recipe that was named. */
    private Recipe named() throws IOException {
        if (!Recipe.general().contains(recipeName)) {
            if (ratio != null) {
                throw new UsageException("--ratio belongs to --auto and to the recipes "
                        + String.join(", ", Recipe.general()) + "; another recipe says it itself");
            }
            Recipe recipe = Recipe.load(recipeName);
            reconstruct.check(recipe);
            if (model == null && recipe.model().isBlank()) {
                throw new UsageException("which MODEL? The recipe " + recipe.name() + " names none");
            }
            return recipe;
        }
        if (model == null) {
            throw new UsageException("which MODEL? The recipe " + recipeName + " fits any");
        }
        if (recipeName.equals(Recipe.RECONSTRUCT)) {
            return reconstruct.recipe(ratio == null ? Recipe.USUAL_RECONSTRUCTION : ratio, Budget.parse(budget));
        }
        return ratio == null ? Recipe.load(recipeName) : Recipe.general(recipeName, ratio);
    }

    private String folder(ModelSource source, Recipe recipe) {
        return auto ? "auto-" + source.name()
                : Recipe.general().contains(recipe.name()) ? recipe.name() + "-" + source.name() : recipe.name();
    }

    private int run(CompressionJob job, Corpus corpus, Path folder, int count) throws IOException {
        Optional<Path> events = ranks.first() ? tensorboard.folder() : Optional.empty();
        PrintWriter err = spec.commandLine().getErr();
        settings(job, err);
        PipelineListener lines = quiet || !ranks.first() ? PipelineListener.SILENT
                : new CompressionLines(err, corpus.task(), System::nanoTime);
        if (events.isEmpty()) {
            return run(job.progress(lines), corpus, folder, count, err);
        }
        try (CompressionEvents written = new CompressionEvents(events.get(), corpus.task(), job::network, lines)) {
            return run(job.progress(written), corpus, folder, count, err);
        }
    }

    private int run(CompressionJob job, Corpus corpus, Path folder, int count, PrintWriter err) throws IOException {
        job.begin();
        Map<String, float[]> before = WeightSamples.of(job.network());
        CompressionResult done = job.run();
        double accuracy = done.found().validation().accuracy();
        if (!ranks.first()) {
            return steps == 0 && !job.reached(accuracy) ? Commands.FAILURE : Commands.OK;
        }
        if (!done.death().isEmpty()) {
            err.println("pare: " + done.death() + "; the file is not representative");
        }
        Task task = corpus.task();
        if (steps == 0 && accuracy <= done.guess()) {
            err.printf("warning: validation %s %s is no better than %s always (%s): ask for a smaller ratio, or train"
                    + " longer%n", task.metric(), MetricsText.shown(task, accuracy), constant(task),
                    MetricsText.shown(task, done.guess()));
        }
        CompressionReport written =
                new CompressionReport(done, corpus.name(), corpus.classNames(), seed, count, precision.get(), steps);
        PrintWriter results = spec.commandLine().getOut();
        results.print(written.text());
        results.flush();
        if (report != null) {
            written.json().write(report);
        }
        new CompressionPage(written, before, WeightSamples.of(job.network())).page()
                .write(folder.resolve("report.html"));
        List<BudgetRow> missed = steps > 0 ? List.of()
                : done.budgets().stream().filter(row -> !row.holds()).toList();
        missed.forEach(row -> err.printf(Locale.ROOT,
                "pare: the network takes %.4g %s, and its %s may be %.4g: ask for less%n",
                row.measured(), row.unit(), row.quantity(), row.allowed()));
        if (steps == 0 && !job.reached(accuracy)) {
            err.printf(Locale.ROOT, "pare: validation %s %s is %s the floor %.4f: ask for a smaller ratio%n",
                    task.metric(), MetricsText.shown(task, accuracy), task == Task.REGRESS ? "above" : "below", floor);
            return Commands.FAILURE;
        }
        return missed.isEmpty() ? Commands.OK : Commands.FAILURE;
    }

    /** What an answer that is always the same does. */
    private static String constant(Task task) {
        return switch (task) {
            case CLASSIFY -> "naming one class";
            case MULTILABEL -> "naming all labels";
            case REGRESS -> "giving the mean";
        };
    }

    /** Tells the job what was asked for. */
    private void settings(CompressionJob job, PrintWriter err) throws IOException {
        job.on(ranks, together.reduction()).seed(seed).precision(precision.get()).memory(memory.fit(ranks))
                .admmFile(admmFile).rehearsal(steps)
                .warnings(line -> {
                    err.println(line);
                    err.flush();
                });
        if (auto && ratio != null) {
            job.toRatio(ratio, floor);
        }
        if (bytes != null) {
            job.toBytes(bytes, floor);
        }
        job.within(auto ? Budget.parse(budget) : List.of(), tables(), floor);
        if (from.given() && reconstruct.calibration() == null) {
            job.from(from.weights());
        }
        if (unpacked) {
            job.unpacked();
        }
        if (provenance) {
            job.provenance(Map.of("pare", Pare.version() + ", commit " + Pare.commit()));
        }
        if (anew) {
            job.anew();
        }
        if (!quiet) {
            job.notes(err::println);
        }
    }

    private List<CostTable> tables() throws IOException {
        List<CostTable> tables = new ArrayList<>();
        for (Path file : costs) {
            tables.add(CostTable.read(file));
        }
        return tables;
    }

    private void check() {
        precision.get();
        if (admmFile != null && Files.exists(admmFile)) {
            throw new UsageException("--admm-file " + admmFile + " exists: name a file that does not");
        }
        if (model == null && recipeName == null) {
            throw new UsageException("which MODEL? Give a name, see models, or a file");
        }
        reconstruct.check(recipeName);
        if (reconstruct.budgeted() && ratio != null) {
            throw new UsageException("--file-bytes chooses how fine weights are: leave --ratio out");
        }
        if (auto && recipeName != null) {
            throw new UsageException("--recipe and --auto exclude each other");
        }
        int wishes = (ratio == null ? 0 : 1) + (bytes == null ? 0 : 1) + (budget.isEmpty() ? 0 : 1);
        if (auto && wishes != 1) {
            throw new UsageException("--auto takes one of --ratio, --bytes and --budget");
        }
        boolean widths = Recipe.RECONSTRUCT.equals(recipeName);
        if (widths && reconstruct.budgeted() && !budget.isEmpty()) {
            throw new UsageException("--file-bytes and --budget exclude each other");
        }
        if (!auto && (ratio != null && recipeName == null || bytes != null || floor != 0
                || !budget.isEmpty() && !widths)) {
            throw new UsageException(
                    "--ratio, --bytes, --budget and --floor belong to --auto; a recipe says these itself");
        }
        Budget.parse(budget);
        if (ratio != null && !(ratio >= 1) || bytes != null && !(bytes >= 1)) {
            throw new UsageException("--ratio and --bytes must be at least 1");
        }
        if (!(floor >= 0 && Double.isFinite(floor))) {
            throw new UsageException("--floor is " + floor + ", must be at least 0");
        }
        boolean rehearsal = spec.commandLine().getParseResult().hasMatchedOption("--steps");
        if (rehearsal && steps < 1) {
            throw new UsageException("--steps is " + steps + ", must be at least 1");
        }
        if (report != null) {
            OutputPath.checkFile("--report", report);
        }
    }
}
