package io.pare.data;

import io.pare.file.AtomicFile;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** Takes named files out of a gzipped tar archive (POSIX.1-1988 "ustar" headers of 512 bytes). */
public final class Archive {
    private static final int BLOCK = 512;
    private static final int NAME = 100;
    private static final int SIZE_AT = 124;
    private static final int SIZE_LENGTH = 12;
    private static final int TYPE_AT = 156;
    private static final int BUFFER = 1 << 16;

    private Archive() {}

    /**
     * Writes the archive's files of these names, whatever their folder in it, into {@code folder}; all must be there.
     *
     * @param archive a file {@code .tar.gz}
     * @param folder where to
     * @param names of the files that are wanted, as the archive spells them
     */
    public static void unpack(Path archive, Path folder, Collection<String> names) {
        Set<String> missing = new TreeSet<>(names);
        try (InputStream in = new GZIPInputStream(Files.newInputStream(archive), BUFFER)) {
            byte[] header = new byte[BLOCK];
            int read = in.readNBytes(header, 0, BLOCK);
            while (!missing.isEmpty() && read > 0 && header[0] != 0) {
                if (read < BLOCK) {
                    throw new EOFException("the archive ends inside a header");
                }
                String path = text(header, 0, NAME);
                long size = octal(header, archive);
                String name = path.substring(path.lastIndexOf('/') + 1);
                boolean plain = header[TYPE_AT] == '0' || header[TYPE_AT] == 0;
                if (plain && missing.remove(name)) {
                    AtomicFile.write(folder.resolve(name), channel -> {
                        byte[] buffer = new byte[BUFFER];
                        for (long left = size; left > 0;) {
                            ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, next(in, buffer, left, archive, name));
                            left -= bytes.remaining();
                            while (bytes.hasRemaining()) {
                                channel.write(bytes);
                            }
                        }
                    });
                    skip(in, (BLOCK - size % BLOCK) % BLOCK, name);
                } else {
                    skip(in, (size + BLOCK - 1) / BLOCK * BLOCK, "another file");
                }
                read = in.readNBytes(header, 0, BLOCK);
            }
        } catch (IOException e) {
            throw unreadable(archive, e);
        }
        if (!missing.isEmpty()) {
            throw new DataException(archive + " has no " + String.join(", ", missing));
        }
    }

    /** Reads some bytes of an entry. A failure is the archive's, not that of the file that is being written. */
    private static int next(InputStream in, byte[] buffer, long left, Path archive, String name) {
        try {
            int count = in.read(buffer, 0, (int) Math.min(left, buffer.length));
            if (count < 0) {
                throw new EOFException("the archive ends inside " + name);
            }
            return count;
        } catch (IOException e) {
            throw unreadable(archive, e);
        }
    }

    private static void skip(InputStream in, long bytes, String name) throws IOException {
        try {
            in.skipNBytes(bytes);
        } catch (EOFException e) {
            throw new EOFException("the archive ends inside " + name);
        }
    }

    private static DataException unreadable(Path archive, IOException e) {
        return new DataException(e instanceof ZipException || e instanceof EOFException
                ? archive + " is damaged: " + (e.getMessage() == null ? "it is cut short" : e.getMessage())
                        + "; fetch it again"
                : "cannot unpack " + archive + ": " + e.getMessage(), e);
    }

    private static String text(byte[] header, int from, int length) {
        int end = from;
        while (end < from + length && header[end] != 0) {
            end++;
        }
        return new String(header, from, end - from, StandardCharsets.US_ASCII).strip();
    }

    private static long octal(byte[] header, Path archive) {
        String digits = text(header, SIZE_AT, SIZE_LENGTH);
        if (!digits.matches("[0-7]{1,11}")) {
            throw new DataException(archive + " is no tar archive: the size of an entry is no octal number");
        }
        return Long.parseLong(digits, 8);
    }
}
