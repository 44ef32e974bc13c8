package io.pare.cli;

import io.pare.compress.recipe.Sensitivity;
import io.pare.net.Task;
import io.pare.report.Axis;
import io.pare.report.Chart;
import io.pare.report.HtmlPage;
import io.pare.report.HtmlPage.Column;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** A sensitivity scan as one self-contained HTML page. */
final class SensitivityPage {
    private static final Predicate<Sensitivity.Row> PRUNED = row -> row.bits() == 32;

    private final String model;
    private final Task task;
    private final Map<String, String> facts;
    private final Sensitivity found;

    /** @param facts what the scan was made of, by name, in the order in which it is shown */
    SensitivityPage(String model, Task task, Map<String, String> facts, Sensitivity found) {
        this.model = model;
        this.task = task;
        this.facts = facts;
        this.found = found;
    }

    HtmlPage page() {
        HtmlPage page = new HtmlPage("Sensitivity of " + model);
        page.paragraph(
                "Validation " + task.metric()
                        + " where one layer at a time is pruned or clustered, and nothing is retrained.")
                .facts(facts);
        part(page, "One layer pruned", Axis.logarithmic("weights kept").percent(), PRUNED, Sensitivity.Row::share,
                share -> BigDecimal.valueOf(share).movePointRight(2).stripTrailingZeros().toPlainString() + "\u00a0%");
        part(page, "One layer clustered", Axis.whole("bits of a value"), PRUNED.negate(), Sensitivity.Row::bits,
                bits -> String.format(Locale.ROOT, "%.0f\u00a0bit%s", bits, bits == 1 ? "" : "s"));
        return page;
    }

    /** A chart and a table of the same measurements. */
    private void part(HtmlPage page, String title, Axis axis, Predicate<Sensitivity.Row> rows,
            ToDoubleFunction<Sensitivity.Row> place, DoubleFunction<String> head) {
        Chart chart = new Chart(
                Character.toUpperCase(task.metric().charAt(0)) + task.metric().substring(1) + " by " + axis.label(),
                axis, Axis.linear("validation " + task.metric()));
        double[] places = found.rows().stream().filter(rows).mapToDouble(place).distinct().sorted().toArray();
        List<List<String>> cells = new ArrayList<>();
        for (String tensor : found.tensors()) {
            List<Sensitivity.Row> line = found.rows().stream().filter(rows)
                    .filter(row -> row.tensor().equals(tensor)).toList();
            chart.line(tensor, line.stream().mapToDouble(place).toArray(),
                    line.stream().mapToDouble(row -> task.shown(row.accuracy())).toArray());
            cells.add(Stream.concat(Stream.of(tensor), Arrays.stream(places).mapToObj(at -> line.stream()
                    .filter(row -> place.applyAsDouble(row) == at)
                    .map(row -> MetricsText.shown(task, row.accuracy())).findFirst().orElse(""))).toList());
        }
        List<Column> columns = Stream.concat(Stream.of(Column.text("tensor")),
                Arrays.stream(places).mapToObj(head).map(Column::number)).toList();
        page.heading(title).chart(chart.reference("untouched", task.shown(found.base().accuracy()))).table(columns,
                cells);
    }
}
