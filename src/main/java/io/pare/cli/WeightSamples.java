package io.pare.cli;

import io.pare.mem.FloatTensor;
import io.pare.train.Network;
import io.pare.train.Weight;
import java.util.LinkedHashMap;
import java.util.Map;

/** Weights for plots: of large tensors every so-many-th. */
final class WeightSamples {
    private static final int SAMPLED = 1 << 20;

    private WeightSamples() {}

    /** The weights by name, biases left out. */
    static Map<String, float[]> of(Network network) {
        Map<String, float[]> samples = new LinkedHashMap<>();
        for (Weight weight : network.weights()) {
            if (weight.decays()) {
                FloatTensor value = weight.value();
                int stride = (int) Math.ceilDiv(value.count(), SAMPLED);
                float[] sample = new float[(int) Math.ceilDiv(value.count(), stride)];
                for (int i = 0; i < sample.length; i++) {
                    sample[i] = value.get((long) i * stride);
                }
                samples.put(weight.name(), sample);
            }
        }
        return samples;
    }
}
