package io.pare.cli;

import io.pare.data.Dataset;
import io.pare.data.Mnist;
import io.pare.data.PixelScale;
import io.pare.file.AtomicFile;
import io.pare.format.CompressedWeights;
import io.pare.format.NetworkFile;
import io.pare.infer.CompressedModel;
import io.pare.natives.Natives;
import io.pare.report.JsonReport;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import io.pare.train.Weight;
import java.io.IOException;
import java.io.PrintWriter;
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
            "  pare eval lenet5.onnx --data DIR"})
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

    @Option(names = "--data", paramLabel = "DIR",
            description = "Folder with four IDX files, gzipped or not (default: the MNIST inside the jar).")
    private Path data;

    @Mixin
    private ThreadOption threads;

    @Option(names = "--report", paramLabel = "FILE.json", description = "Write results as JSON.")
    private Path report;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        CompressedWeights weights = source.read();
        Engine chosen = engine != null
                ? engine
                : NetworkFile.kind(source.file()) == NetworkFile.Kind.PARE ? Engine.SPARSE : Engine.DENSE;
        int count = chosen == Engine.SPARSE ? 1 : threads.orElse(ThreadOption.processors());
        if (report != null) {
            AtomicFile.check(report);
        }
        Mnist mnist = data == null ? Mnist.embedded() : Mnist.load(data);
        ImageReader.check(weights.model(), mnist.test());
        Evaluation test;
        if (chosen == Engine.SPARSE) {
            test = sparse(weights, mnist.test());
        } else {
            ThreadOption.apply(count);
            test = dense(weights, mnist.test());
        }
        PrintWriter out = spec.commandLine().getOut();
        out.printf(Locale.ROOT, "model          %s%n", weights.model().name());
        out.printf(Locale.ROOT, "test accuracy  %.4f (%d images)%n", test.accuracy(), test.samples());
        out.printf(Locale.ROOT, "test loss      %.4f%n", test.loss());
        out.flush();
        if (report != null) {
            JsonReport json = new JsonReport().put("model", weights.model().name())
                    .put("dataset", mnist.test().name().replace(" (test)", "")).put("engine", chosen)
                    .put("threads", count).put("version", Version.number()).put("commit", BuildInfo.commit());
            if (chosen == Engine.DENSE) {
                json.putAll(Machine.current().fields());
            }
            json.put("testAccuracy", test.accuracy()).put("testLoss", test.loss()).put("images", test.samples())
                    .write(report);
        }
        return Commands.OK;
    }

    private static Evaluation dense(CompressedWeights weights, Dataset test) {
        try (Network network = Network.create(weights.model(), 0, Natives.enabled())) {
            for (Weight weight : network.weights()) {
                weights.tensor(weight.name()).copyTo(weight.value());
            }
            return Evaluation.of(network, test, new PixelScale(weights.scale().mean(), weights.scale().deviation()));
        }
    }

    private static Evaluation sparse(CompressedWeights weights, Dataset test) {
        try (CompressedModel model = CompressedModel.of(weights)) {
            int classes = weights.model().classes();
            float[] image = new float[test.imageBytes()];
            int correct = 0;
            double loss = 0;
            for (int i = 0; i < test.size(); i++) {
                for (int p = 0; p < image.length; p++) {
                    image[p] = weights.scale().apply(test.pixel(i, p));
                }
                float[] probabilities = model.predict(image);
                int best = 0;
                for (int c = 1; c < classes; c++) {
                    best = probabilities[c] > probabilities[best] ? c : best;
                }
                correct += best == test.label(i) ? 1 : 0;
                loss -= Math.log(Math.max(probabilities[test.label(i)], Float.MIN_NORMAL));
            }
            return new Evaluation((double) correct / test.size(), loss / test.size(), test.size());
        }
    }
}
