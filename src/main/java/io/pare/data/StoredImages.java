package io.pare.data;

import java.security.MessageDigest;

/** Images of one size in an array on the heap: CHW bytes, one image after another. */
record StoredImages(byte[] pixels, int channels, int height, int width) implements Images {
    @Override
    public int count() {
        return pixels.length / imageBytes();
    }

    int imageBytes() {
        return channels * height * width;
    }

    @Override
    public void digest(int row, MessageDigest digest) {
        digest.update(pixels, row * imageBytes(), imageBytes());
    }

    @Override
    public Reader reader() {
        return (row, view) -> view.planar(pixels, row * imageBytes(), height, width);
    }
}
