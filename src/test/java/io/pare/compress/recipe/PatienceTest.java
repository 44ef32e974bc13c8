package io.pare.compress.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.GradientTraining;
import io.pare.compress.Training;
import io.pare.compress.stage.RecipeException;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Stages that retrain end early where a recipe says how long they wait for better. */
class PatienceTest {
    private static Pipeline.Result run(String recipe) throws IOException {
        try (Region region = Region.shared("values");
                GradientTraining training = new GradientTraining(2, (batch, variables) -> {
                    variables.getFirst().gradient().fill(1f);
                    return 1;
                }, () -> new Training.Evaluation(0.5, 1))) {
            FloatTensor w = region.tensor(8, 8);
            for (int i = 0; i < w.count(); i++) {
                w.set(i, i + 1);
            }
            return new Pipeline(Recipe.parse("patient", recipe), training.weight("w", w), null, PipelineListener.SILENT)
                    .run();
        }
    }

    @Test
    void retrainingEndsAfterSoManyEpochsWithoutABetterOne() throws IOException {
        Pipeline.Result result = run("""
                train: {epochs: 9, patience: 2, clipNorm: 0.5}
                stages:
                  - mask-retrain
                  - mask-retrain: {train: {patience: 0}}
                """);
        assertEquals(List.of(3, 9), result.stages().stream().map(stage -> stage.epochs().size()).toList());
    }

    @Test
    void progressiveStagesGoOnWithTheNextRound() throws IOException {
        Pipeline.Result result = run("""
                stages:
                  - progressive-prune:
                      ratios: [2, 4]
                      models: 1
                      prune: {train: {epochs: 1}}
                      retrain: {epochs: 6, patience: 1}
                """);
        // A round has one epoch of pruning, and two of retraining.
        assertEquals(6, result.stages().getFirst().epochs().size());
        assertEquals(16, result.nonzeros());
    }

    @Test
    void wrongValuesAreNamed() {
        for (String keys : List.of("patience: -1", "clipNorm: -0.5", "patience: soon", "patience: 1.5")) {
            String message = assertThrows(RecipeException.class,
                    () -> Recipe.parse("wrong", "stages: [{mask-retrain: {train: {" + keys + "}}}]")).getMessage();
            assertTrue(message.contains(keys.substring(0, keys.indexOf(':'))) && message.lines().count() == 1, message);
        }
    }
}
