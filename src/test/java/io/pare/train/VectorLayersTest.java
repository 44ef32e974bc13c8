package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.exec.Tape;
import io.pare.natives.Natives;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Layers that look at channels, behind linear ones: they train, alike on both engines. */
class VectorLayersTest {
    private static final int BATCH = 16;
    private static final Net MODEL = new NetBuilder("vectors", Shape.of(2, 3, 3)).flatten("flatten").linear("fc1", 16)
            .norm("bn1").relu("relu1").residual("block", body -> body.linear("fc2", 16).norm("bn2"), shortcut -> {
            }).maxPool("pool", 1, 1, 0).conv("conv", 8, 1, 1, 0, true).relu("relu2").norm("bn3").linear("fc3", 4)
            .norm("bn4").build();

    /** Gradients after one pass on random samples, by name. */
    private static Map<String, float[]> gradients(boolean useNative) {
        Map<String, float[]> gradients = new HashMap<>();
        try (Network network = Network.create(MODEL, 5, useNative)) {
            Tape tape = network.trainingTape(BATCH, true);
            Random random = new Random(3);
            for (int i = 0; i < tape.input(Network.IMAGES).count(); i++) {
                tape.input(Network.IMAGES).set(i, (float) random.nextGaussian());
            }
            for (int i = 0; i < BATCH; i++) {
                tape.labels().setAtIndex(ValueLayout.JAVA_INT, i, i % 4);
            }
            tape.forward(1);
            tape.backward();
            network.weights().stream().filter(weight -> weight.parameter().trained())
                    .forEach(weight -> gradients.put(weight.name(), weight.gradient().toArray()));
        }
        return gradients;
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    @Test
    void normalizationsBehindLinearLayersTrainAlikeOnBothEngines() {
        Map<String, float[]> expected = gradients(false);
        // A constant before a normalisation changes nothing.
        List<String> cancelled = List.of("fc1.bias", "fc2.bias", "bn3.bias", "fc3.bias");
        double all = expected.values().stream().mapToDouble(VectorLayersTest::largest).max().orElseThrow();
        expected.forEach((name, values) -> assertTrue(largest(values) > 1e-3 * all != cancelled.contains(name), name));
        Assumptions.assumeTrue(Natives.status().available(), "oneDNN is switched off");
        Map<String, float[]> actual = gradients(true);
        expected.forEach((name, values) -> {
            double scale = cancelled.contains(name) ? all : largest(values);
            for (int i = 0; i < values.length; i++) {
                assertEquals(values[i], actual.get(name)[i], 1e-4 * scale, name);
            }
        });
    }
}
