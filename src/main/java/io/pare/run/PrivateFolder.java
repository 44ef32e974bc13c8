package io.pare.run;

import io.pare.mpi.Ranks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a process that is not the first of several: a temporary one, so that only the first one writes where the
 * user wants results. It begins with copies of files that the first one has, which may be on another machine.
 */
final class PrivateFolder implements AutoCloseable {
    private final Path path;
    private final boolean temporary;

    private PrivateFolder(Path path, boolean temporary) {
        this.path = path;
        this.temporary = temporary;
    }

    /**
     * The folder itself for the first process, a temporary one for any other.
     *
     * @param names of files that are copied, if the first process has them; all processes name the same
     */
    static PrivateFolder of(Path folder, Ranks ranks, List<String> names) throws IOException {
        PrivateFolder made = ranks.together(
                () -> new PrivateFolder(ranks.first() ? folder : Files.createTempDirectory("pare-rank"),
                        !ranks.first()));
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

    private byte @Nullable [] content(String name) throws IOException {
        Path file = path.resolve(name);
        return Files.isRegularFile(file) ? Files.readAllBytes(file) : null;
    }

    Path path() {
        return path;
    }

    @Override
    public void close() {
        if (!temporary || Files.notExists(path)) {
            return;
        }
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
