package io.pare.cli;

import io.pare.Pare;
import io.pare.compress.recipe.Sensitivity;
import io.pare.data.Corpus;
import io.pare.report.JsonReport;
import io.pare.run.DataSets;
import io.pare.run.ModelSource;
import io.pare.run.SensitivityScan;
import io.pare.run.StoredWeights;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures what each layer can do without. */
@Command(name = "sensitivity", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Prune and cluster one layer at a time, without retraining, and measure.", footer = {
            "", "Example:", "  pare sensitivity lenet5 --from runs/lenet5 --plot sensitivity.html"})
final class SensitivityCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL",
            description = "A network: a name, see models, or an .onnx or .pare file with its weights.")
    private String model;

    @Mixin
    private FromOption from;

    @Option(names = "--seed", paramLabel = "S", defaultValue = "1",
            description = "The run's seed: it says which images are validation (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin
    private ThreadOption threads;

    @Mixin
    private DataOption data;

    @Option(names = "--report", paramLabel = "FILE.json", description = "Write results as JSON.")
    private Path report;

    @Option(names = "--plot", paramLabel = "FILE.html", description = "Draw accuracy against weights kept and bits.")
    private Path plot;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        ModelSource network = from.source(model);
        StoredWeights weights = from.given() ? from.weights() : network.weights().orElseThrow(
                () -> new UsageException("give --from, a trained network, or MODEL as a file with weights"));
        int count = threads.orElse(ThreadOption.processors());
        ThreadOption.apply(count);
        for (Path file : new Path[]{report, plot}) {
            if (file != null) {
                OutputPath.checkFile(file == plot ? "--plot" : "--report", file);
            }
        }
        DataSets.Opened opened = data.open(data.settings(), network, from, count, spec.commandLine().getErr()::println);
        Corpus corpus = opened.corpus();
        Sensitivity found = SensitivityScan.of(opened.model(), corpus, weights, seed,
                spec.commandLine().getErr()::println);
        print(found, corpus);
        if (report != null) {
            new JsonReport().put("model", network.name()).put("dataset", corpus.name()).put("seed", seed)

                    .put(MetricsText.field("validation", corpus.task()), corpus.task().shown(found.base().accuracy()))
                    .put("rows", found.rows()).write(report);
        }
        if (plot != null) {
            Map<String, String> facts = new LinkedHashMap<>();
            facts.put("network", network.name());
            facts.put("weights", weights.file().toString());
            facts.put("data", corpus.name());
            facts.put("validation images",
                    String.format(Locale.ROOT, "%,d", corpus.split(0, seed).validation().size()));
            facts.put("seed", Long.toString(seed));
            facts.put("Pare", Pare.version() + ", commit " + Pare.commit());
            new SensitivityPage(network.name(), corpus.task(), facts, found).page().write(plot);
        }
        return Commands.OK;
    }

    private void print(Sensitivity found, Corpus corpus) {
        PrintWriter out = spec.commandLine().getOut();
        out.printf("data           %s%n", corpus.name());
        out.printf("untouched      %s%n", MetricsText.shown(corpus.task(), found.base().accuracy()));
        for (Sensitivity.Row row : found.rows()) {
            String setting = row.bits() == 32
                    ? String.format(Locale.ROOT, "keep %5.1f %%", 100 * row.share())
                    : String.format(Locale.ROOT, "%d bit%s", row.bits(), row.bits() == 1 ? "" : "s");
            out.printf(Locale.ROOT, "%-14s %-12s %s%n", row.tensor(), setting,
                    MetricsText.shown(corpus.task(), row.accuracy()));
        }
        out.flush();
    }
}
