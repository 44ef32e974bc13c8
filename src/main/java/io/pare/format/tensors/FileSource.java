package io.pare.format.tensors;

import io.pare.file.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * A part of an open file, from byte {@code start} on. Nothing is mapped, so a file that another process cuts short gives
 * an error and not a fault.
 *
 * @param channel open for reading; its opener closes it
 * @param start where the bytes begin in the file
 * @param size how many there are
 */
public record FileSource(FileChannel channel, long start, long size) implements ByteSource {
    /** Heap beyond {@code into} is not used for more than so many bytes at a time. */
    private static final int CHUNK_BYTES = 1 << 20;

    @Override
    public void read(long at, byte[] into) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(into);
        while (buffer.position() < into.length) {
            buffer.limit(Math.min(into.length, buffer.position() + CHUNK_BYTES));
            if (channel.read(buffer, start + at + buffer.position()) < 0) {
                throw new FormatException("truncated while it was read");
            }
        }
    }
}
