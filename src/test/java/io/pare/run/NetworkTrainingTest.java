package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.stage.RecipeException;
import io.pare.data.Crop;
import io.pare.data.Dataset;
import io.pare.exec.backend.Precision;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import io.pare.train.Network;
import org.junit.jupiter.api.Test;

class NetworkTrainingTest {
    @Test
    void aStageThatDistilsWithoutATeacherIsRefusedByNameBeforeAnythingRuns() {
        Net model = new NetBuilder("m", Shape.of(1, 2, 2)).flatten("flatten").linear("fc1", 2).build();
        Dataset data = new Dataset("zeros", 1, 2, 2, 2, new byte[64 * 4], new byte[64]);
        Recipe recipe = Recipe.parse("student", """
                name: student
                stages:
                  - mask-retrain: {train: {epochs: 1}}
                  - progressive-prune: {ratios: [2], retrain: {distill: 0.5}}
                """);
        try (Network network = Network.create(model, 1, false);
                NetworkTraining training =
                        new NetworkTraining(network, null, data, data, InputScale.UNIT, Crop.CENTER, 1,
                                0, Precision.FP32)) {
            RecipeException e = assertThrows(RecipeException.class,
                    () -> new Pipeline(recipe, training, null, PipelineListener.SILENT).run());
            assertEquals("student: stage 2 (progressive-prune) distils, and there is no teacher: give one, or set its"
                    + " 'distill' to 0", e.getMessage());
        }
    }
}
