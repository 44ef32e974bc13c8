package io.pare.cli;

import io.pare.Pare;
import io.pare.data.Augmentation;
import io.pare.data.Corpus;
import io.pare.data.Crop;
import io.pare.data.DataException;
import io.pare.data.Dataset;
import io.pare.data.Warp;
import io.pare.descent.Attack;
import io.pare.descent.Descent;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.file.FileException;
import io.pare.mpi.Ranks;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Task;
import io.pare.report.JsonReport;
import io.pare.run.DataSets;
import io.pare.run.EpochRecord;
import io.pare.run.ModelSource;
import io.pare.run.RunFolder;
import io.pare.run.RunSettings;
import io.pare.run.Scales;
import io.pare.run.TrainingJob;
import io.pare.train.Checkpoint;
import io.pare.train.Evaluation;
import io.pare.train.Robustness;
import io.pare.train.Trainer;
import io.pare.train.TrainingRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Trains a network from its first weights or from trained ones, or goes on with a run that was stopped. */
@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Train a network, choose its best epoch on validation data, test it once.", description = {
            "The test data is looked at once, after training. Every epoch ends with a checkpoint in the --out"
                    + " folder; Ctrl-C saves one at once.",
            ""},
        footer = {"", "Examples:", "  pare train lenet5",
            "  pare train lenet5 --seed 2 --threads 1 --out runs/two --report two.json",
            "  pare train lenet5 --optimizer sgd --lr 0.05 --momentum 0.9 --schedule step --epochs 20",
            "  pare train lenet5 --dataset fashion --data ~/fashion-mnist",
            "  pare train lenet5 --data synthetic --images 10000",
            "  pare train lenet5-relu --attack pgd --epsilon 0.3 --attack-step 0.1 --attack-steps 7",
            "  pare train --resume runs/two",
            "  pare train lenet5 --from runs/two --lr 0.0005 --epochs 5 --out runs/longer"})
final class TrainCommand implements Callable<Integer> {
    /** Options that decide the bits of a run, with what a resumed run has for them. */
    private static final Map<String, Function<RunSettings, Object>> FIXED = Map.ofEntries(
            Map.entry("--epochs", run -> run.steps().epochs()),
            Map.entry("--batch-size", run -> run.steps().batchSize()),
            Map.entry("--lr", run -> run.descent().schedule().rate()),
            Map.entry("--optimizer", run -> run.descent().optimizer().rule()),
            Map.entry("--momentum", run -> run.descent().optimizer().momentum()),
            Map.entry("--weight-decay", run -> run.descent().optimizer().decay()),
            Map.entry("--schedule", run -> run.descent().schedule().course()),
            Map.entry("--lr-floor", run -> run.descent().schedule().floor()),
            Map.entry("--warm-up", run -> run.descent().schedule().warmUp()),
            Map.entry("--clip-norm", run -> run.descent().clipNorm()),
            Map.entry("--patience", run -> run.steps().patience()),
            Map.entry("--dropout", run -> run.steps().dropout()),
            Map.entry("--shift", run -> run.variation().shift()),
            Map.entry("--sub-pixel", run -> run.variation().subPixel()),
            Map.entry("--crop", run -> run.variation().crop()),
            Map.entry("--flip", run -> run.variation().flip()),
            Map.entry("--rotate", run -> run.variation().warp().rotate()),
            Map.entry("--zoom", run -> run.variation().warp().zoom()),
            Map.entry("--shear", run -> run.variation().warp().shear()),
            Map.entry("--elastic", run -> run.variation().warp().elastic()),
            Map.entry("--attack", run -> run.variation().attack() == null ? null : AttackOption.Kind.PGD),
            Map.entry("--epsilon", run -> of(run.variation().attack(), Attack::epsilon)),
            Map.entry("--attack-step", run -> of(run.variation().attack(), Attack::step)),
            Map.entry("--attack-steps", run -> of(run.variation().attack(), Attack::steps)),
            Map.entry("--dataset", run -> run.data().source()),
            Map.entry("--images", run -> run.data().images()),
            Map.entry("--resize", run -> run.data().resize()),
            Map.entry("--scale", run -> run.data().scale()),
            Map.entry("--damaged", run -> run.data().damaged()),
            Map.entry("--non-rgb", run -> run.data().nonRgb()),
            Map.entry("--task", run -> run.data().task() == null ? Task.CLASSIFY : run.data().task()),
            Map.entry("--background", run -> run.data().background()),
            Map.entry("--keep-zeros", RunSettings::keepZeros),
            Map.entry("--dim", run -> run.bindings().sizes()),
            Map.entry("--output-name", run -> run.bindings().output()),
            Map.entry("--accumulate", run -> run.steps().accumulate()),
            Map.entry("--validation", RunSettings::validation),
            Map.entry("--seed", RunSettings::seed),
            Map.entry("--precision", RunSettings::precision));

