package io.pare.cli;

import io.pare.data.Batches;
import io.pare.data.Corpus;
import io.pare.data.Dataset;
import io.pare.exec.Precision;
import io.pare.format.NetworkFile;
import io.pare.infer.CompressedModel;
import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.StoredNetwork;
import io.pare.report.JsonReport;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures a trained network on test data. */
@Command(name = "eval", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Measure a trained network on test data.%n", optionListHeading = "%nOptions:%n",
        footer = {"", "Examples:", "  pare eval runs/lenet5", "  pare eval runs/prune/lenet5.pare",
            "  pare eval lenet5.onnx --data DIR",
            "  pare eval resnet20.safetensors --dataset cifar10 --data DIR --scale imagenet"})
final class EvalCommand implements Callable<Integer> {
    /** What computes. */
    enum Engine {
        DENSE, SPARSE
    }

    @Mixin
    private NetworkSource source;

    @Option(names = "--engine", paramLabel = "NAME",
            description = "dense (the trainer's) or sparse (straight from the compressed form; default for .pare).")
    private Engine engine;

    @Mixin
    private PrecisionOption precision;

    @Mixin
    private DataOption data;

    @Mixin
    private ThreadOption threads;

    @Option(names = "--report", paramLabel = "FILE.json", description = "Write results as JSON.")
    private Path report;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        StoredNetwork contents = source.contents();
        CompressedWeights weights = contents.weights();
        Engine chosen = engine != null
                ? engine
                : NetworkFile.kind(source.file()) == NetworkFile.Kind.PARE ? Engine.SPARSE : Engine.DENSE;
        int processors = threads.orElse(ThreadOption.processors());
        int count = chosen == Engine.SPARSE ? 1 : processors;
        Precision numbers = precision.get();
        if (chosen == Engine.SPARSE && numbers != Precision.FP32) {
            throw new UsageException(
                    "--precision " + numbers + " is for --engine dense; the sparse engine has fp32 only");
        }
        if (report != null) {
            OutputPath.checkFile("--report", report);
        }
        DataSettings settings = settings();
        DataOption.Opened opened = data.open(settings, weights.model(), processors,
                spec.commandLine().getErr()::println);
        Corpus corpus = opened.corpus();
        // What the network was trained with, not what is usual for the data, if the file says it.
        InputScale scale = settings.scale() == null && contents.scaled() ? weights.scale() : corpus.scale();
        if (settings.scale() == null && !contents.scaled()) {
            Scales.guessed(source.file(), scale, spec.commandLine().getErr()::println);
        }
        Evaluation test;
        if (chosen == Engine.SPARSE) {
            test = sparse(weights, corpus.test(), scale);
        } else {
            ThreadOption.apply(count);
            test = dense(weights, corpus.test(), scale, numbers);
        }
        PrintWriter out = spec.commandLine().getOut();
        out.printf(Locale.ROOT, "model          %s%n", weights.model().name());
        out.printf("data           %s%n", corpus.name());
        out.printf(Locale.ROOT, "test accuracy  %s (%d images)%n", test.words(weights.model().classes()),
                test.samples());
        out.printf(Locale.ROOT, "test loss      %.4f%n", test.loss());
        out.flush();
        if (report != null) {
            JsonReport json = new JsonReport().put("model", weights.model().name())
                    .put("dataset", corpus.name()).put("engine", chosen)
                    .put("threads", count).put("precision", numbers).put("version", Version.number())
                    .put("commit", BuildInfo.commit());
            if (chosen == Engine.DENSE) {
                json.putAll(Machine.current().fields());
            }
            json.put("testAccuracy", test.accuracy()).put("testTopFiveAccuracy", test.topFive())
                    .put("testLoss", test.loss()).put("images", test.samples())
                    .put("skippedImages", opened.odd().skipped())
                    .write(report);
        }
        return Commands.OK;
    }

    /** What was asked for; a run's folder knows what it was trained on. */
    private DataSettings settings() {
        if (!data.given() && source.folder() != null) {
            RunSettings run = new RunFolder(source.folder()).settingsIfAny();
            return run == null ? data.settings() : data.settings(run.source());
        }
        return data.settings();
    }

    private static Evaluation dense(CompressedWeights weights, Dataset test, InputScale scale,
            Precision precision) {
        try (Network network = Network.create(weights.model(), 0, Natives.enabled())) {
            network.copyFrom(weights);
            return Evaluation.of(network, test, scale, precision);
        }
    }

    private static Evaluation sparse(CompressedWeights weights, Dataset test, InputScale scale) {
        try (CompressedModel model = CompressedModel.of(weights);
                Region region = Region.shared("evaluation");
                Batches batches = Batches.inOrder(test, 1, scale)) {
            int classes = weights.model().classes();
            FloatTensor image = region.tensor(1, test.channels(), test.height(), test.width());
            MemorySegment label = region.allocate(Integer.BYTES);
            int seen = 0;
            Kernels kernels = Kernels.active();
            MemorySegment guesses = region.allocate((long) classes * Float.BYTES);
            long correct = 0;
            long inFive = 0;
            double loss = 0;
            while (batches.next(image, label) > 0) {
                float[] probabilities = model.predict(image.toArray());
                MemorySegment guess = guesses.copyFrom(MemorySegment.ofArray(probabilities));
                correct += kernels.countCorrect(guess, 0, label, 0, 1, classes, 1);
                inFive += kernels.countCorrect(guess, 0, label, 0, 1, classes, Evaluation.FIVE);
                int right = label.get(ValueLayout.JAVA_INT, 0);
                loss -= Math.log(Math.max(probabilities[right], Float.MIN_NORMAL));
                seen++;
            }
            return new Evaluation((double) correct / seen, (double) inFive / seen, loss / seen, seen);
        }
    }
}
