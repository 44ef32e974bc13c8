package io.pare.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.format.NetworkFile.Kind;
import io.pare.format.npy.NpzFile;
import io.pare.format.pytorch.TorchFiles;
import io.pare.format.pytorch.TorchFiles.Form;
import io.pare.format.safetensors.Safetensors;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Parameter;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import io.pare.net.StoredNetwork;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class NetworkFileTest {
    @TempDir
    Path folder;

    private static CompressedWeights lenet(int levels) {
        return new CompressedWeights(Models.lenet5(),
                PrunedNets.lenet5(PrunedNets.KEPT_167X, levels, 1, 3).tensors(), new InputScale(0.25f, 0.5f));
    }

    @Test
    void aNetworkMayHaveThousandsOfLayers() throws IOException {
        NetBuilder deep = new NetBuilder("deep", Shape.of(3));
        for (int i = 0; i < 5_000; i++) {
            deep.relu("relu" + i);
        }
        Path path = folder.resolve("deep.pare");
        CompressedWeights weights = new CompressedWeights(deep.build(), Map.of(), InputScale.UNIT);
        NetworkFile.write(path, weights, Kind.PARE);
        assertEquals(weights.model(), NetworkFile.read(path).model());
        NetBuilder deeper = new NetBuilder("deeper", Shape.of(3));
        for (int i = 0; i <= 1 << 16; i++) {
            deeper.relu("r" + i);
        }
        CompressedWeights more = new CompressedWeights(deeper.build(), Map.of(), InputScale.UNIT);
        FormatException refused =
                assertThrows(FormatException.class, () -> NetworkFile.write(path, more, Kind.PARE));
        assertTrue(refused.getMessage().contains("deeper has 65537 layers"), refused.getMessage());
    }

    @Test
    void anOnnxFileMayLookLikeSafetensors() throws IOException {
        Path path = folder.resolve("net.onnx");
        NetworkFile.write(path, lenet(0), Kind.ONNX);
        // Fields of a message may come twice, the last one counts: a producer whose name ends in a brace.
        byte[] producer = {8, 7, 0x12, 5, 'p', 'a', 'r', 'e', '{'};
        ByteBuffer both = ByteBuffer.allocate(producer.length + (int) Files.size(path)).put(producer)
                .put(Files.readAllBytes(path));
        Files.write(path, both.array());
        assertEquals(NetworkFile.Format.ONNX, NetworkFile.format(path));
        PrunedNets.assertSame(lenet(0), NetworkFile.read(path));
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void everyKindIsKnownByItsContentAndKeepsEveryBit(Kind kind) throws IOException {
        for (int levels : new int[]{0, 4}) {
            Path path = folder.resolve("net.bin");
            NetworkFile.write(path, lenet(levels), kind);
            PrunedNets.assertSame(lenet(levels), NetworkFile.read(path));
            PrunedNets.assertSame(lenet(levels), NetworkFile.read(path, Models.lenet5(), Map.of()));
            Net other = Models.lenet300();
            String message = assertThrows(FormatException.class, () -> NetworkFile.read(path, other, Map.of()))
                    .getMessage();
            assertTrue(message.startsWith(path.toString()) && !message.contains("\n"), message);
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void scalesByChannelComeBack(Kind kind) throws IOException {
        Net model = new NetBuilder("colour", Shape.of(3, 2, 2)).flatten("flatten").linear("fc1", 2).build();
        try (Region region = Region.confined("test")) {
            Map<String, FloatTensor> tensors = Map.of("fc1.weight", region.tensor(2, 12).fill(0.5f), "fc1.bias",
                    region.tensor(2).fill(0.25f));
            InputScale scale = new InputScale(List.of(0.4914f, 0.4822f, 0.4465f), List.of(0.247f, 0.2435f, 0.2616f));
            CompressedWeights weights = CompressedWeights.of(model, tensors, scale);
            Path path = folder.resolve("colour.bin");
            NetworkFile.write(path, weights, kind);
            assertEquals(scale, NetworkFile.read(path, model, Map.of()).scale());
        }
    }

    @Test
    void scalesThatAreNoneAreRefused() {
        for (String[] wrong : new String[][]{{"0.5,0.5", "1"}, {"x", "1"}, {"0", "-1"}, {"", "1"}, {"NaN", "1"}}) {
            assertThrows(IllegalArgumentException.class, () -> InputScale.parse(wrong[0], wrong[1]), wrong[0]);
        }
    }

    @Test
    void extraTensorsAreNamedAndLeftOutOnlyWhereThatIsAskedFor() throws IOException {
        CompressedWeights weights = lenet(0);
        Path path = folder.resolve("extra.safetensors");
        try (Region region = Region.confined("test")) {
            Safetensors.Writer writer = NetworkFile.writer(weights.model(), weights.scale());
            weights.dense(region)
                    .forEach((name, tensor) -> writer.add(name.equals("fc2.bias") ? "out_b" : name, tensor));
            writer.add("head.weight", region.tensor(3, 4)).add("steps", new long[]{7}).write(path);
        }
        String message = assertThrows(FormatException.class, () -> NetworkFile.read(path)).getMessage();
        assertTrue(message.contains("head.weight, steps") && message.endsWith("--ignore-extra leaves that out"),
                message);
        Map<String, String> names = Map.of("fc2.bias", "out_b");
        PrunedNets.assertSame(weights, NetworkFile.contents(path, null, names, true).weights());
        // A tensor of the right shape and another name may just as well be an extra one.
        assertTrue(assertThrows(FormatException.class, () -> NetworkFile.contents(path, null, Map.of(), true))
                .getMessage().contains("missing: fc2.bias"));
    }

    @Test
    void tensorsAreFoundBehindPrefixesByShapeAndByAMap() throws IOException {
        CompressedWeights weights = lenet(0);
        Path path = folder.resolve("foreign.safetensors");
        Map<String, String> foreign = Map.of("conv1.weight", "module.conv1.weight", "fc2.bias", "out_b");
        try (Region region = Region.confined("test")) {
            Safetensors.Writer writer = new Safetensors.Writer();
            weights.dense(region).forEach((name, tensor) -> writer.add(foreign.getOrDefault(name, name), tensor));
            writer.write(path);
        }
        CompressedWeights read = NetworkFile.read(path, Models.lenet5(), Map.of());
        PrunedNets.assertSame(new CompressedWeights(weights.model(), weights.tensors(), InputScale.MNIST), read);
        assertTrue(assertThrows(FormatException.class, () -> NetworkFile.read(path)).getMessage()
                .contains("does not say which network"));
        Path map = Files.writeString(folder.resolve("names"), "# names\nfc2.bias = out_b\nconv1.weight=nothing\n");
        Map<String, String> names = NetworkFile.readNames(map);
        assertEquals("out_b", names.get("fc2.bias"));
        assertTrue(assertThrows(FormatException.class, () -> NetworkFile.read(path, Models.lenet5(), names))
                .getMessage().contains("'nothing'"));
        String message = assertThrows(FormatException.class,
                () -> NetworkFile.read(path, Models.lenet300(), Map.of())).getMessage();
        assertTrue(message.contains("fc1.weight"), message);
    }

    @Test
    void aMapOfNamesIsUtf8WithOrWithoutAByteOrderMark() throws IOException {
        Path map = Files.writeString(folder.resolve("names"), "\ufefffc1.bias=größe\n");
        assertEquals(Map.of("fc1.bias", "größe"), NetworkFile.readNames(map));
        Files.writeString(map, "# names\nfc1.bias=größe\n", StandardCharsets.ISO_8859_1);
        String message = assertThrows(FormatException.class, () -> NetworkFile.readNames(map)).getMessage();
        assertTrue(message.contains(map + ", line 2: not UTF-8"), message);
    }

    private void writeForeign(Path path, CompressedWeights weights, String prefix, String left, String... extra)
            throws IOException {
        try (Region region = Region.confined("test")) {
            Safetensors.Writer writer = new Safetensors.Writer();
            weights.dense(region).forEach((name, tensor) -> {
                if (!name.equals(left)) {
                    writer.add(prefix + name, tensor);
                }
            });
            for (String name : extra) {
                writer.add(name, region.tensor(1, 3));
            }
            writer.write(path);
        }
    }

    @Test
    void weightsOfPyTorchAreFoundBehindTheirPrefixAndCountersAreIgnored() throws IOException {
        CompressedWeights weights = PrunedNets.of(Models.byName("resnet20"), Map.of(), 0, 0, 5);
        Path path = folder.resolve("resnet20.safetensors");
        writeForeign(path, weights, "module.", "", "module.layer1.0.bn1.num_batches_tracked");
        PrunedNets.assertSame(weights, NetworkFile.read(path, Models.byName("resnet20"), Map.of()));
    }

    @Test
    void aLongListOfTensorsIsCutShort() throws IOException {
        CompressedWeights weights = PrunedNets.of(Models.byName("lenet300"), Map.of(), 0, 0, 5);
        Path path = folder.resolve("many.safetensors");
        writeForeign(path, weights, "", "", IntStream.range(0, 30).mapToObj(i -> "extra" + i).toArray(String[]::new));
        Net model = weights.model();
        String message = assertThrows(FormatException.class, () -> NetworkFile.read(path, model, Map.of()))
                .getMessage();
        assertTrue(
                message.contains("extra0, extra1, extra10, extra11, extra12, extra13, extra14, extra15 and 22 more;"),
                message);
    }

    @Test
    void allThatIsMissingUnknownOrOfAnotherShapeIsListed() throws IOException {
        CompressedWeights weights = PrunedNets.of(Models.byName("resnet20", null, 100), Map.of(), 0, 0, 5);
        Path path = folder.resolve("odd.safetensors");
        writeForeign(path, weights, "module.", "layer2.1.bn2.running_mean", "head.weight", "tail.weight");
        String message = assertThrows(FormatException.class,
                () -> NetworkFile.read(path, Models.byName("resnet20"), Map.of())).getMessage();
        assertTrue(message.contains("missing: layer2.1.bn2.running_mean [32]"), message);
        assertTrue(message.contains("not known: head.weight, tail.weight"), message);
        assertTrue(message.contains("module.linear.weight [100, 64] instead of [10, 64]"), message);
        assertTrue(message.contains("module.linear.bias [100] instead of [10]"), message);
    }

    private static Map<String, float[]> values(CompressedWeights weights, UnaryOperator<String> names) {
        Map<String, float[]> values = new LinkedHashMap<>();
        weights.model().parameters().forEach(parameter -> values.put(names.apply(parameter.name()),
                weights.tensor(parameter.name()).toArray()));
        return values;
    }

    private static byte[] torch(Form form, CompressedWeights weights, UnaryOperator<String> names) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        weights.model().parameters().forEach(parameter -> shapes.put(names.apply(parameter.name()), parameter.shape()));
        return TorchFiles.floats(form, values(weights, names), shapes);
    }

    private static void assertUnscaled(CompressedWeights expected, CompressedWeights read) {
        PrunedNets.assertSame(new CompressedWeights(expected.model(), expected.tensors(),
                InputScale.usual(expected.model().input())), read);
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void stateDictsOfPyTorchAreReadLikeOtherFilesOfTensors(Form form) throws IOException {
        CompressedWeights weights = PrunedNets.of(Models.byName("resnet20"), Map.of(), 0, 0, 5);
        Path path = Files.write(folder.resolve("net.bin"), torch(form, weights, name -> "module." + name));
        assertEquals(NetworkFile.Format.PYTORCH, NetworkFile.format(path));
        StoredNetwork read = NetworkFile.contents(path, weights.model(), Map.of());
        assertUnscaled(weights, read.weights());
        assertTrue(!read.scaled() && !read.byOrder());
        assertTrue(assertThrows(FormatException.class, () -> NetworkFile.read(path)).getMessage()
                .contains("does not say which network"));
        assertTrue(assertThrows(FormatException.class, () -> NetworkFile.read(path, Models.lenet5(), Map.of()))
                .getMessage().contains("does not hold the weights of lenet5"));
    }

    @Test
    void arraysOfNumPyAreReadByName() throws IOException {
        CompressedWeights weights = lenet(0);
        Path path = folder.resolve("net");
        try (Region region = Region.confined("test")) {
            NpzFile.write(path, weights.dense(region));
        }
        assertEquals(NetworkFile.Format.NPZ, NetworkFile.format(path));
        assertUnscaled(weights, NetworkFile.read(path, Models.lenet5(), Map.of()));
    }

    @Test
    void tensorsOfOtherNamesAreTakenInTheirOrderWhereEverythingAgrees() throws IOException {
        CompressedWeights weights = PrunedNets.of(Models.byName("resnet20"), Map.of(), 0, 0, 5);
        Net model = weights.model();
        UnaryOperator<String> foreign = name -> "blocks." + (1000 - model.parameters().stream().map(Parameter::name)
                .toList().indexOf(name)) + name.substring(name.lastIndexOf('.'));
        Path path = Files.write(folder.resolve("foreign.pth"), torch(Form.STORED, weights, foreign));
        StoredNetwork read = NetworkFile.contents(path, model, Map.of());
        assertTrue(read.byOrder());
        assertUnscaled(weights, read.weights());
        assertThrows(FormatException.class, () -> NetworkFile.contents(path, model, Map.of(), true));

        // Another kind at a place, a tensor too many, or a map: then nothing is guessed.
        Files.write(path,
                torch(Form.STORED, weights, name -> name.equals("bn1.bias") ? "b.weight" : foreign.apply(name)));
        assertThrows(FormatException.class, () -> NetworkFile.read(path, model, Map.of()));
        Map<String, float[]> more = values(weights, foreign);
        more.put("head.bias", new float[10]);
        Map<String, long[]> shapes = new LinkedHashMap<>();
        model.parameters().forEach(parameter -> shapes.put(foreign.apply(parameter.name()), parameter.shape()));
        shapes.put("head.bias", new long[]{10});
        Files.write(path, TorchFiles.floats(Form.LEGACY, more, shapes));
        assertThrows(FormatException.class, () -> NetworkFile.read(path, model, Map.of()));
        Files.write(path, torch(Form.STORED, weights, foreign));
        Map<String, String> map = Map.of("conv1.weight", foreign.apply("conv1.weight"));
        assertThrows(FormatException.class, () -> NetworkFile.read(path, model, map));
        // A name that is known stands for its own tensor.
        Files.write(path, torch(Form.STORED, weights, name -> switch (name) {
            case "layer1.0.bn1.bias" -> "layer1.0.bn2.bias";
            case "layer1.0.bn2.bias" -> "layer1.0.bn1.bias";
            default -> foreign.apply(name);
        }));
        assertThrows(FormatException.class, () -> NetworkFile.read(path, model, Map.of()));
        // Safetensors stand in an order of their writer's.
        Path sorted = folder.resolve("sorted.safetensors");
        try (Region region = Region.confined("test")) {
            Safetensors.Writer writer = new Safetensors.Writer();
            weights.dense(region).forEach((name, tensor) -> writer.add(foreign.apply(name), tensor));
            writer.write(sorted);
        }
        assertThrows(FormatException.class, () -> NetworkFile.read(sorted, model, Map.of()));
    }

    @Test
    void archivesOfOtherThingsAreNamedByTheirEnding() throws IOException {
        for (String name : List.of("a.keras", "a.zip")) {
            Path path = folder.resolve(name);
            try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
                zip.putNextEntry(new ZipEntry("config.json"));
                zip.putNextEntry(new ZipEntry("a.npy"));
            }
            assertTrue(assertThrows(FormatException.class, () -> NetworkFile.read(path)).getMessage()
                    .contains(name.equals("a.zip") ? "neither a .pare" : "--keras"));
        }
        Path damaged = Files.write(folder.resolve("a.pth"), HexFormat.of().parseHex("504b030400000000"));
        String message = assertThrows(FormatException.class, () -> NetworkFile.read(damaged)).getMessage();
        assertTrue(message.startsWith(damaged + ": damaged ZIP file"), message);
    }

    @ParameterizedTest
    @CsvSource({"a.pth, 00, state_dict", "a.th, 80026a01, state_dict", "cifar, 80037d71, state_dict",
        "a.pt, 00, state_dict", "a.h5, 894844460d0a1a0a, --keras", "weights, 894844460d0a1a0a, --keras",
        "a.keras, 00, --keras", "a.tflite, 1c00000054464c33, --tflite", "a, 1c00000054464c33, --tflite",
        "saved_model.pb, 08011200, --saved-model", "frozen.pb, 0a0b0c, --graphdef",
        "a.npz, 00, numpy.savez", "a.npy, 934e554d5059, numpy.savez"})
    void filesOfOtherProgramsAreNamedWithWhatConvertsThem(String name, String start, String advice) throws IOException {
        Path file = Files.write(folder.resolve(name), Arrays.copyOf(HexFormat.of().parseHex(start), 100));
        for (Net model : new Net[]{null, Models.lenet5()}) {
            String message = assertThrows(FormatException.class, () -> NetworkFile.read(file, model, Map.of()))
                    .getMessage();
            assertTrue(message.startsWith(file + ": a file of ") && message.contains(advice), message);
        }
    }

    @Test
    void otherFilesAreRefused() throws IOException {
        Path text = Files.writeString(folder.resolve("a.txt"), "hello, world");
        assertTrue(assertThrows(FormatException.class, () -> NetworkFile.read(text)).getMessage()
                .contains("neither a .pare"));
        assertThrows(FormatException.class, () -> NetworkFile.read(folder));
        assertThrows(NoSuchFileException.class, () -> NetworkFile.read(folder.resolve("none")));
    }
}
