package io.pare.cli;

import io.pare.compress.EpochRow;
import io.pare.compress.LayerRow;
import io.pare.compress.Pipeline;
import io.pare.compress.Progress;
import io.pare.compress.Recipe;
import io.pare.compress.Stage;
import io.pare.compress.StageRow;
import io.pare.data.Dataset;
import io.pare.data.Mnist;
import io.pare.data.PixelScale;
import io.pare.file.AtomicFile;
import io.pare.format.CompressedWeights;
import io.pare.format.InputScale;
import io.pare.format.PareFile;
import io.pare.mem.FloatTensor;
import io.pare.model.Model;
import io.pare.model.Models;
import io.pare.natives.Natives;
import io.pare.train.Checkpoint;
import io.pare.train.Network;
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
    private static final int HELD_BACK_SHARE = 12;

    @Parameters(paramLabel = "MODEL", description = "lenet5 or lenet300.")
    private String model;

    @Option(names = "--from", paramLabel = "DIR",
            description = "A trained network: the folder of a run, or its weights.safetensors. Give the run's --seed, so that its validation images stay unseen (default: train one first).")
    private Path from;

    @Option(names = "--recipe", paramLabel = "NAME|FILE", required = true,
            description = "A recipe that comes with Pare, or a YAML file.")
    private String recipeName;

    @Option(names = "--out", paramLabel = "DIR", description = "Folder for state and results (default: runs/RECIPE).")
    private Path out;

    @Option(names = "--report", paramLabel = "FILE.json", description = "Write results as JSON.")
    private Path report;

    @Option(names = "--seed", paramLabel = "S", defaultValue = "1",
            description = "Fixes all that is random (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin
    private ThreadOption threads;

    @Option(names = "--data", paramLabel = "DIR",
            description = "Folder with four IDX files (default: the MNIST inside the jar).")
    private Path data;

    @Option(names = "--anew", description = "Begin again where --out holds an unfinished run, rather than going on.")
    private boolean anew;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Recipe recipe = Recipe.load(recipeName);
        Model declared = Models.byName(model);
        if (report != null) {
            AtomicFile.check(report);
        }
        Path folder = out != null ? out : Path.of("runs", recipe.name());
        Files.createDirectories(folder);
        Path state = folder.resolve("state.safetensors");
        Path denseState = folder.resolve("dense-state.safetensors");
        Path denseFile = folder.resolve("dense.safetensors");
        if (anew) {
            Files.deleteIfExists(state);
            Files.deleteIfExists(denseState);
            Files.deleteIfExists(denseFile);
        }
        int count = threads.orElse(ThreadOption.processors());
        ThreadOption.apply(count);
        Mnist mnist = data == null ? Mnist.embedded() : Mnist.load(data);
        Dataset.Split split = mnist.train().split(mnist.train().size() / HELD_BACK_SHARE, seed);
        try (Network network = Network.create(declared, seed, Natives.enabled());
                Network teacher = Network.create(declared, seed, Natives.enabled())) {
            NetworkTraining training = new NetworkTraining(network, teacher, split.train(), split.validation(),
                    PixelScale.MNIST, seed);
            double denseSeconds = 0;
            if (from != null) {
                Checkpoint.loadWeights(network, Files.isDirectory(from) ? from.resolve(Checkpoint.WEIGHTS) : from);
            } else if (Files.exists(denseFile)) {
                Checkpoint.loadWeights(network, denseFile);
            } else {
                Recipe dense =
                        new Recipe("dense", model, "", recipe.dense(), List.of(new Stage.Retrain(recipe.dense())));
                denseSeconds = new Pipeline(dense, training, denseState, lines()).run().trainSeconds();
                Checkpoint.saveWeights(network, denseFile, Map.of());
                Files.deleteIfExists(denseState);
            }
            for (Weight weight : network.weights()) {
                teacher.value(weight.name()).copyFrom(weight.value());
            }
            double denseTest = training.measure(mnist.test()).accuracy();
            Pipeline.Result result = new Pipeline(recipe, training, state, lines()).run();
            double test = training.measure(mnist.test()).accuracy();
            Checkpoint.saveWeights(network, folder.resolve(Checkpoint.WEIGHTS), Map.of());
            Map<String, FloatTensor> parameters = new LinkedHashMap<>();
            network.weights().forEach(weight -> parameters.put(weight.name(), weight.value()));
            Path packed = folder.resolve(model + ".pare");
            PareFile.write(packed, CompressedWeights.of(declared, parameters,
                    new InputScale(PixelScale.MNIST.mean(), PixelScale.MNIST.deviation())));
            CompressionReport written = new CompressionReport(recipe, declared, seed, count, result, denseTest, test,
                    Files.size(packed), denseSeconds);
            PrintWriter results = spec.commandLine().getOut();
            results.print(written.text());
            results.flush();
            if (report != null) {
                written.json().write(report);
            }
            Map<String, float[]> before = new LinkedHashMap<>();
            Map<String, float[]> after = new LinkedHashMap<>();
            for (Weight weight : network.weights()) {
                if (weight.decays()) {
                    before.put(weight.name(), teacher.value(weight.name()).toArray());
                    after.put(weight.name(), weight.value().toArray());
                }
            }
            new CompressionPage(written, before, after).page().write(folder.resolve("report.html"));
        }
        return Commands.OK;
    }

    private Progress lines() {
        PrintWriter err = spec.commandLine().getErr();
        return new Progress() {
            @Override
            public void stageBegins(int number, int stages, String kind, int epochs) {
                err.printf(Locale.ROOT, "stage %d of %d: %s, %d epochs%n", number, stages, kind, epochs);
                err.flush();
            }

            @Override
            public void epoch(EpochRow row) {
                long kept = row.layers().stream().mapToLong(LayerRow::kept).sum();
                double primal = Math.sqrt(row.residuals().stream().mapToDouble(r -> r.primal() * r.primal()).sum());
                double norm = Math.sqrt(row.residuals().stream().mapToDouble(r -> r.norm() * r.norm()).sum());
                err.printf(Locale.ROOT,
                        "  epoch %d/%d loss %.4f validation %.4f (%.4f) kept %d residual %.3f %.1f s + %.2f s%n",
                        row.epochInStage(), row.epochsOfStage(), row.trainLoss(), row.validationAccuracy(),
                        row.validationLoss(), kept, norm == 0 ? 0 : primal / norm, row.trainSeconds(),
                        row.projectionSeconds());
                err.flush();
            }

            @Override
            public void stageEnds(StageRow row) {
                StringBuilder layers = new StringBuilder();
                for (LayerRow layer : row.layers()) {
                    layers.append(' ').append(layer.name().replace(".weight", "")).append(' ').append(layer.kept())
                            .append('/').append(layer.total()).append(" u").append(layer.unique());
                }
                err.printf(Locale.ROOT, "  ends: validation %.4f (%.4f);%s%n", row.validationAccuracy(),
                        row.validationLoss(), layers);
                err.flush();
            }
        };
    }
}
