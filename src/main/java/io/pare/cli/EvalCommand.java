package io.pare.cli;

import io.pare.Pare;
import io.pare.data.Corpus;
import io.pare.descent.Attack;
import io.pare.exec.backend.Precision;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import io.pare.net.StoredNetwork;
import io.pare.report.JsonReport;
import io.pare.run.DataSets;
import io.pare.run.DataSettings;
import io.pare.run.Engine;
import io.pare.run.RunFolder;
import io.pare.run.RunSettings;
import io.pare.run.Scales;
import io.pare.run.SentencePairs;
import io.pare.text.SentenceEncoder;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import io.pare.train.Robustness;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures a trained network on test data. */
@Command(name = "eval", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Measure a trained network on test data.", optionListHeading = "%nOptions:%n",
        footer = {"", "Examples:", "  pare eval runs/lenet5", "  pare eval runs/prune/lenet5.pare",
            "  pare eval lenet5.onnx --data DIR",
            "  pare eval runs/lenet5 --attack pgd --epsilon 0.3 --attack-step 0.03 --attack-steps 20 --restarts 5",
            "  pare eval all-minilm-l6-v2.onnx --sts stsb-dev.csv",
            "  pare eval resnet20.pth --model resnet20 --dataset cifar10 --data DIR --scale imagenet"})
final class EvalCommand implements Callable<Integer> {
    private static final Set<String> OF_ENCODERS = Set.of("--sts", "--tokenizer", "--pooling");
    private static final Set<String> OF_BOTH = Set.of("--threads", "--report", "--debug");
    /** Steps of an attack unless given. */
    private static final int ATTACK_STEPS = 20;

    @Mixin
    private NetworkSource source;

    @Option(names = "--engine", paramLabel = "NAME",
            description = "dense (the trainer's) or sparse (straight from the compressed form; default for .pare).")
    private Engine engine;

    @Mixin
    private PrecisionOption precision;

    @Mixin
    private AttackOption attack;

    @Option(names = "--restarts", paramLabel = "N", defaultValue = "1",
            description = "Random starts of --attack for each image, all of which the network must stand"
                    + " (default: ${DEFAULT-VALUE}).")
    private int restarts;

    @Option(names = "--seed", paramLabel = "S", defaultValue = "1",
            description = "Of the random starts of --attack (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin
    private DataOption data;

    @Mixin
    private ThreadOption threads;

    @Option(names = "--report", paramLabel = "FILE.json", description = "Write results as JSON.")
    private Path report;

    @Option(names = "--sts", paramLabel = "FILE.csv",
            description = "Measure a sentence encoder instead: Spearman's rank correlation of cosines with scores. Lines have"
                    + " two sentences and a score.")
    private Path pairs;

    @Mixin
    private EncoderOption encoder;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        checkBelong();
        if (report != null) {
            OutputPath.checkFile("--report", report);
        }
        return pairs == null ? pictures() : sentences();
    }

