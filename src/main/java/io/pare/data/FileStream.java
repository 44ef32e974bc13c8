package io.pare.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import javax.imageio.stream.ImageInputStreamImpl;

/** A file of which little is read. By its path: a {@link java.io.File} loses names that the locale cannot hold. */
final class FileStream extends ImageInputStreamImpl {
    private static final int WINDOW = 4096;

    private final FileChannel channel;
    private final ByteBuffer window = ByteBuffer.allocate(WINDOW).limit(0);
    private long windowStart;

    FileStream(Path file) throws IOException {
        this.channel = FileChannel.open(file, StandardOpenOption.READ);
    }

    @Override
    public int read() throws IOException {
        bitOffset = 0;
        if (!fill()) {
            return -1;
        }
        return window.get((int) (streamPos++ - windowStart)) & 0xff;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        bitOffset = 0;
        if (length > 0 && !fill()) {
            return -1;
        }
        int at = (int) (streamPos - windowStart);
        int count = Math.min(length, window.limit() - at);
        window.get(at, target, from, count);
        streamPos += count;
        return count;
    }

    /** Makes the window hold the next byte; {@code false} at the end. */
    private boolean fill() throws IOException {
        if (streamPos < windowStart || streamPos >= windowStart + window.limit()) {
            windowStart = streamPos;
            int count = channel.read(window.clear(), windowStart);
            window.flip();
            return count > 0;
        }
        return true;
    }

    @Override
    public long length() {
        try {
            return channel.size();
        } catch (IOException e) {
            return -1;
        }
    }

    @Override
    public void close() throws IOException {
        super.close();
        channel.close();
    }
}
