package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.Variable;
import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.stage.RecipeException;
import io.pare.data.Crop;
import io.pare.data.Dataset;
import io.pare.exec.backend.Precision;
import io.pare.infer.ReferenceNet;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op;
import io.pare.net.Shape;
import io.pare.rewrite.Shrinking;
import io.pare.train.Network;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Recipes that take out whole units. */
class GroupPruneTest {
    private static final Net RESIDUAL = new NetBuilder("residual", Shape.of(1, 8, 8)).conv("conv1", 8, 3, 1, 1, false)
            .norm("bn1").relu("relu1")
            .residual("block", body -> body.conv("conv2", 10, 3, 1, 1, false).norm("bn2").relu("relu2")
                    .groupedConv("depth", 10, 3, 1, 10).norm("bn3").relu("relu3").conv("conv3", 8, 1, 1, 0, false)
                    .norm("bn4"), shortcut -> {
                    })
            .relu("relu4").add("down", new Op.Subsample(12, 2)).conv("conv4", 12, 3, 1, 1, false).norm("bn5")
            .relu("relu5").globalAvgPool("pool").flatten("flatten").linear("fc", 3).build();

    private static Dataset images(int count) {
        Random random = new Random(1);
        float[] inputs = new float[count * 64];
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
            labels[i] = random.nextInt(3);
            for (int p = 0; p < 64; p++) {
                inputs[i * 64 + p] = (float) (Math.sin((1 + labels[i]) * (p % 8)) + 0.3 * random.nextGaussian());
            }
        }
        return Dataset.ofFloats("waves", Shape.of(1, 8, 8), inputs, 3, labels);
    }

    private static Recipe recipe(String prune) {
        return Recipe.parse("test", "name: test\ntrain: {batchSize: 20, learningRate: 0.01}\nstages:\n"
                + "  - admm-prune: {keep: {groups: " + prune + "}, ramp: 0.7, train: {epochs: 3}}\n"
                + "  - mask-retrain: {train: {epochs: 1}}\n");
    }

    private static CompressedWeights run(Net net, String prune, Path state) throws IOException {
        Dataset data = images(200);
        try (Network network = Network.create(net, 3, Natives.enabled());
                NetworkTraining training = new NetworkTraining(network, null, data, data, InputScale.UNIT, Crop.CENTER,
                        1, 0, Precision.FP32)) {
            new Pipeline(recipe(prune), training, state, PipelineListener.SILENT).run();
            return CompressedWeights.of(net, Variable.values(training.variables()), InputScale.UNIT);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{macs: 0.5}", "{share: 0.5, score: scale}", "{macs: 0.4, score: fisher, least: 0.2}"})
    void whatIsMaskedIsTheSmallerNetwork(String groups) throws IOException {
        CompressedWeights masked = run(RESIDUAL, groups, null);
        Shrinking.Result result = Shrinking.shrink(masked);
        CompressedWeights small = result.weights();
        double share = (double) small.model().multiplyAdds() / RESIDUAL.multiplyAdds();
        if (groups.contains("macs")) {
            double wanted = groups.contains("0.5") ? 0.5 : 0.4;
            assertTrue(share <= wanted && share > 0.6 * wanted, share + " of the multiply-adds");
        } else {
            assertEquals(result.kept().length / 2, result.kept().length - result.removed());
        }
        // All that is left is read: no weight was cleared that stays.
        assertTrue(small.nonzeroWeights() > 0.98 * small.model().weightCount(), small.nonzeroWeights() + " of "
                + small.model().weightCount());
        for (int i = 0; i < 3; i++) {
            float[] input = new float[64];
            Random random = new Random(i);
            for (int k = 0; k < input.length; k++) {
                input[k] = (float) random.nextGaussian();
            }
            double[] expected = new ReferenceNet(masked).logits(input);
            double[] actual = new ReferenceNet(small).logits(input);
            double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            for (int k = 0; k < expected.length; k++) {
                assertEquals(expected[k], actual[k], 1e-10 * largest);
            }
        }
    }

    @Test
    void aRunGoesOnFromItsState(@TempDir Path folder) throws IOException {
        Path state = folder.resolve("state.safetensors");
        CompressedWeights whole = run(RESIDUAL, "{macs: 0.5}", state);
        CompressedWeights again = run(RESIDUAL, "{macs: 0.5}", state);
        whole.tensors().forEach((name, tensor) -> assertEquals(Arrays.toString(tensor.toArray()),
                Arrays.toString(again.tensor(name).toArray()), name));
    }

    @Test
    void whatCannotBeIsRefusedByName() {
        RecipeException tooMuch = assertThrows(RecipeException.class, () -> run(RESIDUAL, "{macs: 0.001}", null));
        assertTrue(tooMuch.getMessage().contains("macs of at least") && tooMuch.getMessage().contains("fc stays whole"),
                tooMuch.getMessage());
        Net blended = new NetBuilder("blended", Shape.of(1, 8, 8)).conv("conv1", 4, 3, 1, 1, true)
                .add("mix", new Op.ResponseNorm(3, 1e-4f, 0.75f, 1)).globalAvgPool("pool").flatten("flatten")
                .linear("fc", 3).build();
        RecipeException nothing = assertThrows(RecipeException.class, () -> run(blended, "{macs: 0.5}", null));
        assertTrue(nothing.getMessage().contains("conv1 stays whole for mix"), nothing.getMessage());
        for (String wrong : new String[]{"{}", "{macs: 0.5, share: 0.5}", "{macs: 1.5}", "{macs: 0.5, least: 2}",
            "{macs: 0.5, score: lamp}"}) {
            assertThrows(RecipeException.class, () -> recipe(wrong), wrong);
        }
    }
}
