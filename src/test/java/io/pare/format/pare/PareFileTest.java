package io.pare.format.pare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.mem.FloatTensor;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.GroupScales;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.Conv2d;
import io.pare.net.Parameter;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import io.pare.net.Window;
import io.pare.rewrite.BatchNormFolding;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PareFileTest {
    private static final Net SMALL = new NetBuilder("small", Shape.of(3, 9, 8))
            .add("conv1", new Conv2d(3, 6, Window.uniform(3, 2, 2, 1, 1), 3, true)).relu("relu1")
            .add("mean", AvgPool.of(2, 1, 1))
            .flatten("flatten").dropout("drop1", 0.25f).linear("head", 7).build();

    private static final CompressedWeights LENET5 = PrunedNets.lenet5(PrunedNets.KEPT_167X, 3, 1, 2);
    /** Its file: the search for the shortest takes longer than what is done to it. */
    private static byte[] encoded;

    @BeforeAll
    static void encoded() {
        encoded = PareFile.encode(LENET5);
    }

    /** A file with whole levels, and words that are none. */
    static byte[] scaled() {
        Net net = new NetBuilder("levels", Shape.of(9)).linear("fc1", 8).linear("fc2", 6).build();
        Map<String, CompressedTensor> tensors = new HashMap<>();
        for (Parameter parameter : net.parameters()) {
            float[] values = new float[(int) parameter.count()];
            boolean half = parameter.name().equals("fc2.weight");
            for (int i = 0; i < values.length; i++) {
                values[i] = (i % 5 - 2) * (half ? 0.75f : 0.5f);
            }
            float[] scales = new float[(values.length + 3) / 4];
            Arrays.fill(scales, 0.5f);
            CompressedTensor plain = CompressedTensor.of(values, parameter.shape());
            tensors.put(parameter.name(), !parameter.weight() ? plain
                    : plain.scaled(half ? new float[]{-3, -1.5f, 1.5f, 3} : new float[]{-2, -1, 1, 2},
                            new GroupScales(4, scales)));
        }
        return PareFile.encode(new CompressedWeights(net, tensors, InputScale.UNIT));
    }

    /** Levels of a matrix, some rows and columns larger than others; the second row is empty, and few levels are large. */
    static byte[] levels(int rows, int columns, double spread) {
        Random random = new Random(rows);
        byte[] levels = new byte[rows * columns];
        for (int i = 0; i < levels.length; i++) {
            double size = spread * (1 + i / columns % 7) / 4 * (i % columns % 5 == 0 ? 2 : 1);
            double drawn = random.nextInt(2000) == 0 ? 100 * random.nextDouble() : size * random.nextGaussian();
            levels[i] = (byte) (i / columns == 1 ? 0 : Math.clamp(Math.round(drawn), -127, 127));
        }
        return levels;
    }

    static byte[] tables(int rows, int columns, double spread) {
        Net net = new NetBuilder("tables", Shape.of(columns)).linear("fc1", rows).build();
        float[] scales = new float[rows];
        Arrays.fill(scales, 0.75f);
        return PareFile.encode(new CompressedWeights(net,
                Map.of("fc1.weight",
                        CompressedTensor.ofLevels(new long[]{rows, columns}, levels(rows, columns, spread),
                                new GroupScales(columns, scales)),
                        "fc1.bias", CompressedTensor.of(new float[rows], rows)),
                InputScale.UNIT));
    }

    @ParameterizedTest
    @CsvSource({"300, 120, 1", "1100, 33, 0.3", "1000, 35, 3", "1024, 32, 60", "6000, 38, 2", "40, 1000, 0.25"})
    void levelsOfLargeMatricesComeBackAndTakeAboutTheirEntropy(int rows, int columns, double spread) {
        byte[] levels = levels(rows, columns, spread);
        byte[] file = tables(rows, columns, spread);
        assertEquals(4, file[4], "the version");
        CompressedWeights back = PareFile.decode(file);
        float[] values = back.tensor("fc1.weight").toArray();
        int[] counts = new int[256];
        for (int i = 0; i < levels.length; i++) {
            assertEquals(levels[i] * 0.75f, values[i]);
            counts[levels[i] + 128]++;
        }
        assertArrayEquals(file, PareFile.encode(back), "same weights, same bytes");
        double bits = Arrays.stream(counts).filter(count -> count > 0)
                .mapToDouble(count -> -count * Math.log((double) count / levels.length) / Math.log(2)).sum();
        assertTrue(file.length < (spread > 10 ? 1.02 : 0.99) * bits / 8 + 1000,
                file.length + " bytes, entropy " + bits / 8);
        PareFile.Sizes sizes = PareFile.sizes(back);
        assertEquals(file.length,
                sizes.header() + sizes.positions() + sizes.codes() + sizes.codebooks() + sizes.biases(), 1e-6);
    }

    /** Version 3 wrote the levels of matrices of any size decision by decision. */
    @Test
    void filesWithoutTablesAreStillRead() throws IOException {
        byte[] file;
        try (InputStream in = PareFileTest.class.getResourceAsStream("/io/pare/golden/v3/levels.pare")) {
            file = in.readAllBytes();
        }
        assertEquals(3, file[4], "the version");
        assertArrayEquals(PareFile.decode(tables(1024, 32, 0.25)).tensor("fc1.weight").toArray(),
                PareFile.decode(file).tensor("fc1.weight").toArray());
    }

    @Test
    void streamsThatDoNotEndWhereTheyShouldAreRefused() {
        byte[] file = tables(300, 120, 0.2);
        int refused = 0;
        for (int at = 5; at < file.length - 4; at += 13) {
            byte[] damaged = file.clone();
            damaged[at] ^= 16;
            try {
                PareFile.decode(reseal(damaged));
            } catch (FormatException e) {
                refused++;
            }
        }
        // A bias or a name may be another one.
        assertTrue(refused > 0.9 * (file.length - 9) / 13, refused + " of " + (file.length - 9) / 13);
        byte[] endless = file.clone();
        endless[8] = 1;
        assertTrue(assertThrows(FormatException.class, () -> PareFile.decode(reseal(endless))).getMessage()
                .contains("do not end"));
    }

    static byte[] reseal(byte[] file) {
        CRC32C crc = new CRC32C();
        crc.update(file, 0, file.length - 4);
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(file.length - 4, (int) crc.getValue());
        return file;
    }

    @ParameterizedTest
    @CsvSource({"4, 0", "4, 1.2", "0, 0.7", "1, 0", "40, 2", "300, 1"})
    void lenet5ComesBackBitForBit(int levels, double spread) {
        CompressedWeights weights = PrunedNets.lenet5(PrunedNets.KEPT_167X, levels, spread, 7);
        byte[] file = PareFile.encode(weights);
        PrunedNets.assertSame(weights, PareFile.decode(file));
        assertArrayEquals(file, PareFile.encode(PareFile.decode(file)), "same weights, same bytes");
        PareFile.Sizes sizes = PareFile.sizes(weights);
        assertEquals(file.length,
                sizes.header() + sizes.positions() + sizes.codes() + sizes.codebooks() + sizes.biases(), 1e-6);
    }

    @ParameterizedTest
    @CsvSource({"30, 0", "30, 0.4", "10, 0", "10, 0.9", "4, 0.4", "1, 0.2", "300, 0"})
    void scaledWordsComeBackAsSuch(int size, double zeros) {
        Net net = new NetBuilder("scaled", Shape.of(30)).linear("fc1", 40).build();
        Random random = new Random(size);
        float[] scales = new float[(1200 + size - 1) / size];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = (16 + random.nextInt(16)) / 64f;
        }
        float[] words = {-2.3f, -0.7f, 0.1f, 0.9f, 3.3f};
        float[] values = new float[1200];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextDouble() < zeros ? 0 : words[random.nextInt(5)] * scales[i / size];
        }
        CompressedTensor plain = CompressedTensor.of(values, 40, 30);
        CompressedTensor scaled = plain.scaled(words, new GroupScales(size, scales));
        assertTrue(scaled.isScaled() && !scaled.isCoded() && scaled.sameAs(plain));
        byte[] file = PareFile.encode(new CompressedWeights(net,
                Map.of("fc1.weight", scaled, "fc1.bias", CompressedTensor.of(new float[40], 40)), InputScale.UNIT));
        assertEquals(3, file[4], "the version");
        CompressedTensor back = PareFile.decode(file).tensor("fc1.weight");
        assertTrue(back.isScaled() && back.sameAs(plain));
        assertArrayEquals(words, back.codebook());
        assertArrayEquals(values, back.toArray());
        // Codes of five words, flags of zeros, and a byte or so for each scale.
        assertTrue(file.length < 1200 * (2.4 + 1) / 8 + scales.length * 10 / 8.0 + 60, file.length + " bytes");
    }

    @ParameterizedTest
    @CsvSource({"30, 1.5, 1", "30, 0.3, 1", "7, 4, 1", "30, 40, 3", "1200, 2, 1", "30, 3, 0"})
    void wholeLevelsComeBackAndTakeAboutTheirEntropy(int size, double spread, int scales) {
        Net net = new NetBuilder("levels", Shape.of(30)).linear("fc1", 400).build();
        Random random = new Random(size);
        float[] of = new float[(12000 + size - 1) / size];
        for (int i = 0; i < of.length; i++) {
            of[i] = scales == 0 ? 0.75f : (16 + random.nextInt(16)) / 64f;
        }
        float[] values = new float[12000];
        int[] counts = new int[255];
        for (int i = 0; i < values.length; i++) {
            int level = Math.clamp(Math.round((float) (spread * random.nextGaussian())), -127, 127);
            counts[level + 127]++;
            values[i] = level * of[i / size];
        }
        float[] words = new float[254];
        for (int i = 0; i < 254; i++) {
            words[i] = i < 127 ? i - 127 : i - 126;
        }
        CompressedTensor plain = CompressedTensor.of(values, 400, 30);
        CompressedTensor scaled = plain.scaled(words, new GroupScales(size, of));
        Map<String, CompressedTensor> tensors = new HashMap<>(
                Map.of("fc1.weight", scaled, "fc1.bias", CompressedTensor.of(new float[400], 400)));
        byte[] file = PareFile.encode(new CompressedWeights(net, tensors, InputScale.UNIT));
        CompressedTensor back = PareFile.decode(file).tensor("fc1.weight");
        assertTrue(back.isScaled() && back.sameAs(plain));
        assertArrayEquals(values, back.toArray());
        tensors.put("fc1.weight", back);
        assertArrayEquals(file, PareFile.encode(new CompressedWeights(net, tensors, InputScale.UNIT)));
        double bits = Arrays.stream(counts).filter(count -> count > 0)
                .mapToDouble(count -> -count * Math.log(count / 12000.0) / Math.log(2)).sum();
        double ofScales = scales == 0 ? 0 : of.length * 0.8;
        // Levels of thirty or more are rare in what is made small; they take a tenth more than need be.
        assertTrue(file.length < (spread > 10 ? 1.15 : 1.04) * bits / 8 + ofScales + 100,
                file.length + " bytes, entropy " + bits / 8);
    }

    @Test
    void valuesOffTheScaledWordsAreNotCalledScaled() {
        CompressedTensor plain = CompressedTensor.of(new float[]{1, 2, 3, 4.5f}, 2, 2);
        assertNull(plain.scaled(new float[]{1, 2}, new GroupScales(2, new float[]{1, 2})));
    }

    @Test
    void positionsStayCloseToTheEntropyBoundWhenNothingIsStructured() {
        PareFile.Sizes sizes = PareFile.sizes(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 0, 3));
        double bound = sizes.tensors().values().stream().mapToDouble(PareFile.TensorSizes::positionBound).sum();
        assertTrue(sizes.positions() <= 1.03 * bound, sizes.positions() + " bytes, bound " + bound);
    }

    @Test
    void structureMakesPositionsCheaperThanTheBound() {
        PareFile.Sizes sizes = PareFile.sizes(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1.5, 3));
        double bound = sizes.tensors().values().stream().mapToDouble(PareFile.TensorSizes::positionBound).sum();
        assertTrue(sizes.positions() <= 0.8 * bound, sizes.positions() + " bytes, bound " + bound);
    }

    @Test
    void unusualLayersAndDenseTensorsComeBack() {
        for (int levels : new int[]{0, 2, 9}) {
            CompressedWeights weights = PrunedNets.of(SMALL, Map.of("conv1.weight", 20), levels, 0.5, 5);
            PrunedNets.assertSame(weights, PareFile.decode(PareFile.encode(weights)));
        }
    }

    @Test
    void normalizationsAndResidualBlocksComeBack() {
        for (int levels : new int[]{0, 4}) {
            CompressedWeights weights = PrunedNets.of(PrunedNets.RESIDUAL, Map.of("conv5.weight", 60), levels, 1, 3);
            PrunedNets.assertSame(weights, PareFile.decode(PareFile.encode(weights)));
            CompressedWeights folded = BatchNormFolding.fold(weights);
            PrunedNets.assertSame(folded, PareFile.decode(PareFile.encode(folded)));
        }
        CompressedWeights resnet = PrunedNets.of(Models.byName("resnet20"), Map.of(), 0, 0, 4);
        PrunedNets.assertSame(resnet, PareFile.decode(PareFile.encode(resnet)));
    }

    @Test
    void emptyAndFullNetworksComeBack() {
        for (Net model : List.of(SMALL, Models.lenet5(), Models.lenet300(), Models.lenet5Relu())) {
            Map<String, Integer> none = new HashMap<>();
            model.parameters().forEach(p -> none.put(p.name(), 0));
            CompressedWeights empty = PrunedNets.of(model, none, 3, 0, 1);
            PrunedNets.assertSame(empty, PareFile.decode(PareFile.encode(empty)));
            CompressedWeights full = PrunedNets.of(model, Map.of(), 0, 0, 1);
            byte[] file = PareFile.encode(full);
            PrunedNets.assertSame(full, PareFile.decode(file));
            assertTrue(file.length < 4.01 * model.parameters().stream().mapToLong(Parameter::count).sum());
        }
    }

    @Test
    void weightsOfUnneededRowsAreKeptUnlessTheyAreZero() {
        CompressedWeights weights = PrunedNets.lenet5(Map.of("conv1.weight", 30, "conv2.weight", 40, "fc1.weight",
                3000, "fc2.weight", 4), 4, 0, 9);
        PrunedNets.assertSame(weights, PareFile.decode(PareFile.encode(weights)));
    }

    @Test
    void largeTensorsAreCodedByGaps() {
        Net wide = new NetBuilder("wide", Shape.of(1, 64, 64)).flatten("flatten").linear("fc1", 1500).build();
        CompressedWeights weights = PrunedNets.of(wide, Map.of("fc1.weight", 20_000), 4, 0, 2);
        byte[] file = PareFile.encode(weights);
        PrunedNets.assertSame(weights, PareFile.decode(file));
        PareFile.TensorSizes sizes = PareFile.sizes(weights).tensors().get("fc1.weight");
        assertTrue(sizes.positions() < 1.03 * sizes.positionBound(), sizes.toString());
    }

    @Test
    void scaleOfInputsAndRoundedBiasesComeBack() {
        CompressedWeights weights = LENET5;
        CompressedWeights scaled = new CompressedWeights(weights.model(), weights.tensors(),
                new InputScale(0.1307f, 0.3081f));
        PrunedNets.assertSame(scaled, PareFile.decode(PareFile.encode(scaled)));
    }

    @Test
    void multiplesOfAStepTakeFewerBitsThanFloats() {
        Net net = new NetBuilder("biases", Shape.of(10)).linear("fc1", 500).build();
        for (float step : new float[]{0.25f, 0.1f, -0.1f}) {
            Map<String, CompressedTensor> tensors = new HashMap<>(PrunedNets.of(net, Map.of(), 4, 0, 3).tensors());
            float[] biases = new float[500];
            for (int i = 0; i < biases.length; i++) {
                biases[i] = step * (i % 91 - 45);
            }
            tensors.put("fc1.bias", CompressedTensor.of(biases, 500));
            CompressedWeights weights = new CompressedWeights(net, tensors, InputScale.MNIST);
            PrunedNets.assertSame(weights, PareFile.decode(PareFile.encode(weights)));
            double bytes = PareFile.sizes(weights).tensors().get("fc1.bias").total();
            assertTrue(bytes < 500 * 7.5 / 8, bytes + " bytes");
        }
    }

    @Test
    void numbersThatAreNotFiniteAreRefusedAndMinusZeroIsZero() {
        assertThrows(IllegalArgumentException.class, () -> CompressedTensor.of(new float[]{1, Float.NaN}, 2));
        CompressedTensor tensor = CompressedTensor.of(new float[]{1, -0f, Float.MIN_VALUE, -Float.MAX_VALUE}, 4);
        assertEquals(3, tensor.nonzeros());
        assertEquals(0, Float.floatToRawIntBits(tensor.toArray()[1]));
    }

    @Test
    void damageIsNamed(@TempDir Path folder) throws IOException {
        Path path = Files.write(folder.resolve("net.pare"), encoded);
        PrunedNets.assertSame(LENET5, PareFile.read(path));
        byte[] file = encoded;
        for (int length = 0; length < file.length; length += length < 20 ? 1 : 97) {
            byte[] cut = Arrays.copyOf(file, length);
            assertThrows(FormatException.class, () -> PareFile.decode(cut), "cut to " + length);
        }
        for (int bit = 0; bit < file.length * 8; bit += 61) {
            byte[] flipped = file.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            assertThrows(FormatException.class, () -> PareFile.decode(flipped), "bit " + bit);
        }
        byte[] newer = file.clone();
        newer[4] = 9;
        assertTrue(assertThrows(FormatException.class, () -> PareFile.decode(reseal(newer))).getMessage()
                .contains("version 9"));
        Files.write(path, new byte[]{'P', 'K', 3, 4});
        assertTrue(assertThrows(FormatException.class, () -> PareFile.read(path)).getMessage()
                .startsWith(path + ": not a .pare file"));
    }

    @Test
    void aNoteOfHowItWasMadeComesBackAndChangesNothingElse(@TempDir Path folder) throws IOException {
        CompressedWeights weights = LENET5;
        Path plain = Files.write(folder.resolve("plain.pare"), encoded);
        Path noted = folder.resolve("noted.pare");
        Map<String, String> note = new LinkedHashMap<>();
        note.put("recipe", "lenet5-joint");
        note.put("data", "Zürich: 28x28");
        PareFile.write(noted, weights, note);
        assertEquals(List.copyOf(note.entrySet()), List.copyOf(PareFile.provenance(noted).entrySet()));
        assertEquals(Map.of(), PareFile.provenance(plain));
        PrunedNets.assertSame(weights, PareFile.read(noted));
        byte[] file = Files.readAllBytes(noted);
        int bytes = "recipe: lenet5-joint\ndata: Zürich: 28x28\n".getBytes(StandardCharsets.UTF_8).length;
        assertEquals(Files.size(plain) + 2 + bytes, file.length);

        byte[] endless = file.clone();
        endless[5] = (byte) 0xff;
        endless[6] = (byte) 0xff;
        assertTrue(assertThrows(FormatException.class, () -> PareFile.decode(reseal(endless))).getMessage()
                .contains("does not end"));
        assertDamaged(noted, file, 7, 0xff, "not UTF-8");
        assertDamaged(noted, file, 7, '\t', "without a name");
        assertDamaged(noted, file, 13, ';', "without a name");
        for (String name : List.of("", "a:b", "a\nb")) {
            assertThrows(IllegalArgumentException.class, () -> PareFile.write(plain, weights, Map.of(name, "x")));
        }
        assertThrows(IllegalArgumentException.class, () -> PareFile.write(plain, weights, Map.of("x", "a\nb")));
        assertThrows(IllegalArgumentException.class,
                () -> PareFile.write(plain, weights, Map.of("x", "a".repeat(1 << 16))));
    }

    private static void assertDamaged(Path path, byte[] file, int at, int value, String message) throws IOException {
        byte[] damaged = file.clone();
        damaged[at] = (byte) value;
        Files.write(path, reseal(damaged));
        String said = assertThrows(FormatException.class, () -> PareFile.provenance(path)).getMessage();
        assertTrue(said.startsWith(path + ": damaged") && said.contains(message), said);
    }

    @Test
    void payloadsWithAValidChecksumNeverBreakTheReader() {
        byte[] file = encoded;
        Random random = new Random(11);
        int refused = 0;
        for (int i = 0; i < 300; i++) {
            byte[] broken = file.clone();
            for (int j = random.nextInt(4); j >= 0; j--) {
                broken[5 + random.nextInt(broken.length - 9)] = (byte) random.nextInt();
            }
            try {
                PareFile.decode(reseal(broken));
            } catch (FormatException e) {
                refused++;
            }
        }
        assertTrue(refused > 0);
    }

    @Test
    void tensorsMustFitTheModel() {
        Map<String, CompressedTensor> tensors = new HashMap<>(
                LENET5.tensors());
        tensors.put("fc2.bias", CompressedTensor.of(new float[9], 9));
        assertTrue(assertThrows(IllegalArgumentException.class,
                () -> new CompressedWeights(Models.lenet5(), tensors, InputScale.UNIT)).getMessage()
                .contains("fc2.bias"));
        tensors.remove("fc2.bias");
        assertThrows(IllegalArgumentException.class,
                () -> new CompressedWeights(Models.lenet5(), tensors, InputScale.UNIT));
        assertEquals(10, FloatTensor.count(10));
    }
}
