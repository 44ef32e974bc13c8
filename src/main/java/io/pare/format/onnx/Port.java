package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;

/**
 * A value that a graph takes or gives, and where a network has it.
 *
 * <p>A network takes and gives one vector of floats for each sample. It holds this value's elements of the sample, in
 * row-major order of the axes other than the batch's, from {@code offset} on.
 *
 * @param name in the graph
 * @param type of its elements in ONNX; the network has floats for all of them
 * @param shape in ONNX, at the batch's axis -1 if any number of samples will do
 * @param batchAxis the axis that counts samples; -1 if there is none: the whole value is one sample
 * @param offset its first element's place among the values of a sample
 */
public record Port(String name, Type type, long[] shape, int batchAxis, int offset) {
    /** Copies the shape and checks it. */
    public Port {
        shape = shape.clone();
    }

    /** {@return a copy of the shape} */
    @Override
    public long[] shape() {
        return shape.clone();
    }

    /** {@return the elements of one sample} */
    public int features() {
        return Math.toIntExact(outer() * inner());
    }

    /** Elements before the batch's axis. */
    private long outer() {
        return product(0, Math.max(batchAxis, 0));
    }

    /** Elements behind it. */
    private long inner() {
        return product(batchAxis + 1, shape.length);
    }

    private long product(int from, int to) {
        long product = 1;
        for (int axis = from; axis < to; axis++) {
            product = Math.multiplyExact(product, shape[axis]);
        }
        return product;
    }

    /**
     * Puts a tensor into the vectors that a network takes.
     *
     * @param tensor row-major, of {@code samples} samples
     * @param samples how many
     * @param vectors of all samples, one after another
     */
    public void pack(float[] tensor, int samples, float[] vectors) {
        move(samples, vectors.length / samples, (at, vector) -> vectors[vector] = tensor[at]);
    }

    /**
     * Takes a tensor out of the vectors that a network gives.
     *
     * @param vectors of all samples, one after another
     * @param samples how many
     * @return the tensor of {@code samples} samples, row-major
     */
    public float[] unpack(float[] vectors, int samples) {
        float[] tensor = new float[samples * features()];
        move(samples, vectors.length / samples, (at, vector) -> tensor[at] = vectors[vector]);
        return tensor;
    }

    private interface Move {
        void move(int at, int vector);
    }

    private void move(int samples, int stride, Move move) {
        int inner = (int) inner();
        int features = features();
        for (int sample = 0; sample < samples; sample++) {
            for (int i = 0; i < features; i++) {
                int at = (i / inner * samples + sample) * inner + i % inner;
                move.move(at, sample * stride + offset + i);
            }
        }
    }
}
