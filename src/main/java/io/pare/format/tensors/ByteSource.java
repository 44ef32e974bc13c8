package io.pare.format.tensors;

import java.io.IOException;

/** Bytes of a file, or of what it holds packed. */
public interface ByteSource {
    /** {@return the number of bytes} */
    long size();

    /**
     * Fills an array.
     *
     * @param at of the first byte
     * @param into filled as a whole
     * @throws io.pare.file.FormatException if there are fewer than {@link #size} says, or they are damaged
     * @throws IOException if the file cannot be read
     */
    void read(long at, byte[] into) throws IOException;
}
