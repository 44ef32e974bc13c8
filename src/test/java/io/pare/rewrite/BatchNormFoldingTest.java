package io.pare.rewrite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.infer.ReferenceNet;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Op.BatchNorm;
import io.pare.net.PrunedNets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BatchNormFoldingTest {
    private static long norms(Net model) {
        return model.layers().stream().map(Node::op).filter(BatchNorm.class::isInstance).count();
    }

    private static float[] image(Net model) {
        Random random = new Random(2);
        float[] image = new float[model.input().features()];
        for (int i = 0; i < image.length; i++) {
            image[i] = (float) random.nextGaussian();
        }
        return image;
    }

    @Test
    void outputsStayTheSameAndOnlyNormalizationsOfNoConvolutionAreLeft() {
        for (Net model : List.of(PrunedNets.RESIDUAL, Models.byName("resnet20"))) {
            CompressedWeights weights = PrunedNets.of(model, Map.of(), 0, 0, 1);
            CompressedWeights folded = BatchNormFolding.fold(weights);
            assertEquals(model == PrunedNets.RESIDUAL ? 1 : 0, norms(folded.model()));
            float[] image = image(model);
            double[] expected = new ReferenceNet(weights).logits(image);
            double scale = java.util.Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            assertArrayEquals(expected, new ReferenceNet(folded).logits(image), 1e-5 * scale);
        }
    }

    @Test
    void zerosStayZeros() {
        CompressedWeights weights = PrunedNets.of(PrunedNets.RESIDUAL, Map.of("conv5.weight", 700), 0, 0, 1);
        CompressedWeights folded = BatchNormFolding.fold(weights);
        CompressedTensor before = weights.tensor("conv5.weight");
        CompressedTensor after = folded.tensor("conv5.weight");
        assertEquals(700, after.nonzeros());
        for (int i = 0; i < 700; i++) {
            assertEquals(before.position(i), after.position(i));
        }
        assertTrue(folded.model().layers().stream().anyMatch(
                node -> node.op() instanceof Op.Conv2d conv && node.name().equals("conv5") && conv.bias()));
    }

    @Test
    void codebooksAreWorthMoreThanFewerLayers() {
        CompressedWeights weights = PrunedNets.of(PrunedNets.RESIDUAL, Map.of(), 4, 0, 1);
        assertSame(weights, BatchNormFolding.fold(weights));
        CompressedWeights lenet = PrunedNets.of(Models.lenet5(), Map.of(), 0, 0, 1);
        assertSame(lenet, BatchNormFolding.fold(lenet));
    }
}
