package io.pare.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of what is added, as text. */
final class GoldenHash {
    private final MessageDigest digest;

    GoldenHash() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    GoldenHash add(byte[] bytes) {
        digest.update(bytes);
        return this;
    }

    GoldenHash add(String text) {
        return add(text.getBytes(StandardCharsets.UTF_8)).add(new byte[1]);
    }

    /** Their bits. */
    GoldenHash add(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putInt(Float.floatToRawIntBits(value));
        }
        return add(bytes.array());
    }

    /** Ends it. */
    @Override
    public String toString() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
