package io.pare.format.pare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Parameter;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Networks that come in layers, each of more values than the one before. */
class ProgressiveFileTest {
    private static final Net NET = new NetBuilder("digits", Shape.of(1, 8, 8)).conv("conv1", 6, 3, 1, 0, true)
            .relu("relu1").flatten("flatten").linear("fc1", 20).relu("relu2").linear("fc2", 10).build();
    private static final int HEAD = 6;

    @TempDir
    Path folder;

    private static CompressedWeights weights(int levels) {
        return PrunedNets.of(NET, Map.of("conv1.weight", 40, "fc1.weight", 1200, "fc2.weight", 200), levels, 0.5, 3);
    }

    private static List<CompressedWeights> layers(byte[] file) throws IOException {
        List<CompressedWeights> layers = new ArrayList<>();
        ProgressiveFile reading = new ProgressiveFile(new ByteArrayInputStream(file));
        for (CompressedWeights next = reading.next(); next != null; next = reading.next()) {
            layers.add(next);
            assertEquals(layers.size(), reading.layersRead());
        }
        assertNull(reading.next());
        assertEquals(layers.size(), reading.layers());
        return layers;
    }

    private static double error(CompressedTensor tensor, CompressedTensor of) {
        double error = 0;
        for (int i = 0; i < tensor.nonzeros(); i++) {
            assertEquals(of.position(i), tensor.position(i));
            error += Math.pow(tensor.value(i) - of.value(i), 2);
        }
        return error;
    }

    @Test
    void eachLayerIsANetworkThatIsNearerToTheLast() throws IOException {
        for (int levels : new int[]{6, 8, 16, 30}) {
            CompressedWeights weights = weights(levels);
            List<CompressedWeights> layers = layers(ProgressiveFile.encode(weights));
            assertEquals(weights.tensor("fc1.weight").bitsPerValue() - 1, layers.size());
            double before = Double.POSITIVE_INFINITY;
            for (int layer = 0; layer < layers.size(); layer++) {
                double error = 0;
                for (Parameter parameter : NET.parameters()) {
                    CompressedTensor tensor = layers.get(layer).tensor(parameter.name());
                    CompressedTensor last = weights.tensor(parameter.name());
                    assertEquals(last.nonzeros(), tensor.nonzeros());
                    error += error(tensor, last);
                    assertTrue(!parameter.weight() || tensor.codebook().length <= 4 << layer, tensor.toString());
                }
                assertTrue(error < before, "layer " + layer + ": " + error + " after " + before);
                before = error;
            }
            assertEquals(0, before);
            PrunedNets.assertSame(weights, layers.getLast());
        }
    }

    @Test
    void coarserWordsAreThoseOfLeastError() {
        CompressedTensor tensor = CompressedTensor.of(
                new float[]{-3, -3, -1, -1, 0, 1, 1, 1.25f, 1.25f, 2, 2, 2.5f, 2.5f, 0, 1, 1}, 16);
        Nesting nesting = Nesting.of(tensor, 4);
        assertEquals("[1, 1, 2, 2]", Arrays.toString(nesting.children()));
        assertEquals(-3, nesting.coarse()[0]);
        assertEquals((4 * 1 + 2 * 1.25) / 6, nesting.coarse()[2], 4e-3);
        assertEquals(2.25f, nesting.coarse()[3]);
        Nesting two = Nesting.of(tensor, 2);
        assertEquals("[2, 4]", Arrays.toString(two.children()), "no word stands for both signs");
    }

