package io.pare.cli;

import io.pare.compress.LayerRow;
import io.pare.compress.ResidualRow;
import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.StageRow;
import io.pare.report.Axis;
import io.pare.report.Chart;
import io.pare.report.HtmlPage;
import io.pare.report.HtmlPage.Column;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;

/** A compression run as one self-contained HTML page. */
final class CompressionPage {
    private static final int BINS = 80;
    /** A whole number of four digits or more that is no part of a name. */
    private static final Pattern COUNT = Pattern.compile("(?<![\\w.,-])\\d{4,18}(?![\\w.-])");
    /** Where the axis of counts begins, so that a bin of one weight has a bar. */
    private static final double LESS_THAN_ONE = 0.5;

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
        page.paragraph(report.recipe().description()).facts(report.facts());
        report.warnings().forEach(page::note);
        page.heading("Result").table(
                List.of(Column.text("method"), Column.number("test " + report.task().metric()),
                        Column.number("non-zeros"),
                        Column.number("ratio"), Column.number("weight data"), Column.number("with index")),
                report.table());
        page.heading("Layers").table(
                List.of(Column.text("tensor"), Column.number("weights"), Column.number("kept"), Column.number("share"),
                        Column.number("values"), Column.number("bits"), Column.number("weight data, bytes")),
                report.result().layers().stream().map(CompressionPage::cells).toList());
        page.heading("Constraints, recounted from the stored weights").table(
                List.of(Column.text("constraint"), Column.text("counted")),
                report.result().proofs().entrySet().stream()
                        .map(proof -> List.of(grouped(proof.getKey()), grouped(proof.getValue().detail()))).toList());
        page.heading("Course").paragraph("Dotted rules part the stages, whose numbers stand above them.");
        page.chart(course("Validation " + report.task().metric(), Axis.linear(report.task().metric()),
                epoch -> report.task().shown(epoch.validationAccuracy()))
                .reference("dense network, on test data", report.task().shown(report.denseTest().score())));
        page.chart(course("Training loss", Axis.linear("loss"), EpochRow::trainLoss));
        if (epochs().stream().anyMatch(epoch -> !epoch.residuals().isEmpty())) {
            page.chart(residuals("Primal residual, relative to the weights", ResidualRow::primal));
            page.chart(residuals("Dual residual, relative to rho times the weights",
                    row -> row.rho() == 0 ? 0 : row.dual() / row.rho()));
        }
        page.chart(kept());
        page.heading("Stages").table(
                List.of(Column.text("stage"), Column.number("validation " + report.task().metric()),
                        Column.number("kept"),
                        Column.number("squared change"), Column.number("error of the cut"), Column.number("W seconds"),
                        Column.number("Z and U seconds")),
                report.result().stages().stream().map(this::cells).toList());
        page.heading("Weights before and after, zeros left out").charts(before.keySet().stream().map(this::histogram)
                .toList());
        return page;
    }

    private static List<String> cells(LayerRow row) {
        return List.of(row.name(), count(row.total()), count(row.kept()),
                String.format(Locale.ROOT, "%.2f %%", 100.0 * row.kept() / row.total()), count(row.unique()),
                Integer.toString(row.bits()), String.format(Locale.ROOT, "%,.1f", row.dataBytes()));
    }

    private List<String> cells(StageRow row) {
        return List.of(row.number() + " " + row.kind(), MetricsText.shown(report.task(), row.validationAccuracy()),
                count(row.layers().stream().mapToLong(LayerRow::kept).sum()),
                String.format(Locale.ROOT, "%.3g", row.squaredChange()),
                String.format(Locale.ROOT, "%.3g",
                        row.squaredErrors().values().stream().mapToDouble(Double::doubleValue).sum()),
                String.format(Locale.ROOT, "%,.1f", row.trainSeconds()),
                String.format(Locale.ROOT, "%,.2f", row.projectionSeconds()));
    }

    /** The text with separators in its counts, as the tables have them. */
    private static String grouped(String text) {
        return COUNT.matcher(text).replaceAll(found -> count(Long.parseLong(found.group())));
    }

    private static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private List<EpochRow> epochs() {
        return report.result().stages().stream().flatMap(stage -> stage.epochs().stream()).toList();
    }

    /** A chart over all epochs of the run, whether or not something was measured in each. */
    private Chart overEpochs(String title, Axis y) {
        long last = epochs().stream().mapToLong(EpochRow::epoch).max().orElse(1);
        Chart chart = new Chart(title, Axis.whole("epoch").within(0.5, last + 0.5), y);
        for (StageRow stage : report.result().stages()) {
            if (!stage.epochs().isEmpty()) {
                chart.rule(stage.epochs().getFirst().epoch() - 0.5, Integer.toString(stage.number()));
            }
        }
        return chart;
    }

    private Chart course(String title, Axis y, ToDoubleFunction<EpochRow> value) {
        Chart chart = overEpochs(title, y);
        for (StageRow stage : report.result().stages()) {
            chart.line(stage.number() + " " + stage.kind(),
                    stage.epochs().stream().mapToDouble(EpochRow::epoch).toArray(),
                    stage.epochs().stream().mapToDouble(value).toArray());
        }
        return chart;
    }

    /** One line a tensor, broken where a stage ends and where an epoch had no ADMM. */
    private Chart residuals(String title, ToDoubleFunction<ResidualRow> value) {
        Chart chart = overEpochs(title, Axis.logarithmic("residual"));
        for (String name : before.keySet()) {
            for (int constraint = 0;; constraint++) {
                List<double[]> points = residuals(name, constraint, value);
                if (points.stream().allMatch(point -> Double.isNaN(point[1]))) {
                    break;
                }
                chart.line(constraint == 0 ? name : name + ", constraint " + (constraint + 1),
                        points.stream().mapToDouble(point -> point[0]).toArray(),
                        points.stream().mapToDouble(point -> point[1]).toArray());
            }
        }
        return chart;
    }

    /** Epochs and residuals of a tensor under one of the constraints that an epoch has for it; NaN where it has none. */
    private List<double[]> residuals(String name, int constraint, ToDoubleFunction<ResidualRow> value) {
        List<double[]> points = new ArrayList<>();
        for (StageRow stage : report.result().stages()) {
            for (EpochRow epoch : stage.epochs()) {
                double residual = epoch.residuals().stream().filter(row -> row.tensor().equals(name)).skip(constraint)
                        .limit(1).filter(row -> row.norm() > 0)
                        .mapToDouble(row -> value.applyAsDouble(row) / row.norm())
                        .findFirst().orElse(Double.NaN);
                points.add(new double[]{epoch.epoch(), residual});
            }
            points.add(new double[]{Double.NaN, Double.NaN});
        }
        return points;
    }

    private Chart kept() {
        Chart chart = new Chart("Weights that are not zero", Axis.whole("stage"), Axis.logarithmic("weights"));
        for (String name : before.keySet()) {
            chart.line(name, report.result().stages().stream().mapToDouble(StageRow::number).toArray(),
                    report.result().stages().stream().mapToDouble(stage -> stage.layers().stream()
                            .filter(layer -> layer.name().equals(name)).mapToLong(LayerRow::kept).sum()).toArray());
        }
        return chart;
    }

    private Chart histogram(String name) {
        double most = 0;
        for (float[] weights : List.of(before.get(name), after.get(name))) {
            for (float weight : weights) {
                most = Math.max(most, Math.abs(weight));
            }
        }
        Chart chart = new Chart(name, Axis.linear("value").within(-most, most),
                Axis.logarithmic("weights").within(LESS_THAN_ONE, Double.NaN));
        double width = 2 * most / BINS;
        if (width > 0) {
            chart.bars("before", places(most), counts(before.get(name), most), width);
            chart.bars("after", places(most), counts(after.get(name), most), width / 2);
        }
        return chart;
    }

    /** The middles of the bins. */
    private static double[] places(double most) {
        double[] places = new double[BINS];
        for (int bin = 0; bin < BINS; bin++) {
            places[bin] = most * (2 * (bin + 0.5) / BINS - 1);
        }
        return places;
    }

    private static double[] counts(float[] weights, double most) {
        double[] counts = new double[BINS];
        for (float weight : weights) {
            if (weight != 0) {
                counts[(int) Math.min(BINS - 1, (weight / most + 1) / 2 * BINS)]++;
            }
        }
        return counts;
    }
}
