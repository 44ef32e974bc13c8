package io.pare.format.safetensors;

import io.pare.file.FormatException;
import io.pare.format.NetworkFile;
import io.pare.format.tensors.ElementType;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import io.pare.mem.Region;
import io.pare.net.PrunedNets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged safetensors files: tensors are read one by one, and the file as a network. */
class SafetensorsFuzzTest {
    @TempDir
    Path folder;

    private List<byte[]> seeds() {
        Path path = folder.resolve("seed.safetensors");
        try (Region region = Region.confined("seeds")) {
            new Safetensors.Writer().metadata("model", "lenet5").metadata("input.shape", "1x28x28")
                    .add("mask", ElementType.U8, new long[]{3}, MemorySegment.ofArray(new byte[]{1, 0, -1}))
                    .add("layer.weight", region.tensor(2, 3)).add("step", new long[]{7, Long.MIN_VALUE})
                    .add("half", ElementType.BF16, new long[]{2, 1, 2}, MemorySegment.ofArray(new byte[8]))
                    .add("empty", region.tensor(0, 4)).write(path);
            byte[] tensors = Files.readAllBytes(path);
            NetworkFile.write(path, PrunedNets.lenet5(Map.of("conv1.weight", 20, "conv2.weight", 30, "fc1.weight", 20,
                    "fc2.weight", 20), 4, 0, 5), NetworkFile.Kind.SAFETENSORS_COMPRESSED);
            return List.of(tensors, Files.readAllBytes(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void read(byte[] input) throws IOException {
        Path path = Files.write(folder.resolve("fuzz.safetensors"), input);
        FormatException refusal = null;
        try (Safetensors file = Safetensors.open(path); Region region = Region.confined("fuzz")) {
            for (String name : file.names()) {
                switch (file.entry(name).type()) {
                    case F64, F32, F16, BF16 -> file.floats(name, region);
                    case I64, U64, I32, U32, I16, U16, I8, U8, BOOL -> file.longs(name);
                    default -> file.bytes(name);
                }
            }
        } catch (FormatException e) {
            refusal = e;
        }
        NetworkFile.read(path);
        if (refusal != null) {
            throw refusal;
        }
    }

    private Fuzz fuzz() {
        return Fuzz.of("safetensors", Mutations.of(seeds()).damagingMostly(700).withWords("9223372036854775807",
                "-1", "F64", "F8_E4M3", "data_offsets", "shape", "[", "}", "\"input.shape\":\"9999x9999x99\"",
                "resnet20", "vgg16", "1e9"), this::read, FormatException.class);
    }

    @Test
    void damagedFilesAreReadOrRefused() {
        fuzz().run(1500);
    }

    @Test
    @Tag("long")
    void manyDamagedFilesAreReadOrRefused() {
        fuzz().runLong();
    }
}
