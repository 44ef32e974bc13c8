package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.LayerRow;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.Reconstruct;
import io.pare.compress.stage.Reconstruct.Solver;
import io.pare.data.Crop;
import io.pare.data.Dataset;
import io.pare.exec.backend.Precision;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.train.Network;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The stage without training, on networks. */
class ReconstructTest {
    private static final Net IMAGES = new NetBuilder("images", Shape.of(1, 8, 8)).conv("conv1", 8, 3, 1, 1, true)
            .relu("relu1").maxPool("pool", 2, 2, 0).conv("conv2", 12, 3, 1, 0, true).relu("relu2").flatten("flatten")
            .linear("fc1", 16).relu("relu3").linear("fc2", 3).build();
    private static final Net WORDS = new NetBuilder("words", Shape.of(6)).add("table", new TensorOp.Embedding(20, 8))
            .add("projection", new TensorOp.Projection(8, 8, true)).flatten("flatten").linear("fc", 3).build();

    /** Smooth images: their pixels depend on each other, as those of photographs do. */
    private static Dataset images(int count) {
        Random random = new Random(1);
        float[] inputs = new float[count * 64];
        for (int i = 0; i < count; i++) {
            double[] waves = random.doubles(6, -1, 1).toArray();
            for (int p = 0; p < 64; p++) {
                inputs[i * 64 + p] = (float) (waves[0] * Math.sin(waves[1] * (p / 8)) + waves[2] * Math.cos(3 * waves[3]
                        * (p % 8)) + waves[4] + 0.2 * random.nextGaussian());
            }
        }
        return Dataset.ofFloats("waves", Shape.of(1, 8, 8), inputs, 3, new int[count]);
    }

