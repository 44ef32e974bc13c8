package io.pare.natives;

import java.nio.file.Path;

/**
 * A shared library that is loaded into this process.
 *
 * @param role {@code openmp}, {@code onednn}, {@code openblas} or {@code support}
 * @param path the file
 * @param origin where it was found
 * @param sha256 the digest that was verified just before loading; empty for a file of {@code -Dpare.native.path}
 */
public record LoadedLibrary(String role, Path path, Origin origin, String sha256) {
    /** Where a library came from, in search order. */
    public enum Origin {
        /** A folder named by {@code -Dpare.native.path}. */
        PATH,
        /** The per-user cache, put there by an earlier run. */
        CACHE,
        /** The carrier jar, extracted by this run. */
        JAR
    }
}
