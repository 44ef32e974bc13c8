package io.pare.rewrite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.Rounding;
import io.pare.infer.ReferenceNet;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.Conv2d;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import io.pare.net.Window;
import io.pare.rewrite.DeadPaths.Removed;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DeadPathsTest {
    private static void assertSameOutputs(CompressedWeights before, CompressedWeights after) {
        ReferenceNet expected = new ReferenceNet(before);
        ReferenceNet actual = new ReferenceNet(after);
        for (int seed = 0; seed < 5; seed++) {
            float[] image = new float[before.model().input().features()];
            for (int i = 0; i < image.length; i++) {
                image[i] = (float) Math.sin(i * (seed + 1.3));
            }
            double[] e = expected.logits(image);
            double[] a = actual.logits(image);
            // The reference counts in double; a folded bias is rounded to float once for each layer.
            Rounding.assertClose(e, a, 4 * before.model().layers().size(), "logits");
        }
    }

    @Test
    void outputsStayAndFilesShrink() {
        Net padded = new NetBuilder("padded", Shape.of(2, 6, 6))
                .add("a", new Conv2d(2, 8, Window.square(3, 1, 1), 2, true)).relu("b")
                .add("c", AvgPool.of(2, 2, 1)).add("d", new Conv2d(8, 6, Window.square(2, 1, 1), 1, true)).relu("e")
                .flatten("f")
                .linear("g", 9).relu("h").linear("i", 4).build();
        for (CompressedWeights before : List.of(
                PrunedNets.lenet5(Map.of("conv1.weight", 20, "conv2.weight", 60, "fc1.weight", 300, "fc2.weight", 300),
                        4, 1.5, 3),
                PrunedNets.of(padded, Map.of("a.weight", 10, "d.weight", 15, "g.weight", 30, "i.weight", 12), 4, 1, 5),
                PrunedNets.of(Models.lenet300(), Map.of("fc1.weight", 200, "fc2.weight", 200), 4, 1, 5))) {
            try (Region region = Region.confined("test")) {
                Map<String, FloatTensor> parameters = before.dense(region);
                Removed removed = DeadPaths.remove(before.model(), parameters);
                CompressedWeights after = CompressedWeights.of(before.model(), parameters, before.scale());
                assertSameOutputs(before, after);
                assertTrue(removed.weights() > 0 && removed.biases() > 0 && removed.folded() > 0, removed.toString());
                assertEquals(before.nonzeroWeights() - removed.weights(), after.nonzeroWeights());
                assertEquals(new Removed(0, 0, 0), DeadPaths.remove(before.model(), parameters));
            }
        }
    }

    @Test
    void biasesGoWhereNothingButPoolingLiesBetween() {
        Net averaged = new NetBuilder("averaged", Shape.of(2, 9, 9))
                .add("a", new Conv2d(2, 6, Window.square(3, 1, 1), 2, true))
                .add("b", new AvgPool(Window.of(2, 2).by(2, 2).padded(0, 1, 0, 0), false))
                .add("c", new Conv2d(6, 4, Window.square(2, 1, 0), 2, true)).relu("d")
                .flatten("e")
                .linear("f", 8).linear("g", 5).build();
        for (CompressedWeights before : List.of(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1.5, 3),
                PrunedNets.of(averaged, Map.of(), 0, 1, 5))) {
            try (Region region = Region.confined("test")) {
                Map<String, FloatTensor> parameters = before.dense(region);
                int moved = DeadPaths.foldBiases(before.model(), parameters);
                CompressedWeights after = CompressedWeights.of(before.model(), parameters, before.scale());
                assertSameOutputs(before, after);
                List<String> emptied = before.model() == averaged
                        ? List.of("a.bias", "f.bias")
                        : List.of("conv1.bias", "conv2.bias");
                // A bias of the second layer that was zero may have become another number on the way.
                assertTrue(moved >= emptied.stream().mapToInt(name -> before.tensor(name).nonzeros()).sum());
                after.tensors().forEach((name, tensor) -> assertEquals(emptied.contains(name), tensor.nonzeros() == 0,
                        name));
            }
        }
    }

    @Test
    void whatRoundingTakesFromABiasMovesOn() {
        CompressedWeights before = PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1.5, 3);
        assertEquals(List.of("conv2"), DeadPaths.foldable(before.model()));
        assertEquals(List.of(), DeadPaths.foldable(Models.lenet300()));
        try (Region region = Region.confined("test")) {
            Map<String, FloatTensor> parameters = before.dense(region);
            DeadPaths.foldBiases(before.model(), parameters, Map.of("conv2", ValueForm.uniform(3)));
            CompressedWeights after = CompressedWeights.of(before.model(), parameters, before.scale());
            assertSameOutputs(before, after);
            assertEquals(0, after.tensor("conv1.bias").nonzeros());
            int values = after.tensor("conv2.bias").codebook().length;
            assertTrue(values > 0 && values <= 6, values + " values");
        }
    }

    @Test
    void clustersAreTheBestOnes() {
        try (Region region = Region.confined("test")) {
            FloatTensor biases = region.tensor(7).copyFrom(new float[]{1, 0, 1.5f, -8, 5, 5.5f, -8});
            ValueForm.of("k3").round(biases);
            assertArrayEquals(new float[]{1.25f, 0, 1.25f, -8, 5.25f, 5.25f, -8}, biases.toArray());
            ValueForm.of("k16").round(biases);
            assertArrayEquals(new float[]{1.25f, 0, 1.25f, -8, 5.25f, 5.25f, -8}, biases.toArray());
            ValueForm.of("k1").round(biases.copyFrom(new float[7]));
            assertArrayEquals(new float[7], biases.toArray());
        }
        assertThrows(IllegalArgumentException.class, () -> ValueForm.of("k0"));
        assertEquals("k4", ValueForm.of("k4").toString());
    }

    @Test
    void wholeNetworksAreLeftAlone() {
        try (Region region = Region.confined("test")) {
            Map<String, FloatTensor> parameters = PrunedNets.of(Models.lenet5(), Map.of(), 0, 0, 1).dense(region);
            assertEquals(new Removed(0, 0, 0), DeadPaths.remove(Models.lenet5(), parameters));
        }
    }

    @Test
    void biasesAreRoundedAsAskedAndStoredExactly() {
        try (Region region = Region.confined("test")) {
            FloatTensor biases = region.tensor(6).copyFrom(new float[]{0.1f, -0.7f, 0.33f, 0, 1.01f, -1e-9f});
            FloatTensor rounded = region.tensor(6).copyFrom(biases);
            ValueForm.of("4").round(rounded);
            CompressedTensor stored = CompressedTensor.of(rounded);
            for (int i = 0; i < 6; i++) {
                assertEquals(biases.get(i), rounded.get(i), 1.01 / 7 * 0.52);
                assertEquals(rounded.get(i), stored.toArray()[i]);
            }
            ValueForm.of("f16").round(rounded.copyFrom(biases));
            assertEquals(Float.float16ToFloat(Float.floatToFloat16(0.33f)), rounded.get(2));
            ValueForm.of("f32").round(rounded.copyFrom(biases));
            assertEquals(-1, rounded.segment().mismatch(biases.segment()));
            ValueForm.of("none").round(rounded);
            assertEquals(0, CompressedTensor.of(rounded).nonzeros());
            assertThrows(IllegalArgumentException.class, () -> ValueForm.of("9"));
        }
    }
}