    /** Steps of an attack in training unless given. */
    private static final int ATTACK_STEPS = 7;

    /** Options that decide no bits and that a resumed run takes, too; it knows its threads. */
    static final Set<String> RESUMED =
            Set.of("--data", "--memory-limit", "--recompute", "--loaders", "--deterministic", "--gradients",
                    "--whole-batch-norm", "--quiet",
                    "-q",
                    "--debug");

    @Parameters(arity = "0..1", paramLabel = "MODEL",
            description = "A network: a name, see models; an .onnx or .pare file, whose weights are trained further; or a"
                    + " .yaml file that declares its layers.")
    private String model;

    @Mixin
    private FromOption from;

    @Option(names = "--keep-zeros",
            description = "Leave weights that are zero in --from at zero, so that a pruned network stays as sparse.")
    private boolean keepZeros;

    @Option(names = "--epochs", paramLabel = "N", defaultValue = "10",
            description = "Passes over the training data (default: ${DEFAULT-VALUE}).")
    private int epochs;

    @Option(names = "--batch-size", paramLabel = "N", defaultValue = "64",
            description = "Images a step (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Option(names = "--accumulate", paramLabel = "N", defaultValue = "1",
            description = "Passes in which a step sees its batch, an equal part in each: activations take so many times"
                    + " less memory, and the step is the same but for rounding. Batch normalisation takes its statistics"
                    + " from each part (default: ${DEFAULT-VALUE}).")
    private int accumulate;

    @Mixin
    private MemoryOption memory;

    @Option(names = "--lr", paramLabel = "RATE", defaultValue = "0.001",
            description = "Base learning rate (default: ${DEFAULT-VALUE}).")
    private double learningRate;

    @Option(names = "--optimizer", paramLabel = "NAME", defaultValue = "adam",
            description = "adam, adamw, sgd or nesterov (default: ${DEFAULT-VALUE}).")
    private Optimizer.Rule optimizer;

    @Option(names = "--momentum", paramLabel = "M", defaultValue = "0.9",
            description = "Of sgd and nesterov (default: ${DEFAULT-VALUE}).")
    private double momentum;

    @Option(names = "--weight-decay", paramLabel = "D", defaultValue = "0",
            description = "On weights, not on biases (default: ${DEFAULT-VALUE}).")
    private double weightDecay;

    @Option(names = "--schedule", paramLabel = "NAME", defaultValue = "cosine",
            description = "Learning rate over the run: cosine, step (a tenth after each third) or constant"
                    + " (default: ${DEFAULT-VALUE}).")
    private Schedule.Course schedule;

    @Option(names = "--lr-floor", paramLabel = "F", defaultValue = "0",
            description = "Share of the rate at the end of a cosine (default: ${DEFAULT-VALUE}).")
    private double floor;

    @Option(names = "--warm-up", paramLabel = "EPOCHS", defaultValue = "0",
            description = "Epochs, parts allowed, over which the rate rises from zero (default: ${DEFAULT-VALUE}).")
    private double warmUp;

    @Option(names = "--clip-norm", paramLabel = "X", defaultValue = "0",
            description = "Length to which a longer gradient, over all weights, is brought before a step; 0 for none"
                    + " (default: ${DEFAULT-VALUE}).")
    private double clipNorm;

    @Option(names = "--patience", paramLabel = "N", defaultValue = "0",
            description = "Epochs without a better validation after which the run ends; 0 for all epochs"
                    + " (default: ${DEFAULT-VALUE}).")
    private int patience;

    @Option(names = "--dropout", negatable = true, defaultValue = "true", fallbackValue = "true",
            description = "Whether the model's dropout layers drop (default: yes).")
    private boolean dropout;

