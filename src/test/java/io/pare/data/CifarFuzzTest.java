package io.pare.data;

import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged files of CIFAR in binary form, and damaged archives of them. */
class CifarFuzzTest {
    private static final int RECORD = 3074;

    @TempDir
    Path folder;

    @BeforeEach
    void writeTestPart() throws IOException {
        Files.write(folder.resolve("test.bin"), CifarFiles.records(2, 2, 100));
    }

    private void load(byte[] input) throws IOException {
        Files.write(folder.resolve("train.bin"), input);
        Cifar.CIFAR100.verify(folder);
    }

    private Fuzz files() {
        // Two of three have whole records.
        return Fuzz.of("CIFAR", Mutations.of(List.of(CifarFiles.records(2, 2, 100), CifarFiles.records(1, 2, 100)))
                .sealedBy(bytes -> bytes.length % 3 == 0
                        ? bytes
                        : Arrays.copyOf(bytes, Math.ceilDiv(bytes.length, RECORD) * RECORD)),
                this::load, DataException.class);
    }

    private void unpack(byte[] input) throws IOException {
        Archive.unpack(Files.write(folder.resolve("a.tar.gz"), input), folder.resolve("out"),
                List.of("a.bin", "b.bin"));
    }

    private static byte[] archive() {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("readme", new byte[600]);
        files.put("a.bin", new byte[1000]);
        files.put("b.bin", new byte[512]);
        try {
            return CifarFiles.archive(files);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] unzipped(byte[] archive) {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(archive))) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Fuzz archives() {
        return Fuzz.of("tar.gz", Mutations.of(List.of(archive())), this::unpack, DataException.class);
    }

    private Fuzz tars() {
        return Fuzz.of("tar in gzip", Mutations.of(List.of(unzipped(archive())))
                .withWords("77777777777", "00000000000", "inside/b.bin", "../b.bin").sealedBy(IdxFiles::gzip),
                this::unpack, DataException.class);
    }

    @Test
    void damagedFilesAreReadOrRefused() {
        files().run(800);
    }

    @Test
    void damagedArchivesAreUnpackedOrRefused() {
        archives().run(400);
        tars().run(100);
    }

    @Test
    @Tag("long")
    void manyDamagedFilesAreReadOrRefused() {
        files().runLong();
    }

    @Test
    @Tag("long")
    void manyDamagedArchivesAreUnpackedOrRefused() {
        archives().runLong();
    }

    @Test
    @Tag("long")
    void manyDamagedTarsInGzipAreUnpackedOrRefused() {
        tars().runLong();
    }
}