    /** Refuses options of the other kind of measurement. */
    private void checkBelong() {
        for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
            String name = option.longestName();
            if (pairs == null && OF_ENCODERS.contains(name)) {
                throw new UsageException(name + " is for sentence encoders: say by --sts FILE.csv what to measure");
            }
            if (pairs != null && !OF_ENCODERS.contains(name) && !OF_BOTH.contains(name)) {
                throw new UsageException(
                        name + " does not go with --sts, which measures a sentence encoder: leave it out");
            }
        }
    }

    private Optional<Attack> attack() {
        Optional<Attack> asked = attack.get(ATTACK_STEPS);
        if (restarts < 1) {
            throw new UsageException("--restarts is " + restarts + ", must be at least 1");
        }
        for (String option : List.of("--restarts", "--seed")) {
            if (asked.isEmpty() && spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new UsageException(option + " belongs to --attack pgd");
            }
        }
        if (asked.isPresent() && engine == Engine.SPARSE) {
            throw new UsageException("--attack needs gradients, which --engine sparse has none of: leave --engine out");
        }
        if (asked.isPresent() && precision.get() != Precision.FP32) {
            throw new UsageException("--attack computes in fp32: leave --precision out");
        }
        return asked;
    }

    private int sentences() throws IOException {
        SentencePairs scored = SentencePairs.read(pairs);
        SentenceEncoder opened = encoder.open(source.file());
        int processors = threads.orElse(ThreadOption.processors());
        double spearman = scored.spearman(opened, processors);
        PrintWriter out = spec.commandLine().getOut();
        out.printf("model          %s%n", source.file().getFileName());
        out.printf(Locale.ROOT, "pairs          %d%n", scored.scores().length);
        out.printf(Locale.ROOT, "spearman       %.4f%n", spearman);
        out.flush();
        if (report != null) {
            new JsonReport().put("model", source.file().getFileName().toString()).put("pairs", scored.scores().length)
                    .put("spearman", spearman).put("threads", processors).put("version", Pare.version())
                    .put("commit", Pare.commit()).write(report);
        }
        return Commands.OK;
    }

    private int pictures() throws IOException {
        Optional<Attack> attacked = attack();
        StoredNetwork contents = source.contents(spec.commandLine().getErr()::println);
        Engine chosen = engine != null ? engine : attacked.isPresent() ? Engine.DENSE : Engine.usual(source.file());
        int processors = threads.orElse(ThreadOption.processors());
        Precision numbers = precision.get();
        chosen.check(numbers);
        DataSettings settings = settings();
        DataSets.Opened opened = data.open(settings, contents.weights().model(), processors,
                spec.commandLine().getErr()::println);
        Corpus corpus = opened.corpus();
        if (attacked.isPresent()) {
            AttackOption.check(corpus);
        }
        CompressedWeights weights = DataSets.apart(Ending.of(opened.model()), corpus)
                ? Ending.without(contents.weights())
                : contents.weights();
        InputScale scale = settings.scale() != null || !corpus.test().pixels()
                ? corpus.scale()
                : Scales.trained(source.file(), contents, corpus, spec.commandLine().getErr()::println);
        ThreadOption.apply(processors);
        Evaluation test = chosen.evaluate(weights, corpus.test(), scale, numbers);
        Robustness robust = attacked.map(each -> robust(weights, corpus, scale, each)).orElse(null);
        PrintWriter out = spec.commandLine().getOut();
        out.printf(Locale.ROOT, "model          %s%n", weights.model().name());
        out.printf("data           %s%n", corpus.name());
        out.printf(Locale.ROOT, "%-14s %s (%d images)%n", "test " + test.task().metric(), test.words(),
                test.samples());
        out.printf(Locale.ROOT, "test loss      %.4f%n", test.loss());
        if (robust != null) {
            out.printf(Locale.ROOT, "robust         %.4f, %s, seed %d%n", robust.accuracy(), robust.words(), seed);
        }
        MetricsText.table(test.metrics(), corpus.classNames()).forEach(out::println);
        out.flush();
        if (report != null) {
            JsonReport json = new JsonReport().put("model", weights.model().name())
                    .put("dataset", corpus.name()).put("engine", chosen)
                    .put("threads", processors).put("precision", numbers).put("version", Pare.version())
                    .put("commit", Pare.commit());
            if (chosen == Engine.DENSE) {
                json.putAll(Machine.current().fields());
            }
            json.putAll(MetricsText.all("test", test, corpus.classNames()))
                    .putAll(MetricsText.robust("test", robust)).put("images", test.samples())
                    .put("skippedImages", opened.odd().skipped())
                    .write(report);
        }
        return Commands.OK;
    }

    private Robustness robust(CompressedWeights weights, Corpus corpus, InputScale scale, Attack asked) {
        try (Network network = Network.frozen(weights, Natives.enabled())) {
            return Robustness.of(network, corpus.test(), scale, asked, restarts, seed);
        }
    }

    /** What was asked for; a run's folder knows what it was trained on. */
    private DataSettings settings() {
        if (!data.given() && source.folder() != null) {
            RunSettings run = new RunFolder(source.folder()).settingsIfAny();
            return run == null ? data.settings() : data.settings(run.data());
        }
        return data.settings();
    }
}
