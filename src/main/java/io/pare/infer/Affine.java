package io.pare.infer;

import io.pare.net.CompressedWeights;
import io.pare.net.Op.BatchNorm;
import java.util.Arrays;

/** What a normalisation by running statistics does to each channel: {@code scale x + shift}. */
record Affine(float[] scale, float[] shift) {
    static Affine identity(int channels) {
        float[] ones = new float[channels];
        Arrays.fill(ones, 1f);
        return new Affine(ones, new float[channels]);
    }

    static Affine of(String name, BatchNorm norm, CompressedWeights weights) {
        float[] scale = weights.tensor(name + ".weight").toArray();
        float[] shift = weights.tensor(name + ".bias").toArray();
        float[] mean = weights.tensor(name + ".running_mean").toArray();
        float[] variance = weights.tensor(name + ".running_var").toArray();
        for (int c = 0; c < scale.length; c++) {
            scale[c] = (float) (scale[c] / Math.sqrt(variance[c] + (double) norm.epsilon()));
            shift[c] -= mean[c] * scale[c];
        }
        return new Affine(scale, shift);
    }
}
