package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import io.pare.net.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArrayFilesTest {
    private static final Shape TAKEN = Shape.of(1, 28, 28);

    @TempDir
    Path folder;

    private final List<String> notes = new ArrayList<>();

    private Path file() {
        return folder.resolve("data.npz");
    }

    private Corpus load(Path place) {
        return ArrayFiles.load(place, TAKEN, Ending.NONE, null, notes::add);
    }

    @Test
    void pixelsByPartsLieAsPicturesDo() throws IOException {
        new Numpy().add("x_train", "u1", i -> i % 251, 30, 6, 5).add("y_train", "u1", i -> i % 3, 30)
                .add("x_test", "u1", i -> i % 7, 12, 6, 5).add("y_test", "i8", i -> i % 2, 12, 1)
                .add("names", "u1", i -> 0, 3).write(file());
        assertTrue(ArrayFiles.looksLike(file()));
        Corpus corpus = load(file());
        assertEquals("1x6x5", Shape.of(corpus.train().channels(), corpus.train().height(), corpus.train().width())
                .toString());
        assertEquals(3, corpus.test().classes());
        assertEquals((2 * 30 + 9) % 251, corpus.train().pixel(2, 9));
        assertEquals(1, corpus.test().label(3));
        assertEquals(InputScale.ofPhotographs(1), corpus.scale());
        assertNull(corpus.validation());
        assertEquals(List.of(), notes);
    }

    @Test
    void channelsMayStandInFrontOrBehind() throws IOException {
        new Numpy().add("images", "u1", i -> i % 256, 12, 3, 5, 4).add("labels", "u1", i -> i % 2, 12).write(file());
        Dataset first = load(file()).train();
        // Element [sample, channel, row, column] is that of [sample, row, column, channel].
        new Numpy().add("images", "u1", i -> {
            int sample = i / 60;
            int row = i % 60 / 12;
            int column = i % 12 / 3;
            return (sample * 60 + i % 3 * 20 + row * 4 + column) % 256;
        }, 12, 5, 4, 3).add("labels", "u1", i -> i % 2, 12).write(file());
        Dataset behind = load(file()).train();
        assertEquals(3, behind.channels());
        assertEquals(5, behind.height());
        assertEquals(first.fingerprint(), behind.fingerprint());
    }

    @Test
    void floatsAreInputsAsTheyAre() throws IOException {
        new Numpy().add("inputs", "f8", i -> i * 0.5 - 3, 20, 7).add("targets", "i8", i -> i % 4, 20)
                .add("val_x", "f4", i -> i, 5, 7).add("val_y", "i8", i -> i % 4, 5)
                .add("test_x", "f4", i -> i, 6, 7).add("test_y", "i8", i -> i % 4, 6).write(file());
        Corpus corpus = load(file());
        assertEquals(7, corpus.train().channels());
        assertFalse(corpus.train().pixels());
        assertEquals(5, corpus.validation().size());
        assertEquals(InputScale.UNIT, corpus.scale());
        try (Region region = Region.confined("batch");
                Batches batches = Batches.inOrder(corpus.train(), 2, InputScale.MNIST)) {
            FloatTensor values = region.tensor(2, 7);
            batches.next(values, region.allocate(8));
            assertEquals(9 * 0.5f - 3, values.get(9));
        }
    }

    @Test
    void aVectorIsWhatTheNetworkTakes() throws IOException {
        new Numpy().add("x", "u1", i -> i % 256, 12, 784).add("y", "u1", i -> i % 2, 12).write(file());
        assertEquals(28, load(file()).train().width());
        assertEquals(784, ArrayFiles.load(file(), Shape.of(784), Ending.NONE, null, notes::add).train().channels());
    }

    @Test
    void withoutATestPartAShareIsOneWhateverTheSeed() throws IOException {
        new Numpy().add("x", "f4", i -> i, 60, 2).add("y", "u1", i -> i % 2, 60).write(file());
        Corpus corpus = load(file());
        assertEquals(50, corpus.train().size());
        assertEquals(10, corpus.test().size());
        assertEquals(
                List.of(file() + " has no test part: 10 of its 60 samples are held back as one, whatever the seed"),
                notes);
        assertEquals(corpus.test().fingerprint(), load(file()).test().fingerprint());
    }

    @Test
    void foldersHoldAFileForEachPartOrArray() throws IOException {
        Path parts = Files.createDirectories(folder.resolve("parts"));
        for (String part : List.of("train", "val", "test")) {
            new Numpy().add("x", "f4", i -> i, 12, 2).add("y", "u1", i -> i % 2, 12)
                    .write(parts.resolve(part + ".npz"));
        }
        assertTrue(ArrayFiles.looksLike(parts));
        assertNotNull(load(parts).validation());
        Path arrays = Files.createDirectories(folder.resolve("arrays"));
        for (String part : List.of("train", "test")) {
            Files.write(arrays.resolve("X_" + part + ".npy"), Numpy.npy("f4", i -> i, 12, 2));
            Files.write(arrays.resolve("y_" + part + ".npy"), Numpy.npy("i8", i -> i % 3, 12));
        }
        assertTrue(ArrayFiles.looksLike(arrays));
        assertEquals(3, load(arrays).train().classes());
        assertFalse(ArrayFiles.looksLike(folder));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "x u1 12,3,8,3; y u1 12 | which does not say where channels, rows and columns are: reshape it to [12, 72]",
        "x f4 12,5,8,7; y u1 12 | which does not say where channels",
        "x f4 12,5,8,7,3; y u1 12 | which does not say where channels",
        "x f4 12,0; y u1 12 | it is empty",
        "x i8 12,4; y u1 12 | has type I64: inputs are pixels of type uint8 or values of type float32",
        "x f4 12,4; y u1 11 | has 11 labels: there must be one for each sample",
        "x f4 12,4; y f4 12,2,2 | may be for several tasks: give --task classify, multilabel or regress",
        "x f4 12,4; y u1 12,2 | and may be for several tasks",
        "x f4 12,4; y f4 12,2; x_test f4 3,4; y_test f4 3,1 | give all parts the same",
        "x f4 5,4; y u1 5 | has 5 samples, too few to hold some back",
        "x f4 12,4 | has no labels of the part train: it needs arrays such as x_train and y_train",
        "a f4 12,4; b u1 12 | has no inputs of the part train",
        "x f4 12,4; y u1 12; x_test f4 3,4 | has no labels of the part test",
        "x f4 12,4; y u1 12; inputs f4 12,4 | are the same of the part train: leave one out",
        "x f4 12,4; y u1 12; x_test f4 3,5; y_test u1 3 | give all parts the same",
        "x f4 12,4; y u1 12; x_test u1 3,4; y_test u1 3 | give all parts the same"})
    void whatDoesNotFitIsNamed(String arrays, String expected) throws IOException {
        Numpy file = new Numpy();
        for (String array : arrays.split("; ")) {
            String[] words = array.split(" ");
            int[] shape = List.of(words[2].split(",")).stream().mapToInt(Integer::parseInt).toArray();
            file.add(words[0], words[1], i -> i % 2, shape);
        }
        assertFails(expected, file.write(file()));
    }

    @Test
    void damagedFilesAndValuesAreNamed() throws IOException {
        new Numpy().add("x", "f4", i -> i == 17 ? Double.NaN : 0, 12, 4).add("y", "u1", i -> 0, 12).write(file());
        assertFails("array x holds NaN at 17: inputs must be finite", file());
        new Numpy().add("x", "f4", i -> 0, 12, 4).add("y", "i8", i -> -i, 12).write(file());
        assertFails("array y: label 1 is -1, classes go from 0 on", file());
        new Numpy().add("x", "f4", i -> 0, 12, 4).add("y", "i8", i -> i * 10_000, 12).write(file());
        assertFails("its labels are numbers up to 110000, and only 12 of them have samples", file());
        assertFails("data.npz", Files.writeString(file(), "no archive"));
        assertFails("is one array: give the folder", Files.write(folder.resolve("x.npy"), Numpy.npy("u1", i -> 0, 3)));
        assertFails("none.npz does not exist", folder.resolve("none.npz"));
    }

    private void assertFails(String expected, Path place) {
        String message = assertThrows(DataException.class, () -> load(place)).getMessage();
        assertTrue(message.contains(expected) && message.lines().count() == 1, message);
    }
}
