package io.pare.cli;

import io.pare.compress.LayerRow;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.StageRow;
import io.pare.net.Task;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;

/** Says on stderr how a compression goes, in lines that fit a terminal of 80 columns. One thread. */
final class CompressionLines implements PipelineListener {
    private static final int WIDTH = 79;

    private final PrintWriter err;
    private final Task task;
    private final LongSupplier nanos;
    private long last;

    /**
     * @param task whose metric is shown
     * @param nanos a clock, such as {@link System#nanoTime}
     */
    CompressionLines(PrintWriter err, Task task, LongSupplier nanos) {
        this.err = err;
        this.task = task;
        this.nanos = nanos;
    }

    @Override
    public void stageBegins(int number, int stages, String kind, int epochs) {
        last = nanos.getAsLong();
        err.printf(Locale.ROOT, "stage %d of %d: %s, %d epochs%n", number, stages, kind, epochs);
        err.flush();
    }

    @Override
    public void epoch(EpochRow row) {
        long now = nanos.getAsLong();
        double left = (now - last) / 1e9 * (row.epochsOfStage() - row.epochInStage());
        last = now;
        long kept = row.layers().stream().mapToLong(LayerRow::kept).sum();
        double primal = Math.sqrt(row.residuals().stream().mapToDouble(r -> r.primal() * r.primal()).sum());
        double norm = Math.sqrt(row.residuals().stream().mapToDouble(r -> r.norm() * r.norm()).sum());
        err.printf(Locale.ROOT, "  %d/%d ETA %s loss %.4f val %s (%.4f) kept %d res %.3f%n", row.epochInStage(),
                row.epochsOfStage(), ProgressView.duration(left), row.trainLoss(),
                MetricsText.shown(task, row.validationAccuracy()),
                row.validationLoss(), kept, norm == 0 ? 0 : primal / norm);
        err.flush();
    }

    @Override
    public void stageEnds(StageRow row) {
        err.printf(Locale.ROOT, "  ends: val %s (%.4f)%n", MetricsText.shown(task, row.validationAccuracy()),
                row.validationLoss());
        wrapped(row.layers().stream().map(layer -> String.format(Locale.ROOT, "%s %d/%d u%d",
                layer.name().replace(".weight", ""), layer.kept(), layer.total(), layer.unique())).toList());
        err.flush();
    }

    /** As many of the words in each line as fit. */
    private void wrapped(List<String> words) {
        StringBuilder line = new StringBuilder();
        for (String word : words) {
            if (!line.isEmpty() && line.length() + 2 + word.length() > WIDTH) {
                err.println(line);
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "    " : "  ").append(word);
        }
        if (!line.isEmpty()) {
            err.println(line);
        }
    }
}
