package io.pare.cli;

import io.pare.compress.EpochRow;
import io.pare.compress.LayerRow;
import io.pare.compress.Residual;
import io.pare.compress.StageRow;
import io.pare.report.HtmlPage;
import io.pare.report.LineChart;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** A compression run as one self-contained HTML page. */
final class CompressionPage {
    private static final int BINS = 80;

    private final CompressionReport report;
    private final Map<String, float[]> before;
    private final Map<String, float[]> after;

    /**
     * @param before weights by name, dense
     * @param after the same, compressed
     */
    CompressionPage(CompressionReport report, Map<String, float[]> before, Map<String, float[]> after) {
        this.report = report;
        this.before = before;
        this.after = after;
    }

    HtmlPage page() {
        HtmlPage page = new HtmlPage(report.recipe().name() + ": " + report.model().name() + " compressed");
        page.paragraph(report.recipe().description());
        page.heading("Result").table(
                List.of("method", "test accuracy", "non-zeros", "ratio", "weight data", "with index"),
                report.table());
        page.heading("Layers").table(List.of("tensor", "weights", "kept", "values", "bits", "weight data, bytes"),
                report.result().layers().stream().map(CompressionPage::cells).toList());
        page.heading("Constraints, recounted from the stored weights").table(List.of("constraint", "counted"),
                report.result().proofs().entrySet().stream()
                        .map(proof -> List.of(proof.getKey(), proof.getValue().detail())).toList());
        page.heading("Course");
        page.chart(course("Validation accuracy", "accuracy", EpochRow::validationAccuracy));
        page.chart(course("Training loss", "loss", EpochRow::trainLoss));
        page.chart(residuals("Primal residual, relative to the weights", Residual::primal));
        page.chart(residuals("Dual residual, relative to rho times the weights",
                row -> row.rho() == 0 ? 0 : row.dual() / row.rho()));
        page.chart(kept());
        page.heading("Stages").table(
                List.of("stage", "validation accuracy", "kept", "squared change", "error of the cut", "W seconds",
                        "Z and U seconds"),
                report.result().stages().stream().map(CompressionPage::cells).toList());
        page.heading("Weights before and after, zeros left out");
        before.keySet().forEach(name -> page.chart(histogram(name)));
        return page;
    }

    private static List<String> cells(LayerRow row) {
        return List.of(row.name(), Long.toString(row.total()), Long.toString(row.kept()),
                Integer.toString(row.unique()),
                Integer.toString(row.bits()), String.format(Locale.ROOT, "%.1f", row.dataBytes()));
    }

    private static List<String> cells(StageRow row) {
        return List.of(row.number() + " " + row.kind(), String.format(Locale.ROOT, "%.4f", row.validationAccuracy()),
                Long.toString(row.layers().stream().mapToLong(LayerRow::kept).sum()),
                String.format(Locale.ROOT, "%.3g", row.squaredChange()),
                String.format(Locale.ROOT, "%.3g",
                        row.squaredErrors().values().stream().mapToDouble(Double::doubleValue).sum()),
                String.format(Locale.ROOT, "%.1f", row.trainSeconds()),
                String.format(Locale.ROOT, "%.2f", row.projectionSeconds()));
    }

    private List<EpochRow> epochs() {
        return report.result().stages().stream().flatMap(stage -> stage.epochs().stream()).toList();
    }

    private LineChart course(String title, String y, ToDoubleFunction<EpochRow> value) {
        LineChart chart = new LineChart(title, "epoch", y);
        for (StageRow stage : report.result().stages()) {
            chart.line(stage.number() + " " + stage.kind(),
                    stage.epochs().stream().mapToDouble(EpochRow::epoch).toArray(),
                    stage.epochs().stream().mapToDouble(value).toArray());
        }
        return chart;
    }

    private LineChart residuals(String title, ToDoubleFunction<Residual> value) {
        LineChart chart = new LineChart(title, "epoch", "residual").logarithmic();
        for (String name : before.keySet()) {
            List<double[]> points = new ArrayList<>();
            for (EpochRow epoch : epochs()) {
                for (Residual row : epoch.residuals()) {
                    if (row.tensor().equals(name) && row.norm() > 0) {
                        points.add(new double[]{epoch.epoch(), value.applyAsDouble(row) / row.norm()});
                    }
                }
            }
            chart.line(name, points.stream().mapToDouble(point -> point[0]).toArray(),
                    points.stream().mapToDouble(point -> point[1]).toArray());
        }
        return chart;
    }

    private LineChart kept() {
        LineChart chart = new LineChart("Weights that are not zero", "stage", "count").logarithmic();
        for (String name : before.keySet()) {
            chart.line(name, report.result().stages().stream().mapToDouble(StageRow::number).toArray(),
                    report.result().stages().stream().mapToDouble(stage -> stage.layers().stream()
                            .filter(layer -> layer.name().equals(name)).mapToLong(LayerRow::kept).sum()).toArray());
        }
        return chart;
    }

    private LineChart histogram(String name) {
        double most = 0;
        for (float[] weights : List.of(before.get(name), after.get(name))) {
            for (float weight : weights) {
                most = Math.max(most, Math.abs(weight));
            }
        }
        LineChart chart = new LineChart(name, "value", "weights").logarithmic();
        for (Map.Entry<String, float[]> side : Map.of("before", before.get(name), "after", after.get(name))
                .entrySet()) {
            double[] x = new double[BINS];
            double[] y = new double[BINS];
            for (int bin = 0; bin < BINS; bin++) {
                x[bin] = most * (2 * (bin + 0.5) / BINS - 1);
            }
            for (float weight : side.getValue()) {
                if (weight != 0) {
                    y[(int) Math.min(BINS - 1, (weight / most + 1) / 2 * BINS)]++;
                }
            }
            chart.line(side.getKey(), x, y);
        }
        return chart;
    }
}
