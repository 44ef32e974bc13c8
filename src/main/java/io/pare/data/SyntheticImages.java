package io.pare.data;

import java.nio.ByteBuffer;
import java.security.MessageDigest;

/** Images of uniform noise, made when they are asked for; equal seeds give equal images. */
record SyntheticImages(int count, int channels, int height, int width, long seed) implements Images {
    @Override
    public void digest(int row, MessageDigest digest) {
        digest.update(ByteBuffer.allocate(Long.BYTES + Integer.BYTES).putLong(seed).putInt(row).flip());
    }

    @Override
    public Reader reader() {
        byte[] pixels = new byte[channels * height * width];
        SplitMix64 random = new SplitMix64(0);
        return (row, view) -> {
            random.restart(seed, row);
            for (int i = 0; i < pixels.length; i += Long.BYTES) {
                long bits = random.nextLong();
                for (int k = i; k < Math.min(i + Long.BYTES, pixels.length); k++) {
                    pixels[k] = (byte) bits;
                    bits >>>= Byte.SIZE;
                }
            }
            view.planar(pixels, 0, height, width);
        };
    }
}
