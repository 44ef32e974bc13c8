package io.pare.compress.constraint;

import io.pare.mem.FloatTensor;
import java.util.Map;

/** See {@link Cost#WEIGHT_DATA}. */
final class WeightData implements Cost {
    private static final int COUNTED = 1 << 16;

    WeightData() {}

    /** Bits of a tensor's non-zeros, each as wide as tells its distinct values apart. */
    static long bits(FloatTensor tensor) {
        return Projector.nonzeros(tensor) * Projector.bitsFor(Projector.distinct(tensor, COUNTED).length);
    }

    @Override
    public String unit() {
        return "bytes of weight data";
    }

    /** Tensors of one dimension, which hold biases and statistics, are no weight data. */
    @Override
    public double of(Map<String, FloatTensor> tensors) {
        return tensors.values().stream().filter(tensor -> tensor.rank() > 1).mapToLong(WeightData::bits).sum() / 8.0;
    }

    @Override
    public double of(String tensor, long elements, long kept, int bits) {
        return kept * (double) bits / 8;
    }
}
