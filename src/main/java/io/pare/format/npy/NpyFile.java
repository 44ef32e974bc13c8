package io.pare.format.npy;

import io.pare.file.AtomicFile;
import io.pare.file.FormatException;
import io.pare.format.tensors.FileSource;
import io.pare.format.tensors.StoredTensor;
import io.pare.format.tensors.StoredTensors;
import io.pare.mem.FloatTensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * One array in a .npy file of NumPy, in its versions 1 to 3.
 *
 * <p>Floats of 16 to 64 bits, integers and bool are read, of either byte order, in C or Fortran order; float32 in C order
 * is written. Arrays of objects, texts and records are refused.
 */
public final class NpyFile {
    /** The name under which the only array of an open file is found. */
    public static final String ARRAY = "array";

    private static final int CHUNK_FLOATS = 1 << 14;

    private NpyFile() {}

    /**
     * {@return whether a file with these first bytes is one}
     *
     * @param start of a file
     */
    public static boolean is(byte[] start) {
        return new String(start, StandardCharsets.ISO_8859_1).startsWith(NpyHeader.MAGIC);
    }

    /**
     * Opens a file and reads its header; it holds one tensor, {@link #ARRAY}.
     *
     * @param path of the file
     * @return the open file, which the caller closes
     * @throws IOException if the file cannot be read
     */
    public static StoredTensors open(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            StoredTensor array = NpyHeader.read(new FileSource(channel, 0, channel.size()));
            return new StoredTensors(path, Map.of(ARRAY, array), channel);
        } catch (FormatException e) {
            channel.close();
            throw new FormatException(path + ": " + e.getMessage(), e);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /**
     * Writes the whole file or nothing, see {@link AtomicFile}; the same tensor gives the same bytes.
     *
     * @param path of the file
     * @param tensor written row-major
     */
    public static void write(Path path, FloatTensor tensor) {
        AtomicFile.write(path, channel -> write(Channels.newOutputStream(channel), tensor));
    }

    /** Leaves the stream open. */
    static void write(OutputStream out, FloatTensor tensor) throws IOException {
        out.write(NpyHeader.ofFloats(tensor.shape()));
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_FLOATS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long at = 0; at < tensor.count(); at += CHUNK_FLOATS) {
            chunk.clear();
            for (long i = at; i < Math.min(tensor.count(), at + CHUNK_FLOATS); i++) {
                chunk.putFloat(tensor.get(i));
            }
            out.write(chunk.array(), 0, chunk.position());
        }
    }
}
