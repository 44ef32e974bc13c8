package io.pare.run;

import io.pare.file.FileException;
import io.pare.file.FolderLock;
import io.pare.mpi.Ranks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a process that is not the first of several: a temporary one, so that only the first one writes where the
 * user wants results. It begins with copies of files that the first one has, which may be on another machine.
 *
 * <p>A process that is killed leaves its folder. The next one on the machine deletes it: who lives holds a lock.
 */
final class PrivateFolder implements AutoCloseable {
    private static final String PREFIX = "pare-rank";

    private final Path path;
    /** Holds the lock, and the folder itself; {@code null} for the first process. */
    private final @Nullable Path temporary;
    private final @Nullable FolderLock lock;

    private PrivateFolder(Path path, @Nullable Path temporary, @Nullable FolderLock lock) {
        this.path = path;
        this.temporary = temporary;
        this.lock = lock;
    }

    /**
     * The folder itself for the first process, a temporary one for any other.
     *
     * @param names of files that are copied, if the first process has them; all processes name the same
     */
    static PrivateFolder of(Path folder, Ranks ranks, List<String> names) throws IOException {
        PrivateFolder made =
                ranks.together(() -> ranks.first() ? new PrivateFolder(folder, null, null) : temporary());
        for (String name : names) {
            byte[] content = ranks.together(() -> ranks.first() ? made.content(name) : null);
            byte[] there = ranks.fromFirst(new byte[]{(byte) (content == null ? 0 : 1)});
            if (there[0] == 1) {
                byte[] copied = ranks.fromFirst(content == null ? new byte[0] : content);
                ranks.together(() -> ranks.first() ? made.path : Files.write(made.path.resolve(name), copied));
            }
        }
        return made;
    }

    private static PrivateFolder temporary() throws IOException {
        deleteAbandoned(Path.of(System.getProperty("java.io.tmpdir")));
        while (true) {
            Path made = Files.createTempDirectory(PREFIX);
            try {
                FolderLock lock = FolderLock.take(made);
                Path inner = made.resolve("run");
                if (Files.exists(made)) {
                    return new PrivateFolder(Files.createDirectory(inner), made, lock);
                }
                // Somebody took it for abandoned between the two calls.
                lock.close();
            } catch (FileException e) {
                if (Files.exists(made)) {
                    throw e;
                }
            }
        }
    }

    /** Those of other users, and those on which somebody is at work, stay. */
    private static void deleteAbandoned(Path folders) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folders, PREFIX + "*")) {
            for (Path each : all) {
                FolderLock found = FolderLock.takeAbandoned(each);
                if (found != null) {
                    try (found) {
                        delete(each);
                    } catch (IOException e) {
                        // It only takes space: no reason to end this run.
                    }
                }
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private byte @Nullable [] content(String name) throws IOException {
        Path file = path.resolve(name);
        return Files.isRegularFile(file) ? Files.readAllBytes(file) : null;
    }

    Path path() {
        return path;
    }

    @Override
    public void close() {
        if (temporary == null || lock == null) {
            return;
        }
        try (lock) {
            if (Files.exists(temporary)) {
                delete(temporary);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
