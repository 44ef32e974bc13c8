package io.pare.file;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes whole files so that, whatever happens, a reader finds the old content or the new one and nothing between.
 *
 * <p>The content goes to a temporary file beside the target, is forced to the disk, and takes the target's name in one
 * step. A full disk, a crash or {@code kill -9} leaves the target as it was. Missing parent folders are created. A target
 * that is a link keeps being one; a target that is no regular file, such as {@code /dev/stdout}, is written directly.
 * Every failure is a {@link FileException} whose message is fit for a user.
 *
 * <p>Safe for use by many threads and processes; of two writers of one target, the last to finish wins.
 */
public final class AtomicFile {
    private static final String SUFFIX = ".tmp";
    private static final long STALE_MILLIS = 3_600_000;
    private static final Pattern TEMPORARY = Pattern.compile("\\..+\\.(\\d{1,18})-\\d+\\" + SUFFIX);
    /** Systems tell when a process began to a second, rounded either way. */
    private static final Duration START_ROUNDING = Duration.ofSeconds(2);

    private AtomicFile() {}

    /** What goes into a file. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes everything to {@code channel}, which is empty and at position 0, and leaves it open.
         *
         * @param channel where to, open for writing
         * @throws IOException if it cannot be written; the target then stays as it was
         */
        void writeTo(FileChannel channel) throws IOException;
    }

    /**
     * Writes what {@code content} gives. A thread that is interrupted writes all the same, so that a job that stops for
     * it can save; the interrupt is there again at the end.
     *
     * @param target the file: replaced as a whole, its folder created if need be; devices and pipes are written to
     *     directly
     * @param content gives the bytes, from the first on each time it is asked; a failure leaves the old file
     */
    public static void write(Path target, Content content) {
        Uninterrupted.run(() -> writeOnce(target, content));
    }

    private static void writeOnce(Path target, Content content) {
        Path parent = target.toAbsolutePath().getParent();
        try {
            if (Files.exists(target) && !Files.isRegularFile(target) && !Files.isDirectory(target)) {
                try (FileChannel channel = FileChannel.open(target, StandardOpenOption.WRITE)) {
                    content.writeTo(channel);
                }
                return;
            }
            Path real = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
            if (Files.isDirectory(real)) {
                throw new FileSystemException(target.toString(), null, "is a folder, a file is needed");
            }
            parent = real.getParent();
            Files.createDirectories(parent);
            removeStale(real);
            replace(real, content);
            force(parent);
        } catch (IOException e) {
            throw failure(target, parent, e);
        }
    }

    /**
     * Writes {@code bytes}.
     *
     * @param target the file: replaced as a whole, its folder created if need be; devices and pipes are written to
     *     directly
     * @param bytes the whole content
     */
    public static void write(Path target, byte[] bytes) {
        write(target, channel -> {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        });
    }

    /**
     * Writes {@code text} as UTF-8.
     *
     * @param target the file: replaced as a whole, its folder created if need be; devices and pipes are written to
     *     directly
     * @param text the whole content
     */
    public static void write(Path target, String text) {
        write(target, text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Fails as {@link #write(Path, String)} would if {@code target} cannot be written, and changes nothing but creating
     * its folder: for a look before hours of work whose result is to go there.
     *
     * @param target the file: replaced as a whole, its folder created if need be; devices and pipes are written to
     *     directly
     */
    public static void check(Path target) {
        if (Files.exists(target) && !Files.isRegularFile(target) && !Files.isDirectory(target)) {
            return;
        }
        if (Files.isDirectory(target)) {
            throw failure(target, target,
                    new FileSystemException(target.toString(), null, "is a folder, a file is needed"));
        }
        Path parent = target.toAbsolutePath().getParent();
        try {
            Files.createDirectories(parent);
            Files.delete(Files.createFile(temporary(target.toAbsolutePath())));
        } catch (IOException e) {
            throw failure(target, parent, e);
        }
    }

    /** Containers that share a volume may have equal process numbers, so a random number is in the name too. */
    private static Path temporary(Path target) {
        return target.resolveSibling(prefix(target) + ProcessHandle.current().pid() + "-"
                + ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE) + SUFFIX);
    }

    private static void replace(Path real, Content content) throws IOException {
        Path temporary = temporary(real);
        boolean moved = false;
        try {
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.WRITE)) {
                content.writeTo(channel);
                channel.force(true);
            }
            try {
                Files.move(temporary, real, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(temporary, real, StandardCopyOption.REPLACE_EXISTING);
            }
            moved = true;
        } finally {
            if (!moved) {
                Files.deleteIfExists(temporary);
            }
        }
    }

    /** Deletes what killed writers of the same target left an hour ago or earlier. */
    private static void removeStale(Path real) throws IOException {
        long now = System.currentTimeMillis();
        String prefix = prefix(real);
        try (DirectoryStream<Path> siblings = Files.newDirectoryStream(real.getParent(), file -> {
            String name = file.getFileName().toString();
            return name.startsWith(prefix) && name.endsWith(SUFFIX);
        })) {
            for (Path sibling : siblings) {
                if (now - Files.getLastModifiedTime(sibling).toMillis() > STALE_MILLIS) {
                    Files.deleteIfExists(sibling);
                }
            }
        } catch (NoSuchFileException e) {
            // Another process swept it first.
        }
    }

    /** Deletes the temporary files in {@code folder} whose writers are dead. */
    static void removeAbandoned(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, ".*" + SUFFIX)) {
            for (Path file : files) {
                Matcher name = TEMPORARY.matcher(file.getFileName().toString());
                if (name.matches() && abandoned(file, Long.parseLong(name.group(1)))) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (NoSuchFileException e) {
            // Its writer lives and has just renamed it.
        }
    }

    /** Whether no process of that id lives, or only one that began after {@code file} was written. */
    private static boolean abandoned(Path file, long writer) throws IOException {
        Optional<ProcessHandle> process = ProcessHandle.of(writer);
        Instant written = Files.getLastModifiedTime(file).toInstant();
        return process.isEmpty() || process.get().info().startInstant()
                .map(start -> written.isBefore(start.minus(START_ROUNDING))).orElse(false);
    }

    private static String prefix(Path file) {
        return "." + file.getFileName() + ".";
    }

    /** Makes the new name itself survive a power cut. Windows cannot open folders and needs it not. */
    private static void force(Path folder) throws IOException {
        if (System.getProperty("os.name").startsWith("Windows")) {
            return;
        }
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (AccessDeniedException e) {
            // A folder may be writable and not readable; the file is complete then all the same.
        }
    }

    static FileException failure(Path target, Path parent, IOException e) {
        return new FileException("cannot write " + target + ": " + reason(e, parent), e);
    }

    private static String reason(IOException e, Path parent) {
        String text = e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : e.getMessage();
        String known = String.valueOf(text).toLowerCase(Locale.ROOT);
        if (known.contains("no space left") || known.contains("not enough space") || known.contains("quota")) {
            return "the disk is full" + free(parent) + "; free some space or write elsewhere";
        }
        if (known.contains("file too large")) {
            return "a file may not be so large there (see ulimit -f); write elsewhere";
        }
        if (known.contains("read-only")) {
            return "the file system is read-only; write elsewhere";
        }
        return switch (e) {
            case AccessDeniedException _ -> "permission denied in " + parent + "; write elsewhere or change its mode";
            case NoSuchFileException _ -> "no file can be made in " + parent + "; write elsewhere";
            case NotDirectoryException f -> f.getFile() + " is a file, a folder is needed";
            case FileAlreadyExistsException f -> f.getFile() + " is a file, a folder is needed";
            case ClosedByInterruptException _ -> "interrupted";
            case InterruptedIOException _ -> "interrupted";
            default -> known.contains("not a directory")
                    ? "a part of the path is a file, a folder is needed"
                    : String.valueOf(text);
        };
    }

    private static String free(Path parent) {
        try {
            return " (" + Files.getFileStore(parent).getUsableSpace() + " bytes left in " + parent + ")";
        } catch (IOException e) {
            return "";
        }
    }
}