    @Option(names = "--shift", paramLabel = "PIXELS",
            description = "Augment by random shifts of up to so many pixels, 4 being CIFAR's pad-and-crop; 0 for none"
                    + " (default: 1 for MNIST, 4 for CIFAR).")
    private Double shift;

    @Option(names = "--sub-pixel", description = "Shifts are any fraction of pixels, not whole ones.")
    private boolean subPixel;

    @Option(names = "--flip", negatable = true, fallbackValue = "true",
            description = "Mirror every other training image, left to right (default: yes, but for MNIST).")
    private Boolean flip;

    @Option(names = "--rotate", paramLabel = "DEGREES", defaultValue = "0",
            description = "Turn training images by up to so many degrees either way (default: ${DEFAULT-VALUE}).")
    private float rotate;

    @Option(names = "--zoom", paramLabel = "SHARE", defaultValue = "0",
            description = "Let them grow or shrink by up to this share, such as 0.1 (default: ${DEFAULT-VALUE}).")
    private float zoom;

    @Option(names = "--shear", paramLabel = "TANGENT", defaultValue = "0",
            description = "Let them lean by up to the angle of this tangent (default: ${DEFAULT-VALUE}).")
    private float shear;

    @Option(names = "--elastic", paramLabel = "PIXELS", defaultValue = "0",
            description = "Bend them by a smooth random field that moves pixels by so many, in the root mean square"
                    + " (default: ${DEFAULT-VALUE}).")
    private float elastic;

    @Mixin
    private AttackOption attack;

    @Option(names = "--crop", paramLabel = "PART",
            description = "Part of a training picture: center, random, or resized, which is of random size and ratio too"
                    + " (default: resized for inputs above 64 pixels).")
    private Crop crop;

    @Option(names = "--validation", paramLabel = "N",
            description = "Images held back from training to choose the best epoch (default: the folder's own"
                    + " validation part, or a twelfth: 5000 of MNIST's 60000).")
    private Integer validation;

    @Option(names = "--seed", paramLabel = "S", defaultValue = "1",
            description = "Fixes all that is random: equal seed, threads and machine give equal bits"
                    + " (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin
    private ThreadOption threads;

    @Mixin
    private PrecisionOption precision;

    @Mixin
    private DataOption data;

    @Option(names = "--out", paramLabel = "DIR",
            description = "Folder for checkpoint and weights (default: runs/MODEL).")
    private Path out;

    @Option(names = "--resume", paramLabel = "DIR",
            description = "Go on with the run in this folder, under its own settings, to the same bits.")
    private Path resume;

    @Option(names = "--report", paramLabel = "FILE.json", description = "Write results as JSON.")
    private Path report;

    @Mixin
    private TensorBoardOption tensorboard;

    @Mixin
    private RanksOption together;

    @Option(names = {"-q", "--quiet"}, description = "No progress, only results.")
    private boolean quiet;

    @Spec
    private CommandSpec spec;

    private Ranks ranks;

    @Override
    public Integer call() throws IOException {
        ranks = together.begin(spec.commandLine(), "--resume and the folder go on from the last checkpoint");
        ModelSource asked = ranks.together(() -> resume == null ? asked() : null);
        Path path = ranks.together(() -> resume == null ? folder(asked) : resumedFolder());
        try (RunFolder folder = RunFolder.of(path, ranks)) {
            RunSettings settings = ranks.together(() -> settings(folder, asked));
            return run(folder, settings,
                    resume == null ? asked : ModelSource.of(settings.model(), settings.bindings()));
        }
    }

    private RunSettings settings(RunFolder folder, ModelSource asked) throws IOException {
        RunSettings settings = resume == null ? fresh(asked) : resumed(folder);
        ThreadOption.apply(settings.threads());
        int parts = settings.steps().accumulate() * ranks.size();
        if (settings.steps().batchSize() % parts != 0) {
            throw new UsageException("--batch-size " + settings.steps().batchSize() + " has no " + parts
                    + " equal parts, one for each pass of each of " + ranks.size() + " ranks");
        }
        if (report != null) {
            OutputPath.checkFile("--report", report);
        }
        return settings;
    }

    private int run(RunFolder folder, RunSettings asked, ModelSource source) throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        DataSets.Opened opened =
                ranks.together(() -> data.open(asked.data(), source, from, asked.threads(), err::println));
        try (ProgressView view = ProgressView.choose(quiet || !ranks.first(), err);
                TrainingJob job = ranks.together(() -> job(folder, asked, source, opened));
                StopSignal stop = new StopSignal()) {
            Optional<Path> events = ranks.first() ? tensorboard.folder() : Optional.empty();
            job.on(ranks, together.reduction());
            job.memory(memory.fit(ranks)).notes(view::line).warnings(line -> {
                view.clear();
                err.println(line);
            }).begin();
            introduction(job, opened.corpus(), folder).forEach(view::line);
            String mark = opened.corpus().synthetic() ? " synthetic data" : "";
            try (RunEvents written = events.map(to -> new RunEvents(to, job.progress().nextEpoch())).orElse(null)) {
                if (!run(job, folder, new Follower(view, job, stop, written, mark))) {
                    view.clear();
                    ranks.endTogether();
                    return stop(folder, job, err);
                }
            }
            finish(folder, job, opened);
            return Commands.OK;
        }
    }

