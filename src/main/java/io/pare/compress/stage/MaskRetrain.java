package io.pare.compress.stage;

import io.pare.compress.TrainingOptions;
import java.util.List;
import java.util.Map;

/**
 * Trains the non-zero weights with the plain loss, zeros frozen.
 *
 * @param train how it trains; its patience counts here
 */
public record MaskRetrain(TrainingOptions train) implements Stage {
    public static final MaskRetrain DEFAULTS = new MaskRetrain(TrainingOptions.DEFAULTS);

    @Override
    public String name() {
        return "mask-retrain";
    }

    @Override
    public Map<String, List<String>> patterns() {
        return Map.of();
    }

    @Override
    public long memory(Sizes sizes) {
        return sizes.run(train);
    }

    @Override
    public Effect check(Forecast forecast) {
        return forecast.training(train.epochs() > 0);
    }

    @Override
    public String remedy(Claim claim) {
        return "give cluster-retrain in its place, which keeps values few";
    }

    @Override
    public StageRun open(RunContext context) {
        return StageRun.open(region -> new StageRun(context, region, train, train.patience()) {});
    }
}
