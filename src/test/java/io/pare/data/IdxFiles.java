package io.pare.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/** Makes small IDX files, good ones and such as go wrong. */
public final class IdxFiles {
    private IdxFiles() {}

    /** An IDX file of bytes 0, 1, 2, ... modulo {@code modulus}. */
    public static byte[] idx(int modulus, int... shape) {
        int count = 1;
        for (int size : shape) {
            count *= size;
        }
        ByteBuffer buffer = ByteBuffer.allocate(4 + 4 * shape.length + count);
        buffer.put(new byte[]{0, 0, 8, (byte) shape.length});
        for (int size : shape) {
            buffer.putInt(size);
        }
        for (int i = 0; i < count; i++) {
            buffer.put((byte) (i % modulus));
        }
        return buffer.array();
    }

    public static byte[] gzip(byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** A folder with a training set and a test set of random-looking digits. */
    public static Path folder(Path folder, int train, int test) throws IOException {
        Files.createDirectories(folder);
        Files.write(folder.resolve("train-images-idx3-ubyte"), idx(251, train, 28, 28));
        Files.write(folder.resolve("train-labels-idx1-ubyte"), idx(10, train));
        Files.write(folder.resolve("t10k-images-idx3-ubyte.gz"), gzip(idx(241, test, 28, 28)));
        Files.write(folder.resolve("t10k-labels-idx1-ubyte.gz"), gzip(idx(10, test)));
        return folder;
    }
}
