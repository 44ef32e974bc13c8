package io.pare.data;

import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged IDX files, plain, gzipped, and gzipped after they were damaged. */
class IdxFuzzTest {
    private static final byte[] IMAGES = IdxFiles.idx(251, 4, 28, 28);
    private static final byte[] LABELS = IdxFiles.idx(10, 30);

    @TempDir
    Path folder;

    private void read(byte[] input) throws IOException {
        Path file = Files.write(folder.resolve("data"), input);
        try {
            Idx.read(file, 1);
        } catch (DataException e) {
            // Then it may be one of images.
            Idx.read(file, 3);
        }
    }

    private Fuzz files() {
        return Fuzz.of("IDX", Mutations.of(List.of(IMAGES, LABELS, IdxFiles.gzip(IMAGES), IdxFiles.gzip(LABELS)))
                .damagingMostly(20), this::read, DataException.class);
    }

    private Fuzz inGzip() {
        return Fuzz.of("IDX in gzip",
                Mutations.of(List.of(IMAGES, LABELS)).damagingMostly(20).sealedBy(IdxFiles::gzip), this::read,
                DataException.class);
    }

    @Test
    void damagedFilesAreReadOrRefused() {
        files().run(1000);
        inGzip().run(1000);
    }

    @Test
    @Tag("long")
    void manyDamagedFilesAreReadOrRefused() {
        files().runLong();
    }

    @Test
    @Tag("long")
    void manyDamagedFilesInGzipAreReadOrRefused() {
        inGzip().runLong();
    }
}