    private static Dataset words(int count) {
        Random random = new Random(2);
        float[] ids = new float[count * 6];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = random.nextInt(20);
        }
        return Dataset.ofFloats("ids", Shape.of(6), ids, 3, new int[count]);
    }

    private static Recipe recipe(String stage) {
        return Recipe.parse("test", "name: test\nstages:\n  - reconstruct: " + stage + "\n");
    }

    private static Pipeline.Result run(Net net, Dataset data, Recipe recipe, Path state) throws IOException {
        try (Network network = Network.create(net, 3, Natives.enabled());
                NetworkTraining training = new NetworkTraining(network, null, data, data, InputScale.UNIT, Crop.CENTER,
                        1, 0, Precision.FP32)) {
            return new Pipeline(recipe, training, state, PipelineListener.SILENT).run();
        }
    }

    private static double error(Net net, Dataset data, String stage) throws IOException {
        return run(net, data, recipe(stage), null).stages().getFirst().outputErrors().values().stream()
                .mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    @Test
    void everyLayerLiesInItsSetsAndErrsLessThanWithoutItsInputs(@TempDir Path folder) throws IOException {
        Path state = folder.resolve("state.safetensors");
        Recipe recipe = recipe("{constraints: {\"*\": [{kind: Sparsity, share: 0.5}, {kind: Clustering, k: 8}]}}");
        Pipeline.Result result = run(IMAGES, images(400), recipe, state);
        for (LayerRow layer : result.layers()) {
            assertEquals(layer.total() / 2, layer.kept(), layer.name());
            assertTrue(layer.unique() <= 8, layer.name());
        }
        assertEquals(2 * 4, result.proofs().size());
        Map<String, Double> errors = result.stages().getFirst().outputErrors();
        assertEquals(4, errors.size());
        // From the saved state, which holds the errors too.
        assertEquals(errors, run(IMAGES, images(400), recipe, state).stages().getFirst().outputErrors());
    }

    @Test
    void methodsErrAsTheyKnowMoreOfTheInputs() throws IOException {
        String half = "{constraints: {\"*\": [{kind: Sparsity, share: 0.4}]}, sequential: false, method: ";
        double magnitude = error(IMAGES, images(400), half + "magnitude}");
        double wanda = error(IMAGES, images(400), half + "wanda}");
        double sparseGpt = error(IMAGES, images(400), half + "sparsegpt}");
        double alps = error(IMAGES, images(400), half + "alps}");
        double admm = error(IMAGES, images(400), half + "admm}");
        String all = admm + " " + alps + " " + sparseGpt + " " + wanda + " " + magnitude;
        assertTrue(admm < sparseGpt && alps < sparseGpt && sparseGpt < wanda && wanda < magnitude, all);
        String values = "{constraints: {\"*\": [{kind: Clustering, k: 4}]}, sequential: false, method: ";
        assertTrue(error(IMAGES, images(400), values + "gptq}") < error(IMAGES, images(400), values + "magnitude}"));
    }

    @Test
    void tablesTakeValuesAloneForNothingSaysWhichOfTheirWeightsMatter() throws IOException {
        Pipeline.Result result = run(WORDS, words(300),
                recipe("{constraints: {\"*\": [{kind: Sparsity, share: 0.5}, {kind: Clustering, k: 4}]}}"), null);
        LayerRow table = result.layers().getFirst();
        assertEquals(160, table.kept());
        assertTrue(table.unique() <= 4);
        assertEquals(32, result.layers().get(1).kept());
        assertEquals(2, result.stages().getFirst().outputErrors().size());
    }

    /** 13 samples are more than a batch, and no multiple of it. */
    @Test
    void outputsAreThoseOfTheFirstSamples() {
        Random random = new Random(6);
        float[] inputs = new float[13 * 64];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = (float) random.nextGaussian();
        }
        Dataset data = Dataset.ofFloats("noise", Shape.of(1, 8, 8), inputs, 3, new int[13]);
        try (Network network = Network.create(IMAGES, 3, Natives.enabled());
                NetworkTraining training = new NetworkTraining(network, null, data, data, InputScale.UNIT, Crop.CENTER,
                        1, 0, Precision.FP32)) {
            float[] outputs = training.outputs();
            assertEquals(13 * 3, outputs.length);
            assertArrayEquals(outputs, training.outputs());
            for (int i = 0; i < 13; i++) {
                float[] one = network.outputs(Arrays.copyOfRange(inputs, 64 * i, 64 * i + 64), 1);
                assertArrayEquals(one, Arrays.copyOfRange(outputs, 3 * i, 3 * i + 3), 1e-5f);
            }
        }
    }

    @Test
    void layersThatAreNotNamedStay() throws IOException {
        Pipeline.Result result = run(IMAGES, images(400),
                recipe("{constraints: {conv2: [{kind: Sparsity, share: 0.25}]}, samples: 200}"), null);
        assertEquals(result.weights() - result.layers().get(1).total() * 3 / 4, result.nonzeros());
    }

    @Test
    void whatCannotBeIsRefusedInALine() {
        refused("conv2.weight: calibration of 16 rows", IMAGES, images(9),
                "{constraints: {conv2: [{kind: Sparsity, share: 0.25}]}, samples: 4}");
        float[] inputs = new float[100 * 64];
        inputs[77] = Float.NaN;
        refused("conv1.weight: row ", IMAGES, Dataset.ofFloats("broken", Shape.of(1, 8, 8), inputs, 3, new int[100]),
                "{constraints: {\"*\": [{kind: Sparsity, share: 0.25}]}}");
        refused("ALPS chooses supports", IMAGES, images(100),
                "{constraints: {\"*\": [{kind: Clustering, k: 4}]}, method: alps}");
        for (String set : List.of("KernelPatterns, patterns: 2, positions: 3", "BlockCirculant, size: 2",
                "StructuredSparsity, unit: channel, share: 0.5")) {
            refused("sees conv2.weight as a matrix", IMAGES, images(100),
                    "{constraints: {\"conv2*\": [{kind: " + set + "}]}}");
        }
        refused("needs 'constraints'", IMAGES, images(100), "{method: alps}");
        assertThrows(IllegalArgumentException.class,
                () -> new Reconstruct(
                        Map.of("*", List.of(new GlobalSparsity(4, GlobalSparsity.Score.MAGNITUDE, List.of()))),
                        Solver.ADMM, 0.01, 0, 0, true));
        refused("'brillig' is none of admm, alps", IMAGES, images(100), "{method: brillig}");
        refused("damping cannot be -1.0", IMAGES, images(100), "{damping: -1}");
    }

    private static void refused(String why, Net net, Dataset data, String stage) {
        RecipeException e = assertThrows(RecipeException.class, () -> run(net, data, recipe(stage), null));
        assertTrue(e.getMessage().contains(why) && e.getMessage().lines().count() == 1, e.getMessage());
    }
}