    @Test
    void allOfItIsReadLikeAnyFileAndIsLittleLarger() throws IOException {
        Net net = new NetBuilder("wide", Shape.of(1, 10, 10)).flatten("flatten").linear("fc1", 60).relu("relu1")
                .linear("fc2", 10).build();
        CompressedWeights weights = PrunedNets.of(net, Map.of("fc1.weight", 3000), 16, 0.5, 3);
        Path path = folder.resolve("wide.pare");
        ProgressiveFile.write(path, weights);
        PrunedNets.assertSame(weights, PareFile.read(path));
        try (InputStream stream = Files.newInputStream(path)) {
            PrunedNets.assertSame(weights, PareFile.read(stream));
        }
        assertEquals(Map.of(), PareFile.provenance(path));
        byte[] file = Files.readAllBytes(path);
        int largest = layers(file).stream().mapToInt(layer -> PareFile.encode(layer).length).max().orElseThrow();
        assertTrue(file.length <= 1.1 * largest, file.length + " bytes, the largest of separate ones has " + largest);
    }

    @Test
    void whatIsCutOffLeavesTheLayersBefore() throws IOException {
        byte[] file = ProgressiveFile.encode(weights(16));
        List<CompressedWeights> whole = layers(file);
        int[] ends = ends(file);
        for (int length = 0; length < file.length; length += length < HEAD ? 1 : 7) {
            ProgressiveFile reading = new ProgressiveFile(new ByteArrayInputStream(file, 0, length));
            for (int layer = 0; layer < ends.length && length >= ends[layer]; layer++) {
                PrunedNets.assertSame(whole.get(layer), reading.next());
            }
            String said = assertThrows(FormatException.class, reading::next).getMessage();
            assertTrue(said.length() < 100 && said.lines().count() == 1, said);
            byte[] part = Arrays.copyOf(file, length);
            assertThrows(FormatException.class, () -> PareFile.decode(part));
        }
    }

    /** Where each layer ends. */
    private static int[] ends(byte[] file) {
        int[] ends = new int[file[HEAD - 1]];
        int at = HEAD;
        for (int layer = 0; layer < ends.length; layer++) {
            at += 2 * Integer.BYTES + ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(at);
            ends[layer] = at;
        }
        assertEquals(file.length, at);
        return ends;
    }

    @Test
    void everyChangedByteIsNoticed() {
        byte[] file = ProgressiveFile.encode(weights(16));
        for (int i = 0; i < file.length; i++) {
            byte[] damaged = file.clone();
            damaged[i] ^= 0x10;
            assertThrows(FormatException.class, () -> PareFile.decode(damaged), "byte " + i);
        }
        byte[] longer = Arrays.copyOf(file, file.length + 1);
        assertThrows(FormatException.class, () -> PareFile.decode(longer));
    }

    @Test
    void damageUnderARightChecksumGivesANetworkOrOneLine() {
        byte[] file = ProgressiveFile.encode(weights(16));
        int[] ends = ends(file);
        SplittableRandom random = new SplittableRandom(5);
        int refused = 0;
        for (int i = 0; i < 400; i++) {
            byte[] damaged = file.clone();
            int layer = 1 + i % 2;
            int from = ends[layer - 1];
            int end = ends[layer] - Integer.BYTES;
            for (int change = 0; change <= i % 3; change++) {
                int at = from + Integer.BYTES + (i < 200 ? random.nextInt(24) : random.nextInt(end - from - 4));
                damaged[at] = (byte) random.nextInt();
            }
            CRC32C crc = new CRC32C();
            crc.update(damaged, from, end - from);
            ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putInt(end, (int) crc.getValue());
            try {
                assertEquals(NET, PareFile.decode(damaged).model());
            } catch (FormatException e) {
                assertEquals(1, e.getMessage().lines().count(), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > 20 && refused < 400, refused + " of 400 were refused");
    }

    @Test
    void whatHasNoLayersIsRefused() {
        for (int levels : new int[]{4, 0}) {
            String said = assertThrows(IllegalArgumentException.class, () -> ProgressiveFile.encode(weights(levels)))
                    .getMessage();
            assertTrue(said.contains("more than 4 values"), said);
        }
        ProgressiveFile ordinary = new ProgressiveFile(new ByteArrayInputStream(PareFile.encode(weights(8))));
        assertSame(FormatException.class, assertThrows(FormatException.class, ordinary::next).getClass());
    }
}
