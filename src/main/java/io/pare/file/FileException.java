package io.pare.file;

import java.io.IOException;
import java.io.UncheckedIOException;

/** A file could not be written or read; the message is one line that names the file, the cause and what to do. */
public final class FileException extends UncheckedIOException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception of one line.
     *
     * @param message one line: the file, the cause, what to do
     * @param cause what the system said
     */
    public FileException(String message, IOException cause) {
        super(message, cause);
    }
}