    private TrainingJob job(RunFolder folder, RunSettings settings, ModelSource source, DataSets.Opened opened)
            throws IOException {
        if (resume != null) {
            return TrainingJob.resumed(folder, settings, opened);
        }
        RunSettings varied = settings.with(variation(opened.corpus()));
        if (!from.given()) {
            TrainingJob job = TrainingJob.fresh(folder, varied, opened);
            return source.weights().map(job::from).orElse(job);
        }
        // The scale may be that of --from, which a resumed run does not read.
        RunSettings scaled = settings.data().scale() == null && opened.corpus().train().pixels()
                ? varied.with(settings.data().scaled(Scales.text(opened.corpus().scale())))
                : varied;
        return TrainingJob.fresh(folder, scaled, opened).from(from.weights());
    }

    private static boolean run(TrainingJob job, RunFolder folder, Follower follower) throws IOException {
        try {
            return job.run(follower);
        } catch (FileException e) {
            throw withTheWayOn(e, folder);
        }
    }

    /** Saves where the run stands. What there is to say is said here, for the JVM does not wait for what comes after. */
    private static int stop(RunFolder folder, TrainingJob job, PrintWriter err) throws IOException {
        int epoch = job.progress().nextEpoch() + 1;
        try {
            job.save();
            err.println("stopped in epoch " + epoch + " and saved; go on with: " + goOn(folder));
            return Commands.STOPPED;
        } catch (FileException e) {
            err.println("pare: stopped in epoch " + epoch + ", but " + e.getMessage()
                    + (folder.unfinished() ? "; go on from the last checkpoint with: " + goOn(folder) : ""));
            return Commands.FAILURE;
        } finally {
            err.flush();
        }
    }

    private static FileException withTheWayOn(FileException e, RunFolder folder) {
        return folder.unfinished()
                ? new FileException(e.getMessage() + "; then go on with: " + goOn(folder), e.getCause())
                : e;
    }

    private static String goOn(RunFolder folder) {
        return Invocation.of("train", "--resume", folder.path().toString());
    }

    /** The network of a new run, whose file is read once: that of a large network takes seconds. */
    private ModelSource asked() throws IOException {
        if (model == null) {
            throw new UsageException("which model? Give " + String.join(" or ", Models.names())
                    + ", or --resume DIR to go on with a run");
        }
        return from.source(model);
    }

    private Path resumedFolder() {
        if (out != null && !out.equals(resume)) {
            throw new UsageException("--out and --resume name different folders; a resumed run stays in its own");
        }
        if (from.given()) {
            throw new UsageException("--from and --resume exclude each other: a resumed run has its weights");
        }
        return resume;
    }

    private Path folder(ModelSource source) {
        Path folder = out != null ? out : Path.of("runs", source.name());
        OutputPath.checkFolder(folder);
        if (from.given() && folder.resolve(Checkpoint.WEIGHTS).toAbsolutePath().normalize()
                .equals(from.file().toAbsolutePath().normalize())) {
            throw new UsageException(
                    from.file() + " would be lost, for a new run clears its folder: give another --out");
        }
        return folder;
    }

