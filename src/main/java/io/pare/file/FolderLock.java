package io.pare.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A folder that one run has to itself, against other processes and against other runs of this one.
 *
 * <p>The lock is the operating system's, on the file {@code .lock} in the folder, so it ends with the process that holds
 * it, however that dies. The file stays: a lock on a file that somebody else may remove would hold nobody off.
 *
 * <p>Safe for use by many threads.
 */
public final class FolderLock implements AutoCloseable {
    private static final String NAME = ".lock";
    /**
     * Folders locked by this process. They are looked up before the file is opened, because closing a second channel
     * would end the lock of the first.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final FileChannel channel;

    private FolderLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /**
     * Locks {@code folder}, which is created if need be, and deletes the temporary files that dead writers left in it.
     *
     * @param folder created if need be
     * @return the lock, to be closed by whoever took it
     * @throws FileException if another run has it, or if it cannot be locked
     */
    public static FolderLock take(Path folder) {
        return take(folder, FileChannel::tryLock);
    }

    private static FolderLock take(Path folder, Locking locking) {
        try {
            Files.createDirectories(folder);
            Path real = folder.toRealPath();
            if (!HELD.add(real)) {
                throw inUse(folder, ProcessHandle.current().pid() + ", this one");
            }
            try {
                FolderLock lock = new FolderLock(real, lock(folder, locking));
                AtomicFile.removeAbandoned(real);
                return lock;
            } catch (IOException | RuntimeException e) {
                HELD.remove(real);
                throw e;
            }
        } catch (IOException e) {
            throw AtomicFile.failure(folder, folder.toAbsolutePath().getParent(), e);
        }
    }

    /**
     * Locks a folder that was locked before, by a process that is gone.
     *
     * @param folder is left as it is if somebody has it, nobody ever had, or it cannot be locked
     * @return the lock, to be closed by whoever took it; {@code null} if there is none to take
     */
    public static @Nullable FolderLock takeAbandoned(Path folder) {
        try {
            return Files.isRegularFile(folder.resolve(NAME)) ? take(folder) : null;
        } catch (FileException e) {
            return null;
        }
    }

    /**
     * Locks {@code folder} as {@link #take} does, but waits until no other process has it.
     *
     * @param folder created if need be
     * @return the lock, to be closed by whoever took it
     * @throws FileException if another run of this process has it, or if it cannot be locked
     */
    public static FolderLock await(Path folder) {
        return take(folder, FileChannel::lock);
    }

    /** Locks a channel; gives nothing if another process has the lock. */
    @FunctionalInterface
    private interface Locking {
        FileLock lock(FileChannel channel) throws IOException;
    }

    private static FileChannel lock(Path folder, Locking locking) throws IOException {
        Path file = folder.resolve(NAME);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (locking.lock(channel) == null) {
                throw inUse(folder, Files.readString(file).strip());
            }
            channel.truncate(0);
            channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)));
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static FileException inUse(Path folder, String process) {
        return new FileException(folder + " is in use by another run"
                + (process.isEmpty() ? "" : " (process " + process + ")")
                + ": wait until that has ended, or choose another folder",
                new FileSystemException(folder.toString(), null, "is locked"));
    }

    /** Lets others have the folder. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // The lock ends with the process at the latest.
        }
        HELD.remove(folder);
    }
}
