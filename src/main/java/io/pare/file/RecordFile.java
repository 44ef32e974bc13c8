package io.pare.file;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file that grows by records. What was appended is there for readers at once, and stays if this process is killed; a
 * power cut may cost the last records. Not thread-safe.
 */
public final class RecordFile implements AutoCloseable {
    private final Path file;
    /** Not a channel, which an interrupt would close. */
    private final RandomAccessFile open;

    private RecordFile(Path file, RandomAccessFile open) {
        this.file = file;
        this.open = open;
    }

    /**
     * Creates a file, and its folder if need be.
     *
     * @param file that does not exist
     * @return the file without a record, to be closed by whoever created it
     * @throws FileException if it cannot be created
     */
    public static RecordFile create(Path file) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            return new RecordFile(file, new RandomAccessFile(Files.createFile(file).toFile(), "rw"));
        } catch (IOException e) {
            throw AtomicFile.failure(file, file.toAbsolutePath().getParent(), e);
        }
    }

    /**
     * Appends a record.
     *
     * @param record all of its bytes
     * @throws FileException if there is no room for it; the file then ends with the record before
     */
    public void append(byte[] record) {
        try {
            long end = open.length();
            try {
                open.write(record);
            } catch (IOException e) {
                open.setLength(end);
                throw e;
            }
        } catch (IOException e) {
            throw AtomicFile.failure(file, file.toAbsolutePath().getParent(), e);
        }
    }

    /** Closes the file; harmless twice. */
    @Override
    public void close() {
        try {
            open.close();
        } catch (IOException e) {
            throw AtomicFile.failure(file, file.toAbsolutePath().getParent(), e);
        }
    }
}
