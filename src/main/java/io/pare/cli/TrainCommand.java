package io.pare.cli;

import io.pare.data.Augmentation;
import io.pare.data.Corpus;
import io.pare.data.Crop;
import io.pare.data.DataException;
import io.pare.data.Dataset;
import io.pare.file.FileException;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Model;
import io.pare.net.Models;
import io.pare.report.JsonReport;
import io.pare.run.DataSets;
import io.pare.run.DataSettings;
import io.pare.run.Divergence;
import io.pare.run.EpochRecord;
import io.pare.run.MemoryFit;
import io.pare.run.RunFolder;
import io.pare.run.RunSettings;
import io.pare.train.Checkpoint;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import io.pare.train.Trainer;
import io.pare.train.TrainingRun;
import io.pare.train.Weight;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Trains a network from its first weights or from trained ones, or goes on with a run that was stopped. */
@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Train a network, choose its best epoch on validation data, test it once.%n", description = {
            "The test data is looked at once, after training. Every epoch ends with a checkpoint in the --out"
                    + " folder; Ctrl-C saves one at once.",
            ""},
        footer = {"", "Examples:", "  pare train lenet5",
            "  pare train lenet5 --seed 2 --threads 1 --out runs/two --report two.json",
            "  pare train lenet5 --optimizer sgd --lr 0.05 --momentum 0.9 --schedule step --epochs 20",
            "  pare train lenet5 --dataset fashion --data ~/fashion-mnist",
            "  pare train lenet5 --data synthetic --images 10000",
            "  pare train --resume runs/two",
            "  pare train lenet5 --from runs/two --lr 0.0005 --epochs 5 --out runs/longer"})
final class TrainCommand implements Callable<Integer> {
    /** Options that decide the bits of a run, with what a resumed run has for them. */
    private static final Map<String, Function<RunSettings, Object>> FIXED = Map.ofEntries(
            Map.entry("--epochs", RunSettings::epochs), Map.entry("--batch-size", RunSettings::batchSize),
            Map.entry("--lr", RunSettings::learningRate), Map.entry("--optimizer", RunSettings::optimizer),
            Map.entry("--momentum", RunSettings::momentum), Map.entry("--weight-decay", RunSettings::weightDecay),
            Map.entry("--schedule", RunSettings::schedule), Map.entry("--lr-floor", RunSettings::floor),
            Map.entry("--warm-up", RunSettings::warmUp), Map.entry("--dropout", RunSettings::dropout),
            Map.entry("--shift", RunSettings::shift), Map.entry("--sub-pixel", RunSettings::subPixel),
            Map.entry("--crop", RunSettings::crop), Map.entry("--flip", RunSettings::flip),
            Map.entry("--dataset", RunSettings::dataset), Map.entry("--images", RunSettings::images),
            Map.entry("--resize", RunSettings::resize), Map.entry("--scale", RunSettings::scale),
            Map.entry("--damaged", RunSettings::damaged), Map.entry("--non-rgb", RunSettings::nonRgb),
            Map.entry("--background", RunSettings::background),
            Map.entry("--keep-zeros", RunSettings::keepZeros),
            Map.entry("--accumulate", RunSettings::accumulate), Map.entry("--validation", RunSettings::validation),
            Map.entry("--seed", RunSettings::seed), Map.entry("--precision", RunSettings::precision));

    /** One zero in so many weights is more than training leaves. */
    private static final int PRUNED = 100;

