package io.pare.cli;

import io.pare.Pare;
import io.pare.cli.sweep.Published;
import io.pare.compress.LayerRow;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Cost;
import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.stage.StageRow;
import io.pare.exec.backend.Precision;
import io.pare.net.Net;
import io.pare.net.Task;
import io.pare.report.JsonReport;
import io.pare.run.BitOperations;
import io.pare.run.CompressionResult;
import io.pare.run.MultiplyAdds;
import io.pare.train.Evaluation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a compression run found, as text and as JSON.
 *
 * @param dataset its name
 * @param classNames of its classes, as far as they have some
 * @param stepLimit steps in each round of a stage, of a rehearsal; 0 for an ordinary run
 */
record CompressionReport(CompressionResult done, String dataset, List<String> classNames, long seed, int threads,
        Precision precision, int stepLimit) {

    /** What was run. */
    Recipe recipe() {
        return done.recipe();
    }

    Net model() {
        return done.model();
    }

    /** Counts, proofs and stages. */
    Pipeline.Result result() {
        return done.found();
    }

    /** The dense network on test data. */
    Evaluation denseTest() {
        return done.dense();
    }

    /** What the network says of a sample. */
    Task task() {
        return done.test().task();
    }

    private double dense() {
        return 4.0 * result().weights();
    }

    private double cost(Cost cost) {
        return result().layers().stream().mapToDouble(row -> row.of(cost)).sum();
    }

    private double bitOperations() {
        return cost(new BitOperations(model(), BitOperations.FLOAT));
    }

    /** Of the dense network: floats times floats. */
    private double denseBitOperations() {
        return (double) model().multiplyAdds() * BitOperations.FLOAT * BitOperations.FLOAT;
    }

    /** Bits of a value, each layer counted once, as ReLeQ (1811.01704) does. */
    private double meanBits() {
        return result().layers().stream().mapToInt(LayerRow::bits).average().orElse(0);
    }

    private double bias() {
        return model().parameters().stream().filter(parameter -> !parameter.weight())
                .mapToLong(parameter -> parameter.count()).sum();
    }

    /** Published results on the same data. */
    private List<Published> published() {
        return Published.of(model().name(), dataset);
    }

    /** The final table, as the papers print it: published rows, then this run. */
    List<List<String>> table() {
        List<List<String>> rows = new ArrayList<>();
        published().stream().map(Published::cells).forEach(rows::add);
        rows.add(List.of("this run, dense", denseTest().words(),
                String.format(Locale.ROOT, "%,d", result().weights()), "1",
                String.format(Locale.ROOT, "%,.0f bytes", dense()), ""));
        rows.add(List.of("this run, " + recipe().name(), done.test().words(),
                String.format(Locale.ROOT, "%,d", result().nonzeros()),
                String.format(Locale.ROOT, "%.1f", (double) result().weights() / result().nonzeros()),
                String.format(Locale.ROOT, "%,.0f bytes", result().weightDataBytes()),
                String.format(Locale.ROOT, "%,d bytes (.pare file)", done.fileBytes())));
        return rows;
    }

    JsonReport json() {
        JsonReport json = new JsonReport().put("model", model().name()).put("dataset", dataset)
                .put("recipe", recipe().name()).put("seed", seed).put("threads", threads).put("precision", precision)
                .put("pruningRatio", (double) result().weights() / result().nonzeros())
                .put("nonzeros", result().nonzeros()).put("totalWeights", result().weights())
                .put("weightDataBytes", result().weightDataBytes())
                .put("weightDataRatio", dense() / result().weightDataBytes())
                .put("codebookBytes", result().codebookBytes()).put("bytesWithIndex", done.fileBytes())
                .put("bytesWithIndexIs", "size of the .pare file: positions, values, codebooks, biases, header")
                .put("ratioWithIndex", dense() / done.fileBytes())
                .put("multiplyAdds", cost(new MultiplyAdds(model())))
                .put("bitOperations", bitOperations()).put("denseBitOperations", denseBitOperations())
                .put("meanBits", meanBits())
                .put("entropyBoundBytes", result().entropyBytes()).put("biases", (long) bias())
                .putAll(MetricsText.all("test", done.test(), classNames))
                .putAll(MetricsText.values("denseTest", denseTest().metrics()))
                .putAll(MetricsText.robust("test", done.robust()))
                .putAll(MetricsText.robust("denseTest", done.denseRobust()))
                .put(MetricsText.field("validation", task()), task().shown(result().validation().accuracy()))
                .put("seconds", result().trainSeconds() + result().projectionSeconds() + done.denseSeconds())
                .put("denseSeconds", done.denseSeconds()).put("projectionSeconds", result().projectionSeconds());
        done.budgets().stream().filter(row -> row.quantity() == Budget.Quantity.LATENCY)
                .forEach(row -> json.put("microseconds", row.measured()));
        if (!done.budgets().isEmpty()) {
            json.put("budgets", done.budgets());
        }
        if (stepLimit > 0) {
            json.put("rehearsalSteps", stepLimit);
            if (!done.death().isEmpty()) {
                json.put("died", done.death());
            }
        }
        json.put("packing", done.packing()).put("layers", result().layers());
        List<Map<String, Object>> proofs = new ArrayList<>();
        result().proofs().forEach((name, found) -> {
            Map<String, Object> proof = new LinkedHashMap<>();
            proof.put("constraint", name);
            proof.put("holds", found.holds());
            proof.put("counted", found.detail());
            proofs.add(proof);
        });
        json.put("published", published());
        return json.put("proofs", proofs).put("stages", result().stages());
    }

    /** What a reader must know before the figures, a sentence each; empty for an ordinary run. */
    List<String> warnings() {
        if (stepLimit == 0) {
            return List.of();
        }
        String rehearsal = String.format(Locale.ROOT,
                "a rehearsal: %d steps in each round of a stage, so accuracies say nothing", stepLimit);
        return done.death().isEmpty()
                ? List.of(rehearsal)
                : List.of(rehearsal, done.death() + "; the file is not representative");
    }

    /** What the run's bits follow from, and the build that made them. */
    Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("network", model().name());
        facts.put("data", dataset);
        facts.put("seed", Long.toString(seed));
        facts.put("threads", Integer.toString(threads));
        facts.put("precision", precision.toString());
        facts.put("Pare", Pare.version() + ", commit " + Pare.commit());
        return facts;
    }

    /** By how much the outputs of layers changed, of the last stage that knows it. */
    private String layerErrors() {
        Map<String, Double> errors = result().stages().stream().map(StageRow::outputErrors)
                .filter(each -> !each.isEmpty()).reduce((_, later) -> later).orElse(Map.of());
        if (errors.isEmpty()) {
            return "";
        }
        Map.Entry<String, Double> worst =
                errors.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow();
        return String.format(Locale.ROOT, "layer errors         mean %.4f, most %.4f of %s: squared, of the outputs%n",
                errors.values().stream().mapToDouble(Double::doubleValue).average().orElseThrow(), worst.getValue(),
                worst.getKey());
    }

    String text() {
        StringBuilder text = new StringBuilder();
        warnings().forEach(warning -> text.append(warning).append(System.lineSeparator()));
        if (!warnings().isEmpty()) {
            text.append(System.lineSeparator());
        }
        text.append(
                String.format(Locale.ROOT, "%-32s %-20s %9s %7s  %-15s %s%n", "method", "test " + task().metric(),
                        "non-zeros",
                        "ratio", "weight data", "with index"));
        for (List<String> row : table()) {
            text.append(String.format(Locale.ROOT, "%-32s %-20s %9s %7s  %-15s %s%n", row.toArray()));
        }
        text.append(System.lineSeparator());
        text.append(String.format("data                 %s%n", dataset));
        result().layers()
                .forEach(layer -> text.append(String.format(Locale.ROOT, "%-14s %,9d of %,9d  %3d values  %2d bits%n",
                        layer.name(), layer.kept(), layer.total(), layer.unique(), layer.bits())));
        text.append(layerErrors());
        done.packing().forEach(row -> text.append(String.format(Locale.ROOT, "packed: %s; validation %s (%.4f)%n",
                row.step(), MetricsText.shown(task(), row.validationAccuracy()), row.validationLoss())));
        text.append(String.format(Locale.ROOT, "non-zeros            %,d of %,d (%.1f times)%n", result().nonzeros(),
                result().weights(), (double) result().weights() / result().nonzeros()));
        text.append(String.format(Locale.ROOT, "weight data          %.1f bytes (%.0f times)%n",
                result().weightDataBytes(), dense() / result().weightDataBytes()));
        text.append(String.format(Locale.ROOT,
                "bit operations       %.4g of %.4g (%.1f times), %.2f bits in the mean of layers%n", bitOperations(),
                denseBitOperations(), denseBitOperations() / bitOperations(), meanBits()));
        text.append(String.format(Locale.ROOT,
                "file                 %,d bytes (%.0f times), read back: the same weights%n", done.fileBytes(),
                dense() / done.fileBytes()));
        done.budgets().forEach(row -> text.append(String.format(Locale.ROOT, "%-20s %s%.4g %s%n", row.quantity(),
                row.allowed() == 0 ? "" : String.format(Locale.ROOT, "allowed %.4g, promised %.4g, measured ",
                        row.allowed(), row.promised()),
                row.measured(), row.unit())));
        text.append(String.format("%-20s %s%n", "validation " + task().metric(),
                MetricsText.shown(task(), result().validation().accuracy())));
        text.append(String.format("%-20s %s (dense %s)%n", "test " + task().metric(),
                done.test().words(), denseTest().words()));
        if (done.robust() != null && done.denseRobust() != null) {
            text.append(String.format(Locale.ROOT, "robust accuracy      %.4f (dense %.4f), %s%n",
                    done.robust().accuracy(), done.denseRobust().accuracy(), done.robust().words()));
        }
        text.append(String.format(Locale.ROOT, "seconds              %.1f, projections %.1f (%.2f %%)%n",
                result().trainSeconds() + result().projectionSeconds() + done.denseSeconds(),
                result().projectionSeconds(),
                100 * result().projectionSeconds() / (result().trainSeconds() + result().projectionSeconds())));
        return text.toString();
    }
}
