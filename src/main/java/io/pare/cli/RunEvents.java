package io.pare.cli;

import io.pare.compress.LayerRow;
import io.pare.compress.ResidualRow;
import io.pare.compress.constraint.Projector;
import io.pare.compress.stage.EpochRow;
import io.pare.net.Task;
import io.pare.report.EventFile;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import io.pare.train.Trainer;
import io.pare.train.Weight;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The epochs of a run as TensorBoard draws them: the names of what was measured, and a step for each epoch, from 1. */
final class RunEvents implements AutoCloseable {
    private final EventFile file;

    /** @param over epochs that are over: what lies in the folder of later ones no longer counts */
    RunEvents(Path folder, long over) {
        file = EventFile.open(folder, over + 1);
    }

    /** An epoch of a training. */
    void epoch(Trainer.Progress progress, Evaluation validated, Network network) {
        Map<String, Double> numbers = numbers(validated.task(), progress.loss(), validated.loss(), validated.score());
        if (!Double.isNaN(progress.accuracy())) {
            numbers.put(metric(validated.task()) + "/train", progress.accuracy());
        }
        numbers.put("learning-rate", progress.rate());
        long all = 0;
        for (Weight weight : network.weights()) {
            if (weight.decays()) {
                long kept = Projector.nonzeros(weight.value());
                numbers.put("nonzeros/" + weight.name(), (double) kept);
                all += kept;
            }
        }
        numbers.put("nonzeros/all", (double) all);
        file.write(progress.epoch() + 1, numbers, weights(network));
    }

    /** An epoch of a compression. */
    void epoch(EpochRow row, Task task, Network network) {
        Map<String, Double> numbers = numbers(task, row.trainLoss(), row.validationLoss(), row.validationAccuracy());
        numbers.put("learning-rate", row.learningRate());
        for (LayerRow layer : row.layers()) {
            numbers.put("nonzeros/" + layer.name(), (double) layer.kept());
        }
        numbers.put("nonzeros/all", (double) row.layers().stream().mapToLong(LayerRow::kept).sum());
        for (ResidualRow residual : row.residuals()) {
            // Relative, as in the report's page; a tensor under several constraints shows the largest.
            if (residual.norm() > 0 && residual.rho() > 0) {
                numbers.merge("primal-residual/" + residual.tensor(), residual.primal() / residual.norm(), Math::max);
                numbers.merge("dual-residual/" + residual.tensor(), residual.dual() / residual.rho() / residual.norm(),
                        Math::max);
            }
        }
        file.write(row.epoch(), numbers, weights(network));
    }

    private static Map<String, Double> numbers(Task task, double trainLoss, double validationLoss, double score) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("loss/train", trainLoss);
        numbers.put("loss/validation", validationLoss);
        numbers.put(metric(task) + "/validation", task.shown(score));
        return numbers;
    }

    /** A metric's name without spaces, which tags may not have. */
    private static String metric(Task task) {
        return task.metric().replace(' ', '-');
    }

    private static Map<String, float[]> weights(Network network) {
        Map<String, float[]> weights = new LinkedHashMap<>();
        WeightSamples.of(network).forEach((name, values) -> weights.put("weights/" + name, values));
        return weights;
    }

    @Override
    public void close() {
        file.close();
    }
}
