package io.pare.cli;

import io.pare.natives.Natives;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A file with the JVM's own form of the classes of the command line, in the user's cache. With it, a run of one step takes
 * a fifth less.
 *
 * <p>The first command that trains leaves the archive, which takes that command a second and a half more. The file's name says
 * which JVM and which jars it is of, so another version makes another file, and removes the earlier ones. The JVM compares
 * version, jars and a checksum once more. A file appears under its name only when it is complete. Where no archive can be had,
 * the command runs without.
 */
final class ClassArchive {
    private static final String FOLDER = "classes";
    private static final String SUFFIX = ".jsa";
    /** Commands that load most of what others do. */
    private static final Set<String> MAKERS = Set.of("train", "compress");
    /** Of a user who has made a choice about archives. */
    private static final List<String> CHOICES = List.of("-Xshare", "-XX:SharedArchiveFile", "-XX:ArchiveClassesAtExit",
            "-XX:AOT");
    /** Whatever the JVM finds wrong with an archive, the run goes on without. */
    private static final List<String> SILENCE = List.of("-Xlog:cds*=off", "-Xlog:aot*=off");

    private final Path file;
    private final @Nullable Path partial;

    private ClassArchive(Path file, @Nullable Path partial) {
        this.file = file;
        this.partial = partial;
    }

    /**
     * {@return the archive of a class path, if this user can have one}
     *
     * @param options of the JVM
     * @param classPath entries; a JVM archives classes of jars alone
     * @param args the command line
     */
    static Optional<ClassArchive> of(List<String> options, String classPath, String... args) {
        if (options.stream().anyMatch(option -> CHOICES.stream().anyMatch(option::startsWith))) {
            return Optional.empty();
        }
        try {
            List<Object> made = new ArrayList<>(List.of(Runtime.version(), System.getProperty("java.home")));
            for (Path jar : Arrays.stream(classPath.split(File.pathSeparator)).map(Path::of).toList()) {
                if (!Files.isRegularFile(jar)) {
                    return Optional.empty();
                }
                made.addAll(List.of(jar.toAbsolutePath(), Files.size(jar), Files.getLastModifiedTime(jar)));
            }
            String name = Integer.toHexString(Objects.hash(made.toArray())) + SUFFIX;
            boolean exists = Files.exists(Natives.cacheFolder().resolve(FOLDER).resolve(name));
            if (!exists && !(args.length > 0 && MAKERS.contains(args[0]))) {
                return Optional.empty();
            }
            return Natives.ownCacheFolder(FOLDER).map(folder -> new ClassArchive(folder.resolve(name),
                    exists ? null : folder.resolve(UUID.randomUUID() + SUFFIX)));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** {@return the options of a JVM that reads the archive, or makes it} */
    List<String> options() {
        List<String> options = new ArrayList<>(SILENCE);
        options.addAll(partial == null
                ? List.of("-XX:SharedArchiveFile=" + file, "-XX:+VerifySharedSpaces")
                : List.of("-XX:ArchiveClassesAtExit=" + partial));
        return options;
    }

    /**
     * Puts in place what the JVM made, instead of the archives of other versions.
     *
     * @param complete whether the JVM ended as it should
     */
    void keep(boolean complete) {
        if (partial == null) {
            return;
        }
        try {
            if (complete && Files.exists(partial)) {
                List<Path> old;
                try (Stream<Path> files = Files.list(file.getParent())) {
                    old = files.filter(other -> !other.equals(partial)).toList();
                }
                for (Path other : old) {
                    Files.deleteIfExists(other);
                }
                Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
            }
            Files.deleteIfExists(partial);
        } catch (IOException e) {
            // The next run makes it.
        }
    }
}
