package io.pare.data;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * An array of unsigned bytes in the IDX format of the MNIST files, plain or gzipped.
 *
 * <p>Format: two zero bytes, the element type (8: unsigned byte), the number of dimensions, each dimension as a
 * big-endian 32-bit integer, then the elements in row-major order. Gzip is recognised by content, whatever the name.
 *
 * @param shape the dimensions, outermost first
 * @param data the elements; not copied
 */
record Idx(int[] shape, byte[] data) {
    private static final int UNSIGNED_BYTE = 8;
    private static final int GZIP_MAGIC = 0x1f8b;
    private static final int HEAD = 4;
    private static final int BUFFER = 1 << 16;

    /** Reads a file that must have {@code dimensions} dimensions; else {@link DataException}. */
    static Idx read(Path file, int dimensions) {
        if (Files.isDirectory(file)) {
            throw new DataException(file + " is a folder, an IDX file is needed");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return read(in, Files.size(file), file.toString(), dimensions);
        } catch (NoSuchFileException e) {
            throw new DataException(file + " does not exist", e);
        } catch (AccessDeniedException e) {
            throw new DataException(file + " may not be read: permission denied", e);
        } catch (IOException e) {
            throw new DataException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads a stream to its end.
     *
     * @param length of the stream, no more than that is believed; {@code Long.MAX_VALUE} if it is not known
     * @param name for messages
     */
    static Idx read(InputStream raw, long length, String name, int dimensions) throws IOException {
        InputStream in = new BufferedInputStream(raw, BUFFER);
        in.mark(HEAD);
        byte[] start = in.readNBytes(HEAD);
        in.reset();
        if (start.length >= 2 && ((start[0] & 0xff) << 8 | start[1] & 0xff) == GZIP_MAGIC) {
            try {
                return parse(new GZIPInputStream(in, BUFFER),
                        length > Long.MAX_VALUE / PictureHeader.DEFLATE_RATIO
                                ? length
                                : length * PictureHeader.DEFLATE_RATIO,
                        name, dimensions);
            } catch (ZipException e) {
                throw new DataException(name + " is damaged (" + e.getMessage() + "): fetch it again", e);
            } catch (EOFException e) {
                throw new DataException(name + " is cut short inside its gzip data: fetch it again", e);
            }
        }
        if (name.endsWith(".gz") && (start.length < HEAD || start[0] != 0 || start[1] != 0)) {
            throw new DataException(name + " is named .gz but is no gzip file (it begins with " + hex(start)
                    + "): fetch it again, an error page may have been saved in its place");
        }
        return parse(in, length, name, dimensions);
    }

    /**
     * @param most bytes that can follow
     */
    private static Idx parse(InputStream in, long most, String name, int dimensions) throws IOException {
        byte[] head = in.readNBytes(HEAD);
        if (head.length == 0) {
            throw new DataException(name + " is empty: fetch it again");
        }
        if (head.length < HEAD) {
            throw new DataException(
                    name + " is cut short: it has " + head.length + " bytes, an IDX header has at least "
                            + (HEAD + Integer.BYTES));
        }
        if (head[0] != 0 || head[1] != 0 || head[2] != UNSIGNED_BYTE || head[3] != dimensions) {
            throw new DataException(name + " begins with " + hex(head) + ", an IDX file of " + kind(dimensions)
                    + " begins with 00 00 08 0" + dimensions + mixedUp(head, dimensions));
        }
        int[] shape = new int[dimensions];
        long count = 1;
        for (int i = 0; i < dimensions; i++) {
            byte[] size = in.readNBytes(Integer.BYTES);
            if (size.length < Integer.BYTES) {
                throw new DataException(name + " is cut short inside its header: fetch it again");
            }
            shape[i] = (size[0] & 0xff) << 24 | (size[1] & 0xff) << 16 | (size[2] & 0xff) << 8 | size[3] & 0xff;
            if (shape[i] < 1 || count > Integer.MAX_VALUE / shape[i]) {
                throw new DataException(
                        name + " claims the shape " + Arrays.toString(Arrays.copyOf(shape, i + 1)) + ": it is damaged");
            }
            count *= shape[i];
        }
        String claim = name + " is cut short: its header claims " + Arrays.toString(shape) + ", that is " + count
                + " bytes, ";
        if (count > most) {
            throw new DataException(claim + "no more than " + most + " can follow; fetch it again");
        }
        Heap.check(name + ", " + Arrays.toString(shape) + ",", count);
        byte[] data = new byte[(int) count];
        int follow = in.readNBytes(data, 0, data.length);
        if (follow < count) {
            throw new DataException(claim + follow + " follow; fetch it again");
        }
        if (in.read() >= 0) {
            throw new DataException(name + " is longer than the " + count + " bytes that its header claims ("
                    + Arrays.toString(shape) + "): it is damaged or not an IDX file");
        }
        return new Idx(shape, data);
    }

    private static String kind(int dimensions) {
        return switch (dimensions) {
            case 1 -> "labels";
            case 3 -> "images";
            default -> dimensions + " dimensions";
        };
    }

    private static String mixedUp(byte[] head, int dimensions) {
        boolean other = head[0] == 0 && head[1] == 0 && head[2] == UNSIGNED_BYTE
                && (head[3] == 1 && dimensions == 3 || head[3] == 3 && dimensions == 1);
        return other ? ": images and labels are mixed up" : ": it is another kind of file or damaged";
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            text.append(text.isEmpty() ? "" : " ").append(String.format("%02x", b));
        }
        return text.isEmpty() ? "nothing" : text.toString();
    }
}