    private static @Nullable Object of(@Nullable Attack attack, Function<Attack, Object> value) {
        return attack == null ? null : value.apply(attack);
    }

    private RunSettings fresh(ModelSource source) throws IOException {
        positive("--accumulate", accumulate);
        attack.get(ATTACK_STEPS);
        if (shift != null && !(shift >= 0 && Double.isFinite(shift))) {
            throw new UsageException("--shift is " + shift + ", must be from 0 to the side of the images");
        }
        if (validation != null) {
            positive("--validation", validation);
        }
        if (keepZeros && !from.given() && source.weights().isEmpty()) {
            throw new UsageException("--keep-zeros belongs to --from, or a MODEL with weights, whose zeros it keeps");
        }
        RunSettings settings = new RunSettings(source.reference(), null, keepZeros, data.settings(),
                validation == null ? 0 : validation,
                new Descent(new Optimizer(optimizer, momentum, weightDecay),
                        new Schedule(learningRate, schedule, floor, warmUp), limit("--clip-norm", clipNorm)),
                null,
                new RunSettings.Steps(epochs, batchSize, dropout, accumulate, 0, memory.recompute(),
                        (int) limit("--patience", patience)),
                seed,
                threads.orElse(ThreadOption.processors()), precision.get(), from.bindings(model));
        check(settings);
        belongs("--momentum", optimizer.hasMomentum(), "--optimizer sgd or nesterov");
        belongs("--lr-floor", schedule == Schedule.Course.COSINE, "--schedule cosine");
        return settings;
    }

    /** Refuses an option that nothing would use. */
    private void belongs(String option, boolean used, String other) {
        if (!used && spec.commandLine().getParseResult().hasMatchedOption(option)) {
            throw new UsageException(option + " belongs to " + other);
        }
    }

    private static void check(RunSettings settings) {
        RunSettings.Steps steps = settings.steps();
        Optimizer optimizer = settings.descent().optimizer();
        Schedule schedule = settings.descent().schedule();
        positive("--epochs", steps.epochs());
        positive("--batch-size", steps.batchSize());
        if (steps.batchSize() % steps.accumulate() != 0) {
            throw new UsageException("--accumulate " + steps.accumulate() + " does not divide --batch-size "
                    + steps.batchSize() + " into equal parts");
        }
        inside("--lr", schedule.rate(), Double.MIN_NORMAL, 100);
        inside("--momentum", optimizer.momentum(), 0, 1);
        inside("--weight-decay", optimizer.decay(), 0, 1);
        inside("--lr-floor", schedule.floor(), 0, 1);
        inside("--warm-up", schedule.warmUp(), 0, steps.epochs());
        inside("--threads", settings.threads(), 1, ThreadOption.MOST);
    }

