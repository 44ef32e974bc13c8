package io.pare.infer;

import io.pare.net.CompressedTensor;

/** Rows of weights: what each output sums over. */
final class Rows {
    /** Index of each row's first weight, and behind the last row the number of weights. */
    final int[] starts;
    /** Where, in floats, each weight finds its input; set by the step. */
    final int[] offsets;
    final float[] weights;
    final float[] biases;

    Rows(CompressedTensor weight, CompressedTensor bias, Affine affine) {
        int rows = Math.toIntExact(weight.shape()[0]);
        biases = bias == null ? new float[rows] : bias.toArray();
        starts = new int[rows + 1];
        offsets = new int[weight.nonzeros()];
        weights = new float[weight.nonzeros()];
        int perRow = weight.count() / biases.length;
        for (int k = 0; k < weights.length; k++) {
            int row = weight.position(k) / perRow;
            starts[row + 1]++;
            weights[k] = weight.value(k) * affine.scale()[row];
        }
        for (int i = 0; i < rows; i++) {
            starts[i + 1] += starts[i];
            biases[i] = biases[i] * affine.scale()[i] + affine.shift()[i];
        }
    }

    /** How much of a weight is left, in words. */
    static String density(CompressedTensor weight) {
        return weight.nonzeros() + " of " + weight.count() + " weights";
    }
}
