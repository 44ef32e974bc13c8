package io.pare.data;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Fetches one file over HTTP and gives it its name only when its SHA-256 is right.
 *
 * <p>What has come so far lies beside the target with the ending {@code .part}; the next call asks for the rest of it (a
 * range request, RFC 9110, section 14), and begins anew where the server sends everything.
 */
public final class Download {
    /** How long a server may be silent, at the start and between any two bytes. */
    private static final int PATIENCE_MILLIS = 60_000;
    private static final int BEYOND_THE_END = 416;
    private static final int BUFFER = 1 << 16;

    private Download() {}

    /** Follows a download. */
    @FunctionalInterface
    public interface Progress {
        /**
         * Says how much there is.
         *
         * @param done bytes that are there
         * @param total size of the file, -1 if the server does not say
         */
        void bytes(long done, long total);
    }

    /**
     * Makes {@code target} be there with that checksum; does nothing if it is. {@link DataException} on failure.
     *
     * @param source an address by HTTPS
     * @param target where to; a part of an earlier try beside it is continued
     * @param sha256 what it must be, 64 lower-case hexadecimal digits
     * @param progress told now and then
     */
    public static void fetch(URI source, Path target, String sha256, Progress progress) {
        fetch(source, target, sha256, progress, PATIENCE_MILLIS);
    }

    /** For tests, which have less patience. */
    static void fetch(URI source, Path target, String sha256, Progress progress, int patienceMillis) {
        if (Files.isRegularFile(target) && Checksum.sha256(target).equals(sha256)) {
            return;
        }
        Path part = target.resolveSibling(target.getFileName() + ".part");
        try {
            Files.createDirectories(target.toAbsolutePath().getParent());
            receive(source, part, progress, patienceMillis);
            String found = Checksum.sha256(part);
            if (!found.equals(sha256)) {
                Files.delete(part);
                throw new DataException("what came from " + source + " has SHA-256 " + found + ", it should be "
                        + sha256 + ": it was deleted; try again, or another source");
            }
            Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw stopped(source, part, e);
        }
    }

    private static DataException stopped(URI source, Path part, Exception e) {
        long there = 0;
        try {
            there = Files.exists(part) ? Files.size(part) : 0;
        } catch (IOException ignored) {
            // Then none is said to be there.
        }
        String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return new DataException("the download of " + source + " stopped: " + reason + "; " + there
                + " bytes are kept in " + part + ", the same command goes on from there", e);
    }

    private static void receive(URI source, Path part, Progress progress, int patienceMillis) throws IOException {
        long there = Files.exists(part) ? Files.size(part) : 0;
        HttpURLConnection connection = (HttpURLConnection) source.toURL().openConnection();
        connection.setConnectTimeout(patienceMillis);
        connection.setReadTimeout(patienceMillis);
        if (there > 0) {
            connection.setRequestProperty("Range", "bytes=" + there + "-");
        }
        try {
            int status = connection.getResponseCode();
            if (there > 0 && status == BEYOND_THE_END) {
                return; // Everything is there, or too much: the checksum says.
            }
            String range = connection.getHeaderField("Content-Range");
            boolean goesOn = status == HttpURLConnection.HTTP_PARTIAL && range != null
                    && range.startsWith("bytes " + there + "-");
            if (!goesOn && status != HttpURLConnection.HTTP_OK) {
                throw new IOException("the server answers " + status);
            }
            long from = goesOn ? there : 0;
            long length = connection.getContentLengthLong();
            try (InputStream body = connection.getInputStream()) {
                append(body, part, from, length < 0 ? -1 : from + length, progress);
            }
        } finally {
            connection.disconnect();
        }
    }

    private static void append(InputStream body, Path part, long from, long total, Progress progress)
            throws IOException {
        try (FileChannel channel = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.truncate(from);
            channel.position(from);
            byte[] buffer = new byte[BUFFER];
            long done = from;
            for (int count = body.read(buffer); count >= 0; count = body.read(buffer)) {
                ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, count);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                done += count;
                progress.bytes(done, total);
            }
            channel.force(true);
            if (total >= 0 && done < total) {
                throw new IOException("the server closed the connection after " + done + " of " + total + " bytes");
            }
        }
    }
}
