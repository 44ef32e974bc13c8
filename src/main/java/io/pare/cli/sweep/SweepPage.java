package io.pare.cli.sweep;

import io.pare.report.Axis;
import io.pare.report.Chart;
import io.pare.report.HtmlPage;
import io.pare.report.HtmlPage.Column;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** A sweep as one self-contained HTML page: the Pareto front, all runs, and those that failed. */
final class SweepPage {
    private final String title;
    private final List<SweepRow> rows;
    private final Front front;
    private final List<String> settings;
    private final List<Published> published;

    SweepPage(String title, List<SweepRow> rows) {
        this.title = title;
        this.rows = rows;
        this.front = Front.of(rows);
        this.settings = SweepRow.settings(rows);
        this.published = rows.stream()
                .flatMap(row -> Published.of(String.valueOf(row.report().get("model")),
                        String.valueOf(row.report().get("dataset"))).stream())
                .distinct().toList();
    }

    HtmlPage page() {
        HtmlPage page = new HtmlPage(title).facts(facts());
        page.heading("Pareto front")
                .paragraph("No other run has both fewer bytes and a better network than one on the front.")
                .chart(chart(front));
        if (!front.best().isEmpty()) {
            page.table(head(), front.best().stream().map(point -> cells(point.row())).toList());
        }
        for (Front.Axis axis : Front.Axis.values()) {
            Front other = Front.of(rows, axis);
            if (axis != Front.Axis.BYTES && !other.points().isEmpty()) {
                page.heading("Pareto front by " + axis.word()).chart(chart(other));
            }
        }
        if (!published.isEmpty()) {
            page.heading("Published results").table(
                    List.of(Column.text("method"), Column.text("accuracy"), Column.text("with index")),
                    published.stream().map(each -> List.of(each.method(), each.accuracy(), each.withIndex())).toList());
        }
        page.heading("All runs").table(head(), rows.stream().map(this::cells).toList());
        List<List<String>> failures = rows.stream().filter(row -> row.state() == SweepRow.State.FAILED)
                .map(row -> List.of(Integer.toString(row.run().number()), Integer.toString(row.ended().exit()),
                        row.ended().line()))
                .toList();
        if (!failures.isEmpty()) {
            page.heading("Failures").table(List.of(Column.number("run"), Column.number("exit code"),
                    Column.text("last line of its log")), failures);
        }
        return page;
    }

    private Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("runs", Integer.toString(rows.size()));
        for (SweepRow.State state : SweepRow.State.values()) {
            facts.put(state.word(), Long.toString(rows.stream().filter(row -> row.state() == state).count()));
        }
        return facts;
    }

    private Chart chart(Front shown) {
        List<Front.Point> others =
                shown.points().stream().filter(point -> !shown.best().contains(point)).toList();
        Chart chart = new Chart(shown.score() + " over " + shown.axis().word(),
                Axis.logarithmic(shown.axis().label()), Axis.linear(shown.score()))
                .line("on the front", places(shown.best(), false), heights(shown.best(), false))
                .line("other runs", places(others, true), heights(others, true));
        if (shown.axis() == Front.Axis.BYTES && shown.score().equals("testAccuracy")) {
            published.stream().filter(each -> each.fileBytes().isPresent() && each.score().isPresent())
                    .forEach(each -> chart.line(each.method(), new double[]{each.fileBytes().getAsDouble()},
                            new double[]{each.score().getAsDouble()}));
        }
        return chart;
    }

    /** Costs; with gaps in between, points are not joined. */
    private static double[] places(List<Front.Point> points, boolean apart) {
        return points.stream().flatMap(point -> apart ? Stream.of(point.cost(), Double.NaN) : Stream.of(point.cost()))
                .mapToDouble(Double::doubleValue).toArray();
    }

    private static double[] heights(List<Front.Point> points, boolean apart) {
        return points.stream().flatMap(point -> apart ? Stream.of(point.score(), Double.NaN) : Stream.of(point.score()))
                .mapToDouble(Double::doubleValue).toArray();
    }

    private List<Column> head() {
        List<Column> head = new ArrayList<>(List.of(Column.number("run")));
        settings.forEach(setting -> head.add(Column.text(setting)));
        head.addAll(List.of(Column.text("state"), Column.number(front.score()), Column.number("bytes")));
        return head;
    }

    private List<String> cells(SweepRow row) {
        List<String> cells = new ArrayList<>(List.of(Integer.toString(row.run().number())));
        settings.forEach(setting -> cells.add(row.run().settings().getOrDefault(setting, "")));
        cells.add(row.state().word());
        cells.add(row.number(front.score()).isEmpty() ? ""
                : String.format(Locale.ROOT, "%.4f", row.number(front.score()).getAsDouble()));
        cells.add(row.bytes().isEmpty() ? "" : String.format(Locale.ROOT, "%,.0f", row.bytes().getAsDouble()));
        return cells;
    }
}
