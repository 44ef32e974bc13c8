package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pare.net.InputScale;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFolderTest {
    private static final ImageFolder.Shape SHAPE = new ImageFolder.Shape(3, 32, 32, 0);

    @TempDir
    Path folder;

    @Test
    void picturesOfTheInputsSizeAreKeptInMemoryBitForBit() throws IOException {
        Corpus corpus = ImageFolder.load(Pictures.folder(folder, 6, 32, 32, ".png"), SHAPE, OddImages.refused(), 2);
        assertFalse(corpus.train().slow());
        assertEquals(12, corpus.train().size());
        assertEquals(6, corpus.test().size());
        assertNull(corpus.validation());
        assertEquals(List.of("one", "two"), corpus.classNames());
        assertArrayEquals(new int[]{6, 6}, corpus.train().classCounts());
        BufferedImage third = Pictures.smooth(32, 32, BufferedImage.TYPE_INT_RGB, 1003);
        assertEquals(third.getRGB(5, 4) >>> 8 & 0xff, corpus.train().pixel(9, 1024 + 4 * 32 + 5));
        assertEquals(new Augmentation(new Shift(4, false), Crop.CENTER, true), corpus.augmentation());
        assertEquals(InputScale.IMAGENET, corpus.scale());
    }

    @Test
    void othersAreBroughtToTheInputsSizeWheneverTheyAreAskedFor() throws IOException {
        Corpus corpus = ImageFolder.load(Pictures.folder(folder, 4, 64, 48, ".jpg"), SHAPE, OddImages.refused(), 2);
        assertTrue(corpus.train().slow());
        assertEquals(32, corpus.train().height());
        byte[] middle = corpus.test().image(1);
        assertEquals(3072, middle.length);
        // The middle of the picture is the middle of the input.
        BufferedImage original = Pictures.smooth(64, 48, BufferedImage.TYPE_INT_RGB, 5001);
        assertEquals(original.getRGB(32, 24) >>> 8 & 0xff, middle[1024 + 16 * 32 + 16] & 0xff, 12);
        Corpus exact = ImageFolder.load(folder, new ImageFolder.Shape(3, 48, 64, 0), OddImages.refused(), 1);
        assertFalse(exact.train().slow());
        Corpus resized = ImageFolder.load(folder, new ImageFolder.Shape(3, 48, 64, 60), OddImages.refused(), 1);
        assertTrue(resized.train().slow());
        assertFails("are too small to cut inputs of 48x64",
                () -> ImageFolder.load(folder, new ImageFolder.Shape(3, 48, 64, 40), OddImages.refused(), 1));
    }

    @Test
    void greyNetworksGetGreyPictures() throws IOException {
        Corpus corpus = ImageFolder.load(Pictures.folder(folder, 2, 28, 28, ".png"),
                new ImageFolder.Shape(1, 28, 28, 0), OddImages.refused(), 1);
        assertEquals(1, corpus.train().channels());
        int rgb = Pictures.smooth(28, 28, BufferedImage.TYPE_INT_RGB, 0).getRGB(3, 2);
        double luminance = 0.299 * (rgb >>> 16 & 0xff) + 0.587 * (rgb >>> 8 & 0xff) + 0.114 * (rgb & 0xff);
        assertEquals(luminance, corpus.train().pixel(0, 2 * 28 + 3), 0.6);
    }

    @Test
    void aThirdPartIsForValidation() throws IOException {
        Pictures.folder(folder, 4, 32, 32, ".png");
        for (String name : new String[]{"one", "two"}) {
            Pictures.write(folder.resolve("val").resolve(name).resolve("v.png"),
                    Pictures.smooth(32, 32, BufferedImage.TYPE_INT_RGB, 77));
        }
        Corpus corpus = ImageFolder.load(folder, SHAPE, OddImages.refused(), 1);
        assertEquals(2, corpus.validation().size());
        Dataset.Split split = corpus.split(0, 1);
        assertEquals(8, split.train().size());
        assertEquals(2, split.validation().size());
        assertEquals(5, corpus.split(3, 1).train().size());
    }

    @Test
    void listsNameFilesAndClasses() throws IOException {
        Path all = folder.resolve("train");
        for (int i = 0; i < 3; i++) {
            Pictures.write(all.resolve("a b" + i + ".png"), Pictures.smooth(32, 32, BufferedImage.TYPE_INT_RGB, i));
            Pictures.write(folder.resolve("val/v" + i + ".png"),
                    Pictures.smooth(32, 32, BufferedImage.TYPE_INT_RGB, i));
        }
        Files.writeString(folder.resolve("train.txt"), "# file class\na b0.png 2\na b1.png\t0\n\na b2.png 10\n");
        Files.writeString(folder.resolve("val.csv"), "file,label\nv0.png,2\nval/v1.png, 0\nv2.png,10\n");
        Corpus corpus = ImageFolder.load(folder, SHAPE, OddImages.refused(), 1);
        assertEquals(11, corpus.train().classes());
        assertEquals(2, corpus.train().label(0));
        assertEquals(0, corpus.train().label(1));
        assertEquals(10, corpus.test().label(2));
        // The same number, written in two ways.
        Files.writeString(folder.resolve("train.txt"), "a b0.png 1\na b1.png 01\na b2.png 0\n");
        Files.writeString(folder.resolve("val.csv"), "v0.png,1\nv1.png,01\nv2.png,0\n");
        Corpus twice = ImageFolder.load(folder, SHAPE, OddImages.refused(), 1);
        assertArrayEquals(new int[]{1, 2}, twice.train().classCounts());
        Files.writeString(folder.resolve("train.txt"), "a b0.png 0\na b1.png 999999\n");
        Files.writeString(folder.resolve("val.csv"), "v0.png,0\nv1.png,999999\n");
        assertFails("numbers up to 999999, and only 2 of them have pictures");
        Files.writeString(folder.resolve("train.txt"), "a b0.png cat\na b1.png dog\n");
        Files.writeString(folder.resolve("val.csv"), "v0.png,dog\nv1.png,cat\n");
        Corpus named = ImageFolder.load(folder, SHAPE, OddImages.refused(), 1);
        assertEquals(List.of("cat", "dog"), named.classNames());
        assertEquals(1, named.test().label(0));
        Files.writeString(folder.resolve("val.csv"), "\"file\";\"class\"\n\"v0.png\"; dog\nv1.png;\"cat\";1,5\n");
        Corpus semicolons = ImageFolder.load(folder, SHAPE, OddImages.refused(), 1);
        assertEquals(1, semicolons.test().label(0));
        assertEquals(0, semicolons.test().label(1));
        Files.copy(folder.resolve("val/v0.png"), folder.resolve("val/a, \"b\".png"));
        Files.writeString(folder.resolve("val.csv"), "\"a, \"\"b\"\".png\",\"dog\"\nv1.png,cat\n");
        assertEquals(1, ImageFolder.load(folder, SHAPE, OddImages.refused(), 1).test().label(0));
        Files.writeString(folder.resolve("val.csv"), "v0.png,\"dog\nv1.png,cat\n");
        assertFails("val.csv, line 1: 'v0.png,\"dog' is not a file and its class");
        Files.writeString(folder.resolve("val.csv"), "v0.png,dog\nv9.png,cat\n");
        assertFails("val.csv, line 2: v9.png is neither in");
        Files.writeString(folder.resolve("val.csv"), "v0.png,dog\nv1.png\n");
        assertFails("val.csv, line 2: 'v1.png' is not a file and its class");
    }

    @Test
    void missingPartsAndClassesThatDifferAreNamed() throws IOException {
        assertFails("has no train part");
        Pictures.write(folder.resolve("train/one/a.png"), Pictures.smooth(32, 32, BufferedImage.TYPE_INT_RGB, 1));
        assertFails("has no test or val part");
        Files.createDirectories(folder.resolve("test/one"));
        assertFails("test has no picture: it needs one folder for each class");
        Pictures.folder(folder, 2, 32, 32, ".png");
        Pictures.write(folder.resolve("test/three/a.png"), Pictures.smooth(32, 32, BufferedImage.TYPE_INT_RGB, 1));
        assertFails("the classes of its parts differ, test has three that train lacks");
        Pictures.write(folder.resolve("train/four/a.png"), Pictures.smooth(32, 32, BufferedImage.TYPE_INT_RGB, 1));
        assertFails("test has three that train lacks, and no four");
        assertFails("none does not exist",
                () -> ImageFolder.load(folder.resolve("none"), SHAPE, OddImages.refused(), 1));
    }

    @Test
    void damagedPicturesAreRefusedOrNamedAndLeftOut() throws IOException {
        for (String ending : new String[]{".png", ".jpg"}) {
            Path data = Pictures.folder(folder.resolve(ending), 5, ending.equals(".png") ? 32 : 70, 32, ending);
            Path cut = data.resolve("train/two/p3" + ending);
            byte[] whole = Files.readAllBytes(cut);
            Files.write(cut, Arrays.copyOf(whole, whole.length - whole.length / 3));
            Path empty = Files.write(data.resolve("test/one/p1" + ending), new byte[0]);
            List<String> notes = new ArrayList<>();
            OddImages odd = new OddImages(OddImages.Rule.SKIP, OddImages.Rule.CONVERT, notes::add);
            Corpus corpus = ImageFolder.load(data, SHAPE, odd, 2);
            assertEquals(9, corpus.train().size());
            assertEquals(3, corpus.test().size());
            assertArrayEquals(new int[]{5, 4}, corpus.train().classCounts());
            assertEquals(2, odd.skipped());
            assertTrue(notes.stream().anyMatch(note -> note.startsWith("skipped " + cut + ": it is damaged")
                    || note.startsWith("skipped " + cut + ": it is a damaged JPEG")), notes.toString());
            assertTrue(notes.contains("skipped " + empty + ": it is empty"), notes.toString());
            assertFails("(--damaged skip)", () -> ImageFolder.load(data, SHAPE, OddImages.refused(), 2));
        }
    }

    @Test
    void otherColoursAreConvertedSkippedOrRefused() throws IOException {
        Path data = Pictures.folder(folder, 3, 32, 32, ".png");
        Path grey = Pictures.write(data.resolve("train/one/grey.png"),
                Pictures.smooth(32, 32, BufferedImage.TYPE_BYTE_GRAY, 5));
        Path clear = Pictures.write(data.resolve("train/two/clear.png"),
                Pictures.smooth(32, 32, BufferedImage.TYPE_INT_ARGB, 5));
        OddImages convert = new OddImages(OddImages.Rule.REFUSE, OddImages.Rule.CONVERT, note -> {
        });
        assertEquals(8, ImageFolder.load(data, SHAPE, convert, 1).train().size());
        assertEquals(2, convert.converted());
        assertEquals(0, convert.skipped());
        List<String> notes = new ArrayList<>();
        OddImages skip = new OddImages(OddImages.Rule.REFUSE, OddImages.Rule.SKIP, notes::add);
        assertEquals(6, ImageFolder.load(data, SHAPE, skip, 1).train().size());
        assertEquals(2, skip.skipped());
        assertTrue(notes.contains("skipped " + clear + ": it is colour with transparency"), notes.toString());
        OddImages refuse = new OddImages(OddImages.Rule.REFUSE, OddImages.Rule.REFUSE, note -> {
        });
        assertStarts(grey + " is grey, not red, green and blue", () -> ImageFolder.load(data, SHAPE, refuse, 1));
    }

    @Test
    void aFullLookFindsWhatTheHeadsHide() throws IOException {
        Path data = Pictures.folder(folder, 3, 90, 70, ".jpg");
        Path bad = data.resolve("test/two/p0.jpg");
        byte[] whole = Files.readAllBytes(bad);
        // The end is there, and most of what comes before it is not.
        byte[] middle = Arrays.copyOf(whole, whole.length / 2);
        middle[middle.length - 2] = (byte) 0xff;
        middle[middle.length - 1] = (byte) 0xd9;
        Files.write(bad, middle);
        List<String> notes = new ArrayList<>();
        OddImages odd = new OddImages(OddImages.Rule.SKIP, OddImages.Rule.CONVERT, notes::add);
        Corpus corpus = ImageFolder.load(data, SHAPE, odd, 2);
        assertEquals(0, odd.skipped());
        ImageFolder.decode(corpus, 2);
        assertEquals(1, odd.skipped());
        assertTrue(notes.get(0).startsWith("skipped " + bad), notes.toString());
    }

    @Test
    void listsMayBeginWithAByteOrderMarkAndMustBeUtf8() throws IOException {
        for (String name : List.of("präz.png", "b.png")) {
            Pictures.write(folder.resolve("train").resolve(name),
                    Pictures.smooth(32, 32, BufferedImage.TYPE_INT_RGB, 1));
        }
        Path list = Files.writeString(folder.resolve("train.txt"), "\ufeffpräz.png 0\nb.png 1\n");
        Files.writeString(folder.resolve("val.txt"), "train/b.png 1\r\ntrain/präz.png 0\r\n");
        assertEquals(2, ImageFolder.load(folder, SHAPE, OddImages.refused(), 1).train().size());
        Files.writeString(list, "b.png 0\npräz.png 1\n", StandardCharsets.ISO_8859_1);
        assertFails(list + ", line 2: not UTF-8");
        Files.writeString(list, "b.png 0\n", StandardCharsets.UTF_16);
        assertFails(list + " is UTF-16");
    }

    @Test
    void filesThatAreNoPicturesAreCountedByKind() throws IOException {
        Path data = Pictures.folder(folder, 4, 32, 32, ".png");
        for (String name : List.of("a.webp", "b.WEBP", "c.txt", "png", ".hidden")) {
            Files.writeString(data.resolve("train/one").resolve(name), "none");
        }
        Files.copy(data.resolve("test/two/p0.png"), data.resolve("test/stray.png"));
        for (String format : List.of("bmp", "gif", "jfif")) {
            Files.write(data.resolve("train/two/more." + format),
                    Pictures.encode(Pictures.smooth(32, 32, BufferedImage.TYPE_BYTE_INDEXED, 1),
                            format.equals("jfif") ? "png" : format));
        }
        List<String> notes = new ArrayList<>();
        OddImages odd = new OddImages(OddImages.Rule.REFUSE, OddImages.Rule.CONVERT, notes::add);
        assertArrayEquals(new int[]{4, 7}, ImageFolder.load(data, SHAPE, odd, 1).train().classCounts());
        assertEquals(5, odd.leftOut());
        assertTrue(notes.get(0).startsWith(
                "left out of " + data.resolve("train") + ": 1 .txt, 2 .webp, 1 without an ending (read are .bmp, "),
                notes.toString());
        assertTrue(notes.get(1).startsWith("left out of " + data.resolve("test") + ": 1 .png (they lie beside"),
                notes.toString());
    }

    @Test
    void aClassWithoutPicturesIsRefusedAndALinkedOneIsRead() throws IOException {
        Path data = Pictures.folder(folder.resolve("data"), 4, 32, 32, ".png");
        Path apart = Files.move(data.resolve("train/two"), folder.resolve("apart"));
        Files.createSymbolicLink(data.resolve("train/two"), apart);
        assertEquals(8, ImageFolder.load(data, SHAPE, OddImages.refused(), 1).train().size());
        Files.createSymbolicLink(apart.resolve("loop"), data.resolve("train"));
        assertFails("cannot read " + data.resolve("train"),
                () -> ImageFolder.load(data, SHAPE, OddImages.refused(), 1));
        Files.delete(apart.resolve("loop"));
        Files.createDirectories(data.resolve("train/three"));
        assertFails(data.resolve("train/three") + " has no picture",
                () -> ImageFolder.load(data, SHAPE, OddImages.refused(), 1));
    }

    @Test
    void headersThatClaimTooMuchAreDamage() throws IOException {
        Path cases = Path.of(System.getProperty("pare.cases", "../shared/cases")).resolve("damaged");
        assumeTrue(Files.isDirectory(cases), "no cases in " + cases);
        Path data = Pictures.folder(folder, 4, 32, 32, ".png");
        for (String name : List.of("claims-9000x9000.jpg", "claims-much.png")) {
            Files.copy(cases.resolve(name), data.resolve("train/one").resolve(name));
        }
        List<String> notes = new ArrayList<>();
        OddImages odd = new OddImages(OddImages.Rule.SKIP, OddImages.Rule.CONVERT, notes::add);
        assertEquals(8, ImageFolder.load(data, SHAPE, odd, 1).train().size());
        assertEquals(2, notes.stream().filter(note -> note.endsWith(" bytes cannot hold")).count(), notes.toString());
    }

    private static void assertStarts(String expected, Runnable load) {
        String message = assertThrows(DataException.class, load::run).getMessage();
        assertTrue(message.startsWith(expected), message);
    }

    private void assertFails(String expected) {
        assertFails(expected, () -> ImageFolder.load(folder, SHAPE, OddImages.refused(), 1));
    }

    private static void assertFails(String expected, Runnable load) {
        String message = assertThrows(DataException.class, load::run).getMessage();
        assertTrue(message.contains(expected), message);
        assertFalse(message.contains("\n"), message);
    }
}
