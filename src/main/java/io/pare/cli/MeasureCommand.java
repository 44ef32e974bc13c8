package io.pare.cli;

import io.pare.net.CompressedWeights;
import io.pare.run.CostTable;
import io.pare.run.LayerTimes;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures how the time of a prediction follows from the weights of layers. */
@Command(name = "measure", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Measure what each layer's weights cost in time, for budgets of compress.",
        optionListHeading = "%nOptions:%n", footer = {"", "Examples:", "  pare measure runs/lenet5 --out cost.json",
            "  pare compress lenet5 --from runs/lenet5 --auto --budget \"latency<=20us\" --cost cost.json"})
final class MeasureCommand implements Callable<Integer> {
    @Mixin
    private NetworkSource source;

    @Option(names = "--out", paramLabel = "FILE.json", required = true,
            description = "Write the table: for each weight pairs of elements kept and microseconds, on one thread of Pare's own engine.")
    private Path out;

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "12",
            description = "Time for all measurements together (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (!(seconds > 0 && seconds <= 3600)) {
            throw new UsageException("--seconds is " + seconds + ": above 0, at most 3600");
        }
        OutputPath.checkFile("--out", out);
        PrintWriter err = spec.commandLine().getErr();
        CompressedWeights weights = source.read(err::println);
        CostTable table = LayerTimes.of(weights, seconds, err::println);
        table.write(out);
        PrintWriter results = spec.commandLine().getOut();
        results.printf(Locale.ROOT, "%-24s %10s %10s %10s %10s%n", "microseconds of", "all", "a tenth", "1 %",
                "weights");
        table.layers().forEach((name, curve) -> {
            double all = curve.getLast().getFirst();
            results.printf(Locale.ROOT, "%-24s %10.2f %10.2f %10.2f %,10.0f%n", name, table.at(name, all),
                    table.at(name, all / 10), table.at(name, all / 100), all);
        });
        for (Object[] row : List.of(new Object[]{"the rest", table.rest()},
                new Object[]{"the reference", table.reference()})) {
            results.printf(Locale.ROOT, "%-24s %10.2f%n", row);
        }
        results.flush();
        return Commands.OK;
    }
}
