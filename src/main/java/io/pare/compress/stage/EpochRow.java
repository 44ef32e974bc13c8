package io.pare.compress.stage;

import io.pare.compress.LayerRow;
import io.pare.compress.ResidualRow;
import java.util.List;

/**
 * One epoch of a stage.
 *
 * @param epoch number since the run began, from 1
 * @param epochInStage from 1
 * @param epochsOfStage how many the stage has
 * @param learningRate in the middle of the epoch
 * @param trainLoss mean over the epoch, without the penalty
 * @param validationAccuracy of the weights at its end, before any cut
 * @param validationLoss in nats
 * @param trainSeconds of the W step, without validation
 * @param projectionSeconds of Z and U steps
 * @param residuals of the last ADMM iteration, empty outside ADMM
 * @param layers a recount
 */
public record EpochRow(long epoch, int epochInStage, int epochsOfStage, double learningRate, double trainLoss,
        double validationAccuracy, double validationLoss, double trainSeconds, double projectionSeconds,
        List<ResidualRow> residuals, List<LayerRow> layers) {
    /** Copies the lists. */
    public EpochRow {
        residuals = List.copyOf(residuals);
        layers = List.copyOf(layers);
    }
}
