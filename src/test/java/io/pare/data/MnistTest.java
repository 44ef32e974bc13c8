package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.net.InputScale;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MnistTest {
    private static final String TRAIN_IMAGES = "train-images-idx3-ubyte";
    private static final String TRAIN_LABELS = "train-labels-idx1-ubyte";

    @TempDir
    Path folder;

    @Test
    void theEmbeddedFilesAreMnist() {
        assertTrue(Mnist.verify(null).stream().allMatch(Mnist.Check::genuine));
        Mnist mnist = Mnist.embedded();
        assertEquals(60_000, mnist.train().size());
        assertEquals(10_000, mnist.test().size());
        assertArrayEquals(new int[]{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}, mnist.test().classCounts());
        assertEquals(5, mnist.train().label(0));
        assertEquals(7, mnist.test().label(0));
    }

    @Test
    void theScaleOfMnistGivesMeanZeroAndDeviationOne() {
        Dataset train = Mnist.embedded().train();
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < train.size(); i++) {
            for (int p = 0; p < train.imageBytes(); p++) {
                double value = InputScale.MNIST.apply(0, train.pixel(i, p));
                sum += value;
                squares += value * value;
            }
        }
        double count = (double) train.size() * train.imageBytes();
        assertEquals(0, sum / count, 0.001);
        assertEquals(1, squares / count, 0.001);
    }

    @Test
    void aFolderMayMixPlainAndGzippedFiles() throws IOException {
        Mnist data = Mnist.load(IdxFiles.folder(folder, 30, 20));
        assertEquals(30, data.train().size());
        assertEquals(20, data.test().size());
        assertEquals(7, data.train().label(17));
        assertEquals((3 * 784 + 5) % 251, data.train().pixel(3, 5));
    }

    @Test
    void otherCommonNamesAndTorchvisionsFoldersAreFound() throws IOException {
        Path raw = IdxFiles.folder(folder.resolve("MNIST/raw"), 30, 20);
        Files.move(raw.resolve(TRAIN_IMAGES), raw.resolve("train-images.idx3-ubyte"));
        Files.move(raw.resolve("t10k-labels-idx1-ubyte.gz"), raw.resolve("test-labels-idx1-ubyte.gz"));
        assertEquals(30, Mnist.load(folder).train().size());
    }

    @Test
    void whatIsMissingIsNamed() throws IOException {
        assertFails(folder.resolve("none"), "none does not exist");
        assertFails(Files.createFile(folder.resolve("file")), "is no folder");
        IdxFiles.folder(folder, 30, 20);
        Files.delete(folder.resolve(TRAIN_LABELS));
        assertFails(folder, "has no " + TRAIN_LABELS);
    }

    @Test
    void wrongMagicsAreNamed() throws IOException {
        assertFails(with(TRAIN_IMAGES, "<html>404</html>".getBytes(StandardCharsets.UTF_8)), "begins with 3c 68 74 6d");
        assertFails(with(TRAIN_IMAGES, IdxFiles.idx(10, 30)), "images and labels are mixed up");
        byte[] floats = IdxFiles.idx(251, 30, 28, 28);
        floats[2] = 0x0d;
        assertFails(with(TRAIN_IMAGES, floats), "begins with 00 00 0d 03");
    }

    @Test
    void truncatedFilesAreNamed() throws IOException {
        byte[] whole = IdxFiles.idx(251, 30, 28, 28);
        for (int length : new int[]{3, 7, 15, 16, whole.length - 1}) {
            assertFails(with(TRAIN_IMAGES, Arrays.copyOf(whole, length)), "cut short");
        }
        assertFails(with(TRAIN_IMAGES, new byte[0]), "is empty: fetch it again");
        byte[] zipped = IdxFiles.gzip(whole);
        assertFails(with(TRAIN_IMAGES + ".gz", Arrays.copyOf(zipped, zipped.length / 2)), "cut short inside its gzip");
        assertFails(with(TRAIN_IMAGES + ".gz", IdxFiles.gzip(Arrays.copyOf(whole, 100))),
                "cut short: its header claims");
    }

    @Test
    void filesThatAreTooLongOrClaimTooMuchAreNamed() throws IOException {
        byte[] whole = IdxFiles.idx(251, 30, 28, 28);
        assertFails(with(TRAIN_IMAGES, Arrays.copyOf(whole, whole.length + 1)), "is longer than");
        byte[] huge = whole.clone();
        huge[5] = 1;
        assertFails(with(TRAIN_IMAGES, huge), "no more than " + huge.length + " can follow");
        assertFails(with(TRAIN_IMAGES + ".gz", IdxFiles.gzip(huge)), "can follow");
        huge[4] = 0x7f;
        assertFails(with(TRAIN_IMAGES, huge), "claims the shape");
        huge[4] = (byte) 0xff;
        assertFails(with(TRAIN_IMAGES, huge), "claims the shape");
        assertFails(with(TRAIN_IMAGES, IdxFiles.idx(1, 0, 28, 28)), "claims the shape [0]");
    }

    @Test
    void gzipThatIsNoneOrDamagedIsNamed() throws IOException {
        assertFails(with(TRAIN_IMAGES + ".gz", "not found".getBytes(StandardCharsets.UTF_8)), "is no gzip file");
        assertFails(with(TRAIN_IMAGES + ".gz", new byte[0]), "is no gzip file");
        byte[] zipped = IdxFiles.gzip(IdxFiles.idx(251, 30, 28, 28));
        zipped[zipped.length - 6] ^= 1;
        assertFails(with(TRAIN_IMAGES + ".gz", zipped), "is damaged");
    }

    @Test
    void labelsOutOfRangeAreNamed() throws IOException {
        assertFails(with(TRAIN_LABELS, IdxFiles.idx(11, 30)), "label 10 is 10, labels go from 0 to 9");
    }

    @Test
    void countsThatDifferAreNamed() throws IOException {
        assertFails(with(TRAIN_LABELS, IdxFiles.idx(10, 29)), "has 30 images and 29 labels");
    }

    @Test
    void imagesOfAnotherSizeAreNamed() throws IOException {
        assertFails(with(TRAIN_IMAGES, IdxFiles.idx(251, 30, 32, 32)), "images of 32x32, needed are 28x28");
    }

    @Test
    void verifyTellsWhatIsNotMnist() throws IOException {
        assertTrue(Mnist.verify(IdxFiles.folder(folder, 30, 20)).stream().noneMatch(Mnist.Check::genuine));
    }

    @Test
    void aSheetShowsTheImages() throws IOException {
        Dataset train = Mnist.load(IdxFiles.folder(folder, 30, 20)).train();
        Path png = folder.resolve("sheet.png");
        Sheet.write(png, train, 2, 3);
        BufferedImage sheet = ImageIO.read(png.toFile());
        assertEquals(3 * 30 + 2, sheet.getWidth());
        assertEquals(2 * 30 + 2, sheet.getHeight());
        int grey = train.pixel(4, 28 + 3);
        assertEquals(grey << 16 | grey << 8 | grey, sheet.getRGB(32 + 3, 32 + 1) & 0xffffff);
    }

    /** A folder that is good but for one file. */
    private Path with(String name, byte[] content) throws IOException {
        Path bad = IdxFiles.folder(Files.createTempDirectory(folder, "bad"), 30, 20);
        Files.deleteIfExists(bad.resolve(name.replace(".gz", "")));
        Files.write(bad.resolve(name), content);
        return bad;
    }

    private static void assertFails(Path data, String expected) {
        String message = assertThrows(DataException.class, () -> Mnist.load(data)).getMessage();
        assertTrue(message.contains(expected), message);
        assertTrue(message.contains(data.toString()), message);
    }
}
