package io.pare.cli;

import io.pare.data.Mnist;
import io.pare.data.PixelScale;
import io.pare.file.AtomicFile;
import io.pare.format.FormatException;
import io.pare.format.Safetensors;
import io.pare.model.Models;
import io.pare.natives.Natives;
import io.pare.report.JsonReport;
import io.pare.train.Checkpoint;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures a trained network on test data. */
@Command(name = "eval", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Measure a trained network on test data.%n", optionListHeading = "%nOptions:%n", footer = {
            "", "Examples:", "  pare eval runs/lenet5", "  pare eval weights.safetensors --model lenet5 --data DIR"})
final class EvalCommand implements Callable<Integer> {
    @Parameters(paramLabel = "WEIGHTS", description = "A weights.safetensors file, or the folder of a run.")
    private Path weights;

    @Option(names = "--model", paramLabel = "MODEL", description = "lenet5 or lenet300 (default: what the file says).")
    private String model;

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
        Path file = Files.isDirectory(weights) ? weights.resolve(Checkpoint.WEIGHTS) : weights;
        if (!Files.exists(file)) {
            throw new UsageException(file + " does not exist" + (Files.isDirectory(weights)
                    ? ": the run in " + weights + " is not finished, see train --resume"
                    : ""));
        }
        int count = threads.orElse(ThreadOption.processors());
        ThreadOption.apply(count);
        if (report != null) {
            AtomicFile.check(report);
        }
        String name = model != null ? model : modelOf(file);
        Mnist mnist = data == null ? Mnist.embedded() : Mnist.load(data);
        try (Network network = Network.create(Models.byName(name), 0, Natives.enabled())) {
            Checkpoint.loadWeights(network, file);
            Evaluation test = Evaluation.of(network, mnist.test(), PixelScale.MNIST);
            PrintWriter out = spec.commandLine().getOut();
            out.printf(Locale.ROOT, "model          %s%n", name);
            out.printf(Locale.ROOT, "test accuracy  %.4f (%d images)%n", test.accuracy(), test.samples());
            out.printf(Locale.ROOT, "test loss      %.4f%n", test.loss());
            out.flush();
            if (report != null) {
                new JsonReport().put("model", name).put("dataset", mnist.test().name().replace(" (test)", ""))
                        .put("threads", count).putAll(Machine.current().fields()).put("testAccuracy", test.accuracy())
                        .put("testLoss", test.loss()).put("images", test.samples()).write(report);
            }
            return Commands.OK;
        }
    }

    private static String modelOf(Path file) throws IOException {
        try (Safetensors tensors = Safetensors.open(file)) {
            String named = tensors.metadata().get("model");
            if (named == null) {
                throw new FormatException(file + " does not say which model it is of: give --model");
            }
            return named;
        }
    }
}