    private RunSettings resumed(RunFolder folder) {
        folder.lockForResume();
        RunSettings kept = folder.settings();
        try {
            check(kept);
        } catch (UsageException e) {
            throw new DataException(resume + " holds a damaged run.json: " + e.getMessage());
        }
        if (model != null && !ModelSource.reference(model).equals(kept.model())) {
            throw new UsageException(resume + " holds a run of " + kept.model() + ", not of " + model);
        }
        FIXED.forEach((option, setting) -> {
            if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                Object given = spec.findOption(option).getValue();
                if (!Objects.equals(given, setting.apply(kept))) {
                    throw new UsageException(option + " " + given + " differs from the run's " + setting.apply(kept)
                            + ": a resumed run keeps its settings; leave the option out, or start a new run");
                }
            }
        });
        PrecisionOption.checked(kept.precision());
        RunSettings.Steps steps = kept.steps();
        return kept.with(kept.data().at(data.settings(kept.data()).folder()))
                .with(new RunSettings.Steps(steps.epochs(), steps.batchSize(), steps.dropout(), steps.accumulate(),
                        steps.evaluationBatch(), steps.recompute() || memory.recompute(), steps.patience()))
                .threads(threads.orElse(kept.threads()));
    }

    /** Varies images as was asked for, else as is usual for the data. */
    private RunSettings.Variation variation(Corpus corpus) {
        Augmentation usual = corpus.augmentation();
        Dataset train = corpus.train();
        Warp warp = warp();
        if (!train.varies() && (shift != null && shift > 0 || flip != null && flip || crop != null)) {
            throw new UsageException("--shift, --flip and --crop are for pictures; the inputs of " + corpus.name()
                    + " are none");
        }
        for (String option : List.of("--rotate", "--zoom", "--shear", "--elastic")) {
            belongs(option, train.varies(), "pictures; the inputs of " + corpus.name() + " are none");
        }
        belongs("--sub-pixel", train.varies(), "pictures; the inputs of " + corpus.name() + " are none");
        double pixels = shift == null ? usual.shift().pixels() : shift;
        belongs("--sub-pixel", pixels > 0, "--shift above 0");
        inside("--shift", pixels, 0, Math.min(train.height(), train.width()));
        return new RunSettings.Variation(pixels, subPixel, crop == null ? usual.crop() : crop,
                flip == null ? usual.flip() : flip, warp, attack(corpus));
    }

    private @Nullable Attack attack(Corpus corpus) {
        Attack asked = attack.get(ATTACK_STEPS).orElse(null);
        if (asked != null) {
            AttackOption.check(corpus);
        }
        return asked;
    }

    private Warp warp() {
        try {
            return new Warp(rotate, zoom, shear, elastic);
        } catch (IllegalArgumentException e) {
            throw new UsageException("--" + e.getMessage());
        }
    }

    private static List<String> introduction(TrainingJob job, Corpus corpus, RunFolder folder) {
        RunSettings settings = job.settings();
        Net declared = job.network().model();
        Dataset.Split split = job.split();
        return List.of(String.format(Locale.ROOT,
                "%s, %,d weights%s; %s: %,d images to train, %,d to validate, %,d to test; seed %d, %d thread%s%s",
                declared.name(), declared.weightCount(), settings.from() == null ? "" : " of " + settings.from(),
                corpus.name(), split.train().size(), split.validation().size(), corpus.test().size(), settings.seed(),
                settings.threads(), settings.threads() == 1 ? "" : "s", loading(corpus)),
                Machine.current() + "; " + settings.precision() + ranks(job) + "; results in " + folder.path());
    }

    private static String ranks(TrainingJob job) {
        Ranks ranks = job.network().ranks();
        return ranks.size() == 1
                ? ""
                : String.format(Locale.ROOT, "; %s, %,d bytes of gradients a step", ranks.words(),
                        job.progress().trainer().bytesPerStep());
    }

    private static String loading(Corpus corpus) {
        int loaders = corpus.train().loaders();
        return loaders == 0 ? "" : ", " + loaders + " more to load images";
    }

    private void finish(RunFolder folder, TrainingJob job, DataSets.Opened opened) throws IOException {
        Net declared = job.network().model();
        TrainingRun run = job.progress();
        Evaluation test = job.test();
        Robustness robust = job.robustness();
        PrintWriter results = spec.commandLine().getOut();
        results.printf(Locale.ROOT, "model                %s%n", declared.name());
        results.printf("data                 %s%n", opened.corpus().name());
        Task task = test.task();
        results.printf("%-20s %s%n", "test " + task.metric(), test.words());
        if (robust != null) {
            results.printf(Locale.ROOT, "robust accuracy      %.4f, %s%n", robust.accuracy(), robust.words());
        }
        results.printf("%-20s %s (epoch %d of %d)%n", "validation " + task.metric(),
                MetricsText.shown(task, run.bestScore()), run.bestEpoch() + 1, job.settings().steps().epochs());
        results.printf(Locale.ROOT, "training loss        %.4f%n", trainLoss(job));
        results.printf(Locale.ROOT, "images per second    %.0f%n", run.imagesPerSecond());
        results.printf(Locale.ROOT, "seconds              %.1f%n", run.seconds());
        results.flush();
        try {
            job.finish(Map.of("commit", Pare.commit()));
        } catch (FileException e) {
            throw withTheWayOn(e, folder);
        }
        results.printf("weights              %s%n", folder.weights());
        results.flush();
        if (report != null && ranks.first()) {
            report(job, opened, test, robust).write(report);
        }
    }

    private static double trainLoss(TrainingJob job) {
        List<EpochRecord> history = job.history();
        return history.isEmpty() ? Double.NaN : history.getLast().trainLoss();
    }

    private static JsonReport report(TrainingJob job, DataSets.Opened opened, Evaluation test,
            @Nullable Robustness robust) {
        RunSettings settings = job.settings();
        TrainingRun run = job.progress();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("model", settings.model());
        fields.put("dataset", opened.corpus().name());
        fields.put("seed", settings.seed());
        fields.put("threads", settings.threads());
        fields.put("precision", settings.precision());
        fields.putAll(Machine.current().fields());
        fields.put("epochs", settings.steps().epochs());
        fields.put("trainLoss", trainLoss(job));
        fields.put(MetricsText.field("validation", test.task()), test.task().shown(run.bestScore()));
        fields.putAll(MetricsText.all("test", test, opened.corpus().classNames()));
        fields.putAll(MetricsText.robust("test", robust));
        fields.put("imagesPerSecond", run.imagesPerSecond());
        fields.put("seconds", run.seconds());
        fields.put("bestEpoch", run.bestEpoch() + 1);
        fields.put("weights", job.network().model().weightCount());
        if (opened.corpus().train().slow()) {
            fields.put("loaders", opened.corpus().train().loaders());
            fields.put("skippedImages", opened.odd().skipped());
            fields.put("convertedImages", opened.odd().converted());
        }
        fields.put("settings", settings);
        fields.put("history", job.history());
        return new JsonReport().putAll(fields);
    }

    private static void positive(String option, int value) {
        if (value < 1) {
            throw new UsageException(option + " is " + value + ", must be at least 1");
        }
    }

    /** A limit that is none at 0. */
    private static double limit(String option, double value) {
        if (!(value >= 0 && Double.isFinite(value))) {
            throw new UsageException(option + " is " + value + ", must be above 0, or 0 for none");
        }
        return value;
    }

    private static void inside(String option, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            throw new UsageException(String.format(Locale.ROOT, "%s is %s, must be %s %s", option, value,
                    least == Double.MIN_NORMAL ? "above 0 and at most" : "from " + trimmed(least) + " to",
                    trimmed(most)));
        }
    }

    private static String trimmed(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    /** Shows progress and passes on a wish to stop. */
    private static final class Follower implements TrainingRun.Listener {
        private final ProgressView view;
        private final TrainingRun run;
        private final int epochs;
        private final StopSignal stop;
        /** Written for TensorBoard; {@code null} where that was not asked for. */
        private final RunEvents events;
        private final String mark;
        private final Pace pace;

        Follower(ProgressView view, TrainingJob job, StopSignal stop, RunEvents events, String mark) {
            this.view = view;
            this.run = job.progress();
            this.epochs = job.settings().steps().epochs();
            this.stop = stop;
            this.events = events;
            this.mark = mark;
            int stepsPerEpoch = run.trainer().stepsPerEpoch();
            this.pace = new Pace((long) epochs * stepsPerEpoch, stepsPerEpoch, job.settings().steps().batchSize(),
                    System::nanoTime);
        }

        @Override
        public boolean step(Trainer.Progress progress) {
            pace.step();
            view.step("epoch " + (progress.epoch() + 1) + "/" + epochs, progress.batch(), progress.batches(),
                    () -> String.format(Locale.ROOT, "ETA %s  %s img/s  loss %.4f%s%s",
                            pace.left(run.trainer().steps()), pace.rate(), progress.loss(), right(progress), mark));
            return !stop.asked();
        }

        @Override
        public void epoch(Trainer.Progress progress, Evaluation validated, boolean bestSoFar) {
            pace.between(true);
            if (events != null) {
                events.epoch(progress, validated, run.trainer().network());
            }
            view.line(String.format(Locale.ROOT,
                    "epoch %2d/%d  ETA %s  loss %.4f%s val %s  %s img/s%s%s", progress.epoch() + 1,
                    epochs, pace.left(run.trainer().steps()), progress.loss(), right(progress),
                    MetricsText.shown(validated.task(), validated.score()), pace.rate(), bestSoFar ? " best" : "",
                    mark));
        }

        /** The share of right answers, where answers can be right. */
        private static String right(Trainer.Progress progress) {
            return Double.isNaN(progress.accuracy())
                    ? ""
                    : String.format(Locale.ROOT, " acc %.4f", progress.accuracy());
        }

        @Override
        public void checkpoint(TrainingRun saved) {
            pace.between(false);
        }
    }
}
