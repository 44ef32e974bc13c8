package io.pare.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;

/** Makes small files in the binary form of CIFAR, and archives of them. */
public final class CifarFiles {
    private CifarFiles() {}

    /** Records with {@code labelBytes} labels, the last of which goes round, and noise for pixels. */
    public static byte[] records(int count, int labelBytes, int classes) {
        byte[] bytes = new byte[count * (labelBytes + 3072)];
        new SplittableRandom(count).nextBytes(bytes);
        for (int i = 0; i < count; i++) {
            int at = i * (labelBytes + 3072);
            bytes[at] = (byte) (i % 20);
            bytes[at + labelBytes - 1] = (byte) (i % classes);
        }
        return bytes;
    }

    /** CIFAR-10 with {@code count} images in each of five training files and in the test file. */
    public static Path ten(Path folder, int count) throws IOException {
        Files.createDirectories(folder);
        for (String name : Cifar.CIFAR10.files()) {
            Files.write(folder.resolve(name), records(count, 1, 10));
        }
        return folder;
    }

    /** A tar archive, gzipped, of a folder "inside" with these files. */
    public static byte[] archive(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        header(tar, "inside/", 0, '5');
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            header(tar, "inside/" + file.getKey(), file.getValue().length, '0');
            tar.write(file.getValue());
            tar.write(new byte[(512 - file.getValue().length % 512) % 512]);
        }
        tar.write(new byte[1024]);
        return IdxFiles.gzip(tar.toByteArray());
    }

    private static void header(ByteArrayOutputStream tar, String name, int size, char type) {
        byte[] header = new byte[512];
        put(header, 0, name);
        put(header, 100, "0000644\0");
        put(header, 124, String.format("%011o\0", size));
        put(header, 148, "        ");
        header[156] = (byte) type;
        put(header, 257, "ustar\00000");
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xff;
        }
        put(header, 148, String.format("%06o\0 ", sum));
        tar.writeBytes(header);
    }

    private static void put(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }
}
