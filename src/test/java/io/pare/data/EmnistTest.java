package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmnistTest {
    @TempDir
    Path folder;

    @Test
    void imagesStandUprightAndLettersBeginWithA() throws IOException {
        write(folder, "letters", 26, 1, 60);
        assertTrue(Emnist.looksLike(folder));
        Corpus letters = Emnist.load(folder);
        assertEquals(26, letters.train().classes());
        assertEquals("EMNIST letters", letters.name());
        assertEquals("C", letters.classNames().get(letters.train().label(2)));
        byte[] stored = IdxFiles.idx(251, 60, 28, 28);
        int head = 16;
        assertEquals(stored[head + 3 * 784 + 5 * 28 + 9] & 0xff, letters.train().pixel(3, 9 * 28 + 5));
        assertEquals(stored[head + 3 * 784 + 6 * 28 + 6] & 0xff, letters.train().pixel(3, 6 * 28 + 6));
    }

    @Test
    void classesAreAsManyAsTheLabelsHave() throws IOException {
        Path raw = Files.createDirectories(folder.resolve("EMNIST/raw"));
        write(raw, "balanced", 47, 0, 60);
        Corpus balanced = Emnist.load(folder);
        assertEquals(47, balanced.test().classes());
        assertEquals("t", balanced.classNames().get(46));
        assertEquals(5, balanced.train().label(5));
    }

    @Test
    void ofSeveralSetsOneIsNamedByItsTrainingImages() throws IOException {
        write(folder, "digits", 10, 0, 20);
        write(folder, "mnist", 10, 0, 30);
        assertFails(folder, "holds EMNIST's sets digits, mnist: choose one by its training images, --data "
                + folder.resolve("emnist-digits-train-images-idx3-ubyte.gz"));
        Path chosen = folder.resolve("emnist-mnist-train-images-idx3-ubyte.gz");
        assertTrue(Emnist.looksLike(chosen));
        assertEquals(30, Emnist.load(chosen).train().size());
    }

    @Test
    void whatIsMissingOrOfAnotherSizeIsNamed() throws IOException {
        assertFalse(Emnist.looksLike(folder));
        assertFails(folder, "has no files of EMNIST");
        assertFails(folder.resolve("none"), "none does not exist");
        assertFails(Files.writeString(folder.resolve("other"), "x"), "other is no file of EMNIST's training images");
        write(folder, "digits", 10, 0, 20);
        Path labels = folder.resolve("emnist-digits-test-labels-idx1-ubyte");
        Files.delete(labels);
        assertFails(folder, "has no emnist-digits-test-labels-idx1-ubyte, gzipped or not");
        Files.write(labels, IdxFiles.idx(10, 7));
        assertFails(folder, "has 20 images and 7 labels");
        Files.write(folder.resolve("emnist-digits-train-images-idx3-ubyte.gz"), IdxFiles.idx(9, 20, 27, 28));
        assertFails(folder, "has images of 27x28, needed are 28x28");
    }

    private static void write(Path folder, String set, int classes, int first, int count) throws IOException {
        for (String part : List.of("train", "test")) {
            Files.write(folder.resolve("emnist-" + set + "-" + part + "-images-idx3-ubyte.gz"),
                    IdxFiles.gzip(IdxFiles.idx(251, count, 28, 28)));
            byte[] labels = IdxFiles.idx(classes, count);
            for (int i = 8; i < labels.length; i++) {
                labels[i] += (byte) first;
            }
            Files.write(folder.resolve("emnist-" + set + "-" + part + "-labels-idx1-ubyte"), labels);
        }
    }

    private static void assertFails(Path place, String expected) {
        String message = assertThrows(DataException.class, () -> Emnist.load(place)).getMessage();
        assertTrue(message.contains(expected), message);
    }
}
