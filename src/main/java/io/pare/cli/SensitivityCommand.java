package io.pare.cli;

import io.pare.compress.Sensitivity;
import io.pare.data.Corpus;
import io.pare.data.Dataset;
import io.pare.graph.Precision;
import io.pare.natives.Natives;
import io.pare.report.HtmlPage;
import io.pare.report.JsonReport;
import io.pare.report.LineChart;
import io.pare.train.Network;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures what each layer can do without. */
@Command(name = "sensitivity", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Prune and cluster one layer at a time, without retraining, and measure.%n", footer = {
            "", "Example:", "  pare sensitivity lenet5 --from runs/lenet5 --plot sensitivity.html"})
final class SensitivityCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "A network by name: see models.")
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
        if (!from.given()) {
            throw new UsageException("give --from, a trained network");
        }
        int count = threads.orElse(ThreadOption.processors());
        ThreadOption.apply(count);
        for (Path file : new Path[]{report, plot}) {
            if (file != null) {
                OutputPath.checkFile(file == plot ? "--plot" : "--report", file);
            }
        }
        DataOption.Opened opened = data.open(data.settings(), model, count, spec.commandLine().getErr()::println);
        Corpus corpus = opened.corpus();
        Dataset.Split split = corpus.split(0, seed);
        try (Network network = Network.create(opened.model(), seed, Natives.enabled());
                NetworkTraining training = new NetworkTraining(network, network, split.train(), split.validation(),
                        corpus.scale(), corpus.augmentation().crop(), seed, 0, Precision.FP32)) {
            from.load(network, corpus.scale(), spec.commandLine().getErr()::println);
            Sensitivity found = Sensitivity.scan(training, Sensitivity.SHARES, Sensitivity.BITS);
            print(found, corpus);
            if (report != null) {
                new JsonReport().put("model", model).put("dataset", corpus.name()).put("seed", seed)
                        .put("validationAccuracy", found.base().accuracy()).put("rows", found.rows()).write(report);
            }
            if (plot != null) {
                new HtmlPage("Sensitivity of " + model)
                        .chart(chart(found, "One layer pruned, no retraining", "log10 of the share kept",
                                row -> row.bits() == 32, row -> Math.log10(row.share())))
                        .chart(chart(found, "One layer clustered, no retraining", "bits of a value",
                                row -> row.bits() != 32, Sensitivity.Row::bits))
                        .write(plot);
            }
        }
        return Commands.OK;
    }

    private static LineChart chart(Sensitivity found, String title, String xLabel, Predicate<Sensitivity.Row> rows,
            ToDoubleFunction<Sensitivity.Row> x) {
        LineChart chart = new LineChart(title, xLabel, "validation accuracy");
        for (String tensor : found.tensors()) {
            List<Sensitivity.Row> line = found.rows().stream().filter(row -> row.tensor().equals(tensor)).filter(rows)
                    .toList();
            chart.line(tensor, line.stream().mapToDouble(x).toArray(),
                    line.stream().mapToDouble(Sensitivity.Row::accuracy).toArray());
        }
        return chart;
    }

    private void print(Sensitivity found, Corpus corpus) {
        PrintWriter out = spec.commandLine().getOut();
        out.printf("data           %s%n", corpus.name());
        out.printf(Locale.ROOT, "untouched      %.4f%n", found.base().accuracy());
        for (Sensitivity.Row row : found.rows()) {
            String setting = row.bits() == 32
                    ? String.format(Locale.ROOT, "keep %5.1f %%", 100 * row.share())
                    : String.format(Locale.ROOT, "%d bit%s", row.bits(), row.bits() == 1 ? "" : "s");
            out.printf(Locale.ROOT, "%-14s %-12s %.4f%n", row.tensor(), setting, row.accuracy());
        }
        out.flush();
    }
}
