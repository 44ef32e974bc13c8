package io.pare.format.pytorch;

import io.pare.file.FormatException;
import io.pare.format.NetworkFile;
import io.pare.format.pytorch.TorchFiles.Form;
import io.pare.format.tensors.StoredTensors;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import io.pare.mem.Region;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged state dicts: whole files, and damaged pickles in sound archives. Tensors are read one by one. */
class PyTorchFuzzTest {
    private static final Net MODEL =
            new NetBuilder("tiny", Shape.of(3, 1, 1)).flatten("flatten").linear("fc", 2).build();
    private static final Map<String, byte[]> STORAGES = Map.of("0", TorchFiles.bytes(1, 2, 3, 4, 5, 6));

    @TempDir
    Path folder;

    private static byte[] pickle() {
        PickleWriter pickle = new PickleWriter(2).op('}').op('(').text("epoch").number(1L << 40).text("lr").op('G')
                .int64(0).text("state_dict").dict();
        pickle.text("module.fc.weight").op('q').op(1).tensor("FloatStorage", "0", 6, 0, new long[]{2, 3},
                new long[]{1, 2});
        pickle.text("module.fc.bias").op(0x94).tensor("FloatStorage", "0", 6, 4, new long[]{2}, new long[]{1});
        return pickle.endDict().ops("}bu").end();
    }

    private void read(byte[] input) throws IOException {
        Path path = Files.write(folder.resolve("fuzz.pth"), input);
        FormatException refusal = null;
        try (StoredTensors file = PyTorchFile.open(path); Region region = Region.confined("fuzz")) {
            for (String name : file.names()) {
                file.floats(name, region);
                if (!file.type(name).isFloat()) {
                    file.longs(name);
                }
            }
        } catch (FormatException e) {
            refusal = e;
        }
        NetworkFile.read(path, MODEL, Map.of());
        if (refusal != null) {
            throw refusal;
        }
    }

    private Fuzz files() {
        List<byte[]> seeds = Stream.of(Form.values()).map(form -> form.file(pickle(), STORAGES)).toList();
        return Fuzz.of("PyTorch", Mutations.of(seeds).withWords("PK\1\2", "PK\5\6", "data.pkl", "ctorch\nSize\n"),
                this::read, FormatException.class);
    }

    private Fuzz pickles() {
        return Fuzz.of("pickles", Mutations.of(List.of(pickle())).withWords("cos\nsystem\n", "ctorch\nSize\n",
                "ctorch._utils\n_rebuild_tensor\n", "2", "t", "R", "b", "(", "e", "Q").sealedBy(
                        pickle -> Form.STORED.file(pickle, STORAGES)),
                this::read, FormatException.class);
    }

    @Test
    void damagedFilesAreReadOrRefused() {
        files().run(1500);
    }

    @Test
    void damagedPicklesAreReadOrRefused() {
        pickles().run(3000);
    }

    @Test
    @Tag("long")
    void manyDamagedFilesAreReadOrRefused() {
        files().runLong();
    }

    @Test
    @Tag("long")
    void manyDamagedPicklesAreReadOrRefused() {
        pickles().runLong();
    }
}
