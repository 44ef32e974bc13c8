package io.pare.compress.stage;

import io.pare.compress.LayerRow;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One stage that is over.
 *
 * @param number from 1
 * @param kind its name in recipes
 * @param validationAccuracy of exactly the weights that it handed on
 * @param validationLoss in nats
 * @param squaredChange sum over all weights of the squared change from the stage's beginning
 * @param squaredErrors by tensor, of the projection that the stage ended with: the sum of squares by which it moved the
 *            weights
 * @param outputErrors by tensor, where the stage knows it: squared error of the layer's outputs over their square
 * @param trainSeconds of all its W steps
 * @param projectionSeconds of all its Z and U steps
 * @param layers a recount of what it handed on
 * @param epochs one row each
 */
public record StageRow(int number, String kind, double validationAccuracy, double validationLoss,
        double squaredChange, Map<String, Double> squaredErrors, Map<String, Double> outputErrors, double trainSeconds,
        double projectionSeconds, List<LayerRow> layers, List<EpochRow> epochs) {
    /** Runs that were saved before there were errors of outputs have none. */
    public StageRow {
        Objects.requireNonNull(kind);
        Objects.requireNonNull(squaredErrors);
        outputErrors = outputErrors == null ? Map.of() : outputErrors;
        layers = List.copyOf(layers);
        epochs = List.copyOf(epochs);
    }
}
