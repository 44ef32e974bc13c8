package io.pare.cli.sweep;

import io.pare.report.JsonReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * The table of a sweep: a row for each run, with its settings, its state and the fields of its report.
 *
 * @param rows in the order of the runs
 */
record SweepTable(List<SweepRow> rows) {
    /** As CSV of RFC 4180, but for its line ends. */
    String csv() {
        List<String> settings = SweepRow.settings(rows);
        // A report repeats some settings.
        List<String> fields = rows.stream().flatMap(row -> row.report().keySet().stream()).distinct()
                .filter(field -> !settings.contains(field)).toList();
        Front front = Front.of(rows);
        List<Object> head = new ArrayList<>(List.of("run"));
        head.addAll(settings);
        head.addAll(List.of("state", "exit", "lastLine", "onFront"));
        head.addAll(fields);
        StringBuilder csv = new StringBuilder();
        line(csv, head);
        for (SweepRow row : rows) {
            List<Object> cells = new ArrayList<>();
            cells.add(row.run().number());
            settings.forEach(setting -> cells.add(row.run().settings().get(setting)));
            cells.add(row.state().word());
            cells.add(row.ended() == null ? null : row.ended().exit());
            cells.add(lastLine(row));
            cells.add(front.has(row));
            fields.forEach(field -> cells.add(row.report().get(field)));
            line(csv, cells);
        }
        return csv.toString();
    }

    /** As JSON, with the same figures. */
    JsonReport json() {
        Front front = Front.of(rows);
        List<Map<String, Object>> runs = new ArrayList<>();
        for (SweepRow row : rows) {
            Map<String, Object> run = new LinkedHashMap<>();
            run.put("run", row.run().number());
            run.put("folder", row.run().folder());
            run.put("settings", row.run().settings());
            run.put("state", row.state().word());
            run.put("exit", row.ended() == null ? null : row.ended().exit());
            run.put("lastLine", lastLine(row));
            run.put("onFront", front.has(row));
            run.put("report", row.report());
            runs.add(run);
        }
        return new JsonReport().put("runs", runs);
    }

    /** What a run said last that failed; of others it is none of the table's business. */
    private static String lastLine(SweepRow row) {
        return row.state() == SweepRow.State.FAILED ? row.ended().line() : null;
    }

    private static void line(StringBuilder csv, List<Object> cells) {
        csv.append(cells.stream().map(cell -> quoted(Objects.toString(cell, ""))).collect(Collectors.joining(",")))
                .append('\n');
    }

    private static String quoted(String cell) {
        return cell.chars().anyMatch(c -> ",\"\n\r".indexOf(c) >= 0) ? '"' + cell.replace("\"", "\"\"") + '"' : cell;
    }
}
