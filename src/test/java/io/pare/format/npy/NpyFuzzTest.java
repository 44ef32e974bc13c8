package io.pare.format.npy;

import io.pare.file.FormatException;
import io.pare.format.tensors.StoredTensors;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import io.pare.mem.Region;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged files of one array and of several. */
class NpyFuzzTest {
    @TempDir
    Path folder;

    private List<byte[]> seeds() {
        Path npz = folder.resolve("seed.npz");
        try (Region region = Region.confined("seeds")) {
            NpzFile.write(npz, Map.of("a", region.tensor(2, 3).fill(0.5f)));
            return List.of(Files.readAllBytes(npz),
                    NpyFilesTest.npy(1, NpyFilesTest.dict("<f4", true, "(2, 1)"), new byte[8]),
                    NpyFilesTest.npy(3, NpyFilesTest.dict(">i2", false, "(2, 3)"), new byte[12]));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void read(byte[] input) throws IOException {
        Path path = Files.write(folder.resolve("fuzz"), input);
        try (StoredTensors file = NpyFile.is(input) ? NpyFile.open(path) : NpzFile.open(path);
                Region region = Region.confined("fuzz")) {
            for (String name : file.names()) {
                file.floats(name, region);
                if (!file.type(name).isFloat()) {
                    file.longs(name);
                }
            }
        }
    }

    private Fuzz fuzz() {
        return Fuzz.of("NumPy", Mutations.of(seeds()).damagingMostly(80).withWords("'shape': (999999999, 999999999)",
                "(", ")", "True", "'<u8'", "PK\1\2", "PK\5\6"), this::read, FormatException.class);
    }

    @Test
    void damagedArraysAreReadOrRefused() {
        fuzz().run(3000);
    }

    @Test
    @Tag("long")
    void manyDamagedArraysAreReadOrRefused() {
        fuzz().runLong();
    }
}