    @Parameters(arity = "0..1", paramLabel = "MODEL", description = "A network by name: see models.")
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
            description = "adam, adamw or sgd (default: ${DEFAULT-VALUE}).")
    private RunSettings.Rule optimizer;

    @Option(names = "--momentum", paramLabel = "M", defaultValue = "0.9",
            description = "Of sgd (default: ${DEFAULT-VALUE}).")
    private double momentum;

    @Option(names = "--weight-decay", paramLabel = "D", defaultValue = "0",
            description = "On weights, not on biases (default: ${DEFAULT-VALUE}).")
    private double weightDecay;

    @Option(names = "--schedule", paramLabel = "NAME", defaultValue = "cosine",
            description = "Learning rate over the run: cosine, step (a tenth after each third) or constant"
                    + " (default: ${DEFAULT-VALUE}).")
    private RunSettings.Course schedule;

    @Option(names = "--lr-floor", paramLabel = "F", defaultValue = "0",
            description = "Share of the rate at the end of a cosine (default: ${DEFAULT-VALUE}).")
    private double floor;

    @Option(names = "--warm-up", paramLabel = "EPOCHS", defaultValue = "0",
            description = "Epochs, parts allowed, over which the rate rises from zero (default: ${DEFAULT-VALUE}).")
    private double warmUp;

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

    @Option(names = {"-q", "--quiet"}, description = "No progress, only results.")
    private boolean quiet;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        try (RunFolder folder = new RunFolder(folder())) {
            RunSettings settings = resume == null ? fresh() : resumed(folder);
            ThreadOption.apply(settings.threads());
            if (report != null) {
                OutputPath.checkFile("--report", report);
            }
            return run(folder, settings);
        }
    }

    private int run(RunFolder folder, RunSettings asked) throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        DataSets.Opened opened = data.open(asked.source(), asked.model(), asked.threads(), err::println);
        Corpus corpus = opened.corpus();
        RunSettings augmented = resume == null ? augmented(asked, opened) : asked;
        Dataset.Split split = split(corpus, augmented);
        RunSettings settings = fitted(augmented, opened.model(), corpus, split, err);
        try (ProgressView view = ProgressView.choose(quiet, err);
                Network network = Network.create(opened.model(), settings.seed(), Natives.enabled());
                Trainer trainer = new Trainer(network, split.train(), corpus.scale(), settings.training());
                StopSignal stop = new StopSignal()) {
            TrainingRun run = new TrainingRun(trainer, split.validation(), corpus.scale(),
                    settings.plan(trainer.stepsPerEpoch()));
            List<EpochRecord> history = begin(folder, settings, run, view, corpus.scale(), err);
            introduction(settings, network.model(), split, corpus, folder).forEach(view::line);
            Divergence divergence = new Divergence(opened.model().classes(), "give a smaller --lr", line -> {
                view.clear();
                err.println(line);
            });
            boolean done = run.run(new Follower(view, run, folder, settings, history, stop, divergence,
                    corpus.synthetic() ? " synthetic data" : ""));
            if (!done) {
                view.clear();
                return stop(folder, run, err);
            }
            finish(folder, settings, run, opened, history);
            return Commands.OK;
        }
    }

    /** Saves where the run stands. What there is to say is said here, for the JVM does not wait for what comes after. */
    private static int stop(RunFolder folder, TrainingRun run, PrintWriter err) throws IOException {
        try {
            Checkpoint.save(run, folder.path());
            err.println("stopped in epoch " + (run.nextEpoch() + 1) + " and saved; go on with: " + goOn(folder));
            return Commands.STOPPED;
        } catch (FileException e) {
            err.println("pare: stopped in epoch " + (run.nextEpoch() + 1) + ", but " + e.getMessage()
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

    /** In as many passes as the memory limit asks for. */
    private RunSettings fitted(RunSettings settings, Model declared, Corpus corpus, Dataset.Split split,
            PrintWriter err) {
        long best = declared.elementCount() * Float.BYTES;
        return settings
                .in(memory.fit().fit(declared, List.of(settings.training()), List.of(split.validation(), corpus.test()),
                        best + MemoryFit.images(corpus), "best weights and images in memory take", resume != null,
                        quiet ? line -> {
                        } : err::println).getFirst());
    }

    private Path folder() {
        if (resume != null) {
            if (out != null && !out.equals(resume)) {
                throw new UsageException("--out and --resume name different folders; a resumed run stays in its own");
            }
            if (from.given()) {
                throw new UsageException("--from and --resume exclude each other: a resumed run has its weights");
            }
            return resume;
        }
        if (model == null) {
            throw new UsageException("which model? Give " + String.join(" or ", Models.names())
                    + ", or --resume DIR to go on with a run");
        }
        Path folder = out != null ? out : Path.of("runs", model);
        OutputPath.checkFolder(folder);
        if (from.given() && folder.resolve(Checkpoint.WEIGHTS).toAbsolutePath().normalize()
                .equals(from.file().toAbsolutePath().normalize())) {
            throw new UsageException(
                    from.file() + " would be lost, for a new run clears its folder: give another --out");
        }
        return folder;
    }

    private RunSettings fresh() {
        Models.byName(model);
        positive("--accumulate", accumulate);
        if (shift != null && !(shift >= 0 && Double.isFinite(shift))) {
            throw new UsageException("--shift is " + shift + ", must be from 0 to the side of the images");
        }
        if (validation != null) {
            positive("--validation", validation);
        }
        if (keepZeros && !from.given()) {
            throw new UsageException("--keep-zeros belongs to --from, whose zeros it keeps");
        }
        DataSettings source = data.settings();
        RunSettings settings = new RunSettings(model, source.folder(), epochs, batchSize, learningRate, optimizer,
                momentum, weightDecay, schedule, floor, warmUp, dropout, 0, subPixel,
                validation == null ? 0 : validation, seed,
                threads.orElse(ThreadOption.processors()), null, false, source.source(), source.images(),
                source.resize(), source.scale(), source.damaged(), source.nonRgb(), precision.get(), accumulate,
                0, memory.fit().recompute(), from.given() ? from.file().toString() : null,
                source.background(), keepZeros);
        check(settings);
        belongs("--momentum", optimizer == RunSettings.Rule.SGD, "--optimizer sgd");
        belongs("--lr-floor", schedule != RunSettings.Course.CONSTANT, "--schedule cosine or step");
        return settings;
    }

    /** Refuses an option that nothing would use. */
    private void belongs(String option, boolean used, String other) {
        if (!used && spec.commandLine().getParseResult().hasMatchedOption(option)) {
            throw new UsageException(option + " belongs to " + other);
        }
    }

    private static void check(RunSettings settings) {
        positive("--epochs", settings.epochs());
        positive("--batch-size", settings.batchSize());
        if (settings.batchSize() % settings.accumulate() != 0) {
            throw new UsageException("--accumulate " + settings.accumulate() + " does not divide --batch-size "
                    + settings.batchSize() + " into equal parts");
        }
        inside("--lr", settings.learningRate(), Double.MIN_NORMAL, 100);
        inside("--momentum", settings.momentum(), 0, 1);
        inside("--weight-decay", settings.weightDecay(), 0, 1);
        inside("--lr-floor", settings.floor(), 0, 1);
        inside("--warm-up", settings.warmUp(), 0, settings.epochs());
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
        if (model != null && !model.equals(kept.model())) {
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
        String moved = data.settings(kept.source()).folder();
        return new RunSettings(kept.model(), moved, kept.epochs(), kept.batchSize(), kept.learningRate(),
                kept.optimizer(), kept.momentum(), kept.weightDecay(), kept.schedule(), kept.floor(), kept.warmUp(),
                kept.dropout(), kept.shift(), kept.subPixel(), kept.validation(), kept.seed(),
                threads.orElse(kept.threads()), kept.crop(), kept.flip(), kept.dataset(), kept.images(), kept.resize(),
                kept.scale(), kept.damaged(), kept.nonRgb(), PrecisionOption.checked(kept.precision()),
                kept.accumulate(), kept.evaluationBatch(), kept.recompute() || memory.fit().recompute(), kept.from(),
                kept.background(), kept.keepZeros());
    }

    /** Augments as was asked for, else as is usual for the data. */
    private RunSettings augmented(RunSettings settings, DataSets.Opened opened) {
        Augmentation usual = opened.corpus().augmentation();
        Dataset train = opened.corpus().train();
        double pixels = shift == null ? usual.shift().pixels() : shift;
        inside("--shift", pixels, 0, Math.min(train.height(), train.width()));
        return settings.with(opened.source(), pixels, crop == null ? usual.crop() : crop,
                flip == null ? usual.flip() : flip);
    }

    private static Dataset.Split split(Corpus corpus, RunSettings settings) {
        Dataset train = corpus.train();
        if (settings.validation() == 0 && corpus.validation() != null) {
            return corpus.split(0, settings.seed());
        }
        int held = settings.validation() > 0 ? settings.validation() : corpus.usuallyHeld();
        if (held >= train.size()) {
            throw new UsageException("--validation " + held + " leaves nothing of " + train.size()
                    + " images to train on; hold back fewer");
        }
        if (settings.batchSize() > train.size() - held) {
            throw new UsageException("--batch-size " + settings.batchSize() + " is more than the "
                    + (train.size() - held) + " images there are to train on");
        }
        return corpus.split(held, settings.seed());
    }

    private List<EpochRecord> begin(RunFolder folder, RunSettings settings, TrainingRun run, ProgressView view,
            InputScale scale, PrintWriter err) throws IOException {
        Network network = run.trainer().network();
        if (resume != null) {
            Checkpoint.restore(run, folder.path());
            if (settings.keepZeros()) {
                network.keepZeros();
            }
            List<EpochRecord> history = folder.history(run.nextEpoch());
            if (history.size() < run.nextEpoch()) {
                view.line("warning: the history in " + folder.path() + " knows " + history.size() + " of "
                        + run.nextEpoch() + " epochs: an earlier version was killed while it wrote");
            }
            return history;
        }
        if (from.given()) {
            from.load(network, scale, err::println);
            zeros(network, err);
        }
        folder.lock();
        if (folder.unfinished()) {
            view.line("the unfinished run in " + folder.path() + " is kept: --resume " + folder.setAside());
        }
        List<EpochRecord> history = new ArrayList<>();
        folder.clear();
        folder.write(settings, history);
        return history;
    }

    /** Keeps zeros where that was asked for, and says what becomes of those of a pruned network otherwise. */
    private void zeros(Network network, PrintWriter err) {
        if (keepZeros) {
            network.keepZeros();
            return;
        }
        long zeros = 0;
        for (Weight weight : network.weights()) {
            for (long i = 0; weight.decays() && i < weight.value().count(); i++) {
                zeros += weight.value().get(i) == 0 ? 1 : 0;
            }
        }
        long all = network.model().weightCount();
        if (zeros * PRUNED >= all) {
            err.printf(Locale.ROOT,
                    "warning: %s is pruned, and training fills its %,d zeros of %,d weights; --keep-zeros"
                            + " leaves them, and compress retrains by mask-retrain%n",
                    from.file(), zeros, all);
        }
    }

    private List<String> introduction(RunSettings settings, Model declared, Dataset.Split split, Corpus corpus,
            RunFolder folder) {
        return List.of(String.format(Locale.ROOT,
                "%s, %,d weights%s; %s: %,d images to train, %,d to validate, %,d to test; seed %d, %d thread%s%s",
                declared.name(), declared.weightCount(), settings.from() == null ? "" : " of " + settings.from(),
                corpus.name(), split.train().size(), split.validation().size(), corpus.test().size(), settings.seed(),
                settings.threads(), settings.threads() == 1 ? "" : "s", loading(corpus)),
                Machine.current() + "; " + settings.precision() + "; results in " + folder.path());
    }

    private static String loading(Corpus corpus) {
        int loaders = corpus.train().loaders();
        return loaders == 0 ? "" : ", " + loaders + " more to load images";
    }

    private void finish(RunFolder folder, RunSettings settings, TrainingRun run, DataSets.Opened opened,
            List<EpochRecord> history) throws IOException {
        Network network = run.trainer().network();
        Corpus corpus = opened.corpus();
        Evaluation test = Evaluation.of(network, corpus.test(), corpus.scale());
        double trainLoss = history.isEmpty() ? Double.NaN : history.getLast().trainLoss();
        PrintWriter results = spec.commandLine().getOut();
        results.printf(Locale.ROOT, "model                %s%n", network.model().name());
        results.printf("data                 %s%n", corpus.name());
        results.printf("test accuracy        %s%n", test.words(network.model().classes()));
        results.printf(Locale.ROOT, "validation accuracy  %.4f (epoch %d of %d)%n", run.bestAccuracy(),
                run.bestEpoch() + 1, settings.epochs());
        results.printf(Locale.ROOT, "training loss        %.4f%n", trainLoss);
        results.printf(Locale.ROOT, "images per second    %.0f%n", run.imagesPerSecond());
        results.printf(Locale.ROOT, "seconds              %.1f%n", run.seconds());
        results.flush();
        try {
            folder.write(settings, history);
            Checkpoint.saveWeights(network, corpus.scale(), folder.weights(),
                    Map.of("seed", Long.toString(settings.seed()), "commit", BuildInfo.commit()));
        } catch (FileException e) {
            throw withTheWayOn(e, folder);
        }
        results.printf("weights              %s%n", folder.weights());
        results.flush();
        if (report != null) {
            report(settings, run, opened, history, test).write(report);
        }
    }

    private static JsonReport report(RunSettings settings, TrainingRun run, DataSets.Opened opened,
            List<EpochRecord> history, Evaluation test) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("model", settings.model());
        fields.put("dataset", opened.corpus().name());
        fields.put("seed", settings.seed());
        fields.put("threads", settings.threads());
        fields.put("precision", settings.precision());
        fields.putAll(Machine.current().fields());
        fields.put("epochs", settings.epochs());
        fields.put("trainLoss", history.isEmpty() ? Double.NaN : history.getLast().trainLoss());
        fields.put("validationAccuracy", run.bestAccuracy());
        fields.put("testAccuracy", test.accuracy());
        fields.put("testTopFiveAccuracy", test.topFive());
        fields.put("testLoss", test.loss());
        fields.put("imagesPerSecond", run.imagesPerSecond());
        fields.put("seconds", run.seconds());
        fields.put("bestEpoch", run.bestEpoch() + 1);
        fields.put("weights", run.trainer().network().model().weightCount());
        if (opened.corpus().train().slow()) {
            fields.put("loaders", opened.corpus().train().loaders());
            fields.put("skippedImages", opened.odd().skipped());
            fields.put("convertedImages", opened.odd().converted());
        }
        fields.put("settings", settings);
        fields.put("history", history);
        return new JsonReport().putAll(fields);
    }

    private static void positive(String option, int value) {
        if (value < 1) {
            throw new UsageException(option + " is " + value + ", must be at least 1");
        }
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

    /** Shows progress, keeps history and checkpoints, passes a wish to stop on. */
    private static final class Follower implements TrainingRun.Listener {
        private final ProgressView view;
        private final TrainingRun run;
        private final RunFolder folder;
        private final RunSettings settings;
        private final List<EpochRecord> history;
        private final StopSignal stop;
        private final Divergence divergence;
        private final String mark;
        private final Pace pace;

        Follower(ProgressView view, TrainingRun run, RunFolder folder, RunSettings settings, List<EpochRecord> history,
                StopSignal stop, Divergence divergence, String mark) {
            this.divergence = divergence;
            this.mark = mark;
            this.view = view;
            this.run = run;
            this.folder = folder;
            this.settings = settings;
            this.history = history;
            this.stop = stop;
            int stepsPerEpoch = run.trainer().stepsPerEpoch();
            this.pace = new Pace((long) settings.epochs() * stepsPerEpoch, stepsPerEpoch, settings.batchSize(),
                    System::nanoTime);
        }

        @Override
        public boolean step(Trainer.Progress progress) {
            pace.step();
            divergence.see(progress.loss());
            view.step("epoch " + (progress.epoch() + 1) + "/" + settings.epochs(), progress.batch(), progress.batches(),
                    () -> String.format(Locale.ROOT, "ETA %s  %s img/s  loss %.4f acc %.4f%s",
                            pace.left(run.trainer().steps()), pace.rate(), progress.loss(), progress.accuracy(), mark));
            return !stop.asked();
        }

        @Override
        public void epoch(Trainer.Progress progress, Evaluation validated, boolean bestSoFar) {
            pace.between(true);
            history.add(new EpochRecord(progress.epoch() + 1, progress.loss(), progress.accuracy(), validated.loss(),
                    validated.accuracy()));
            view.line(String.format(Locale.ROOT,
                    "epoch %2d/%d  ETA %s  loss %.4f acc %.4f val %.4f  %s img/s%s%s", progress.epoch() + 1,
                    settings.epochs(), pace.left(run.trainer().steps()), progress.loss(), progress.accuracy(),
                    validated.accuracy(), pace.rate(), bestSoFar ? " best" : "", mark));
        }

        /** The history comes first: a kill in between leaves one epoch too many in it, which a reader can leave out. */
        @Override
        public void checkpoint(TrainingRun saved) {
            try {
                folder.write(settings, history);
                Checkpoint.save(saved, folder.path());
            } catch (FileException e) {
                throw withTheWayOn(e, folder);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            pace.between(false);
        }
    }
}
