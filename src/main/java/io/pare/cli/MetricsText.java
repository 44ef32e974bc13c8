package io.pare.cli;

import io.pare.net.Task;
import io.pare.train.Evaluation;
import io.pare.train.Metrics;
import io.pare.train.Robustness;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Metrics as reports have them, under names that begin with what was measured, and as text. */
final class MetricsText {
    /** Tables of more classes are in the JSON alone. */
    private static final int MOST_ROWS = 100;

    private MetricsText() {}

    /** The metric by which networks are chosen, as a field of JSON: such as {@code validationAccuracy}. */
    static String field(String measured, Task task) {
        return measured + switch (task) {
            case CLASSIFY -> "Accuracy";
            case MULTILABEL -> "MacroF1";
            case REGRESS -> "MAE";
        };
    }

    /** Metrics by their fields of JSON. */
    static Map<String, Object> values(String measured, Metrics metrics) {
        Map<String, Object> fields = new LinkedHashMap<>();
        metrics.values().forEach((name, value) -> fields.put(measured + name, value));
        return fields;
    }

    /** Metrics and loss by their fields of JSON, of classes a row for each and the confusion matrix. */
    static Map<String, Object> all(String measured, Evaluation found, List<String> classNames) {
        Map<String, Object> fields = values(measured, found.metrics());
        fields.put(measured + "Loss", found.loss());
        if (found.metrics() instanceof Metrics.OfClasses classes) {
            List<Map<String, Object>> rows = new ArrayList<>();
            for (Metrics.OfClasses.Row row : classes.rows()) {
                Map<String, Object> cells = new LinkedHashMap<>();
                cells.put("class", name(rows.size(), classNames));
                cells.put("support", row.support());
                cells.put("recall", row.recall());
                cells.put("precision", row.precision());
                cells.put("f1", row.f1());
                rows.add(cells);
            }
            fields.put(measured + "Classes", rows);
            fields.put(measured + "Confusion", classes.confusion());
        }
        return fields;
    }

    /** What stays right under an attack, by its fields of JSON; none where there was none. */
    static Map<String, Object> robust(String measured, @Nullable Robustness found) {
        Map<String, Object> fields = new LinkedHashMap<>();
        if (found != null) {
            fields.put(measured + "RobustAccuracy", found.accuracy());
            fields.put(measured + "Attack", found.attack());
            fields.put(measured + "Restarts", found.restarts());
        }
        return fields;
    }

    /** The metric of a score with four places, such as {@code 0.9912}; of errors, which have any size, four digits. */
    static String shown(Task task, double score) {
        return String.format(Locale.ROOT, task == Task.REGRESS ? "%.4g" : "%.4f", task.shown(score));
    }

    /** A line for each class, below a head; none where there are no classes, or more than anybody reads. */
    static List<String> table(Metrics metrics, List<String> classNames) {
        List<String> lines = new ArrayList<>();
        if (metrics instanceof Metrics.OfClasses classes && classes.classes() <= MOST_ROWS) {
            lines.add(String.format("%-20s %7s %8s %9s %8s", "class", "samples", "recall", "precision", "F1"));
            for (Metrics.OfClasses.Row row : classes.rows()) {
                lines.add(String.format(Locale.ROOT, "%-20s %7d %8s %9s %8s", name(lines.size() - 1, classNames),
                        row.support(), share(row.recall()), share(row.precision()), share(row.f1())));
            }
            lines.add(String.format(Locale.ROOT, "%-20s %7d %8s %9s %8s", "mean", classes.labels().length, "", "",
                    share(classes.macroF1())));
        }
        return lines;
    }

    private static String name(int number, List<String> classNames) {
        return number < classNames.size() ? number + " " + classNames.get(number) : Integer.toString(number);
    }

    private static String share(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.4f", value);
    }
}
