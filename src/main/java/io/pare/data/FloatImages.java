package io.pare.data;

import java.nio.ByteBuffer;
import java.security.MessageDigest;

/** Inputs in an array on the heap, CHW, one sample after another: they are no pixels, and no scale changes them. */
record FloatImages(float[] values, int channels, int height, int width) implements Images {
    @Override
    public int count() {
        return values.length / size();
    }

    private int size() {
        return channels * height * width;
    }

    void copy(int row, float[] into) {
        System.arraycopy(values, row * size(), into, 0, size());
    }

    @Override
    public void digest(int row, MessageDigest digest) {
        ByteBuffer bytes = ByteBuffer.allocate(size() * Float.BYTES);
        bytes.asFloatBuffer().put(values, row * size(), size());
        digest.update(bytes);
    }

    @Override
    public Reader reader() {
        return (row, view) -> {
            throw new IllegalStateException("inputs of floats are no pixels");
        };
    }
}
