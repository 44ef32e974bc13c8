package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.InputScale;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code predict} takes of a picture. */
class PictureReaderTest {
    private static final ImageFolder.Shape COLOUR = new ImageFolder.Shape(3, 32, 32, 0);

    @TempDir
    private Path folder;

    /** One picture of every kind by file name. */
    private static Map<String, byte[]> kinds(int width, int height) throws IOException {
        Map<String, byte[]> kinds = new LinkedHashMap<>();
        BufferedImage rgb = Pictures.smooth(width, height, BufferedImage.TYPE_INT_RGB, 3);
        kinds.put("rgb.png", Pictures.encode(rgb, "png"));
        kinds.put("rgb.jpg", Pictures.encode(rgb, "jpeg"));
        kinds.put("rgb.bmp", Pictures.encode(rgb, "bmp"));
        kinds.put("rgb.tiff", Pictures.encode(rgb, "tiff"));
        BufferedImage clear = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
        for (int p = 0; p < width * height; p++) {
            int pixel = rgb.getRGB(p % width, p / width) & 0xffffff;
            clear.setRGB(p % width, p / width, pixel | p % 256 << 24);
        }
        kinds.put("clear.png", Pictures.encode(clear, "png"));
        BufferedImage grey = Pictures.smooth(width, height, BufferedImage.TYPE_BYTE_GRAY, 4);
        kinds.put("grey.png", Pictures.encode(grey, "png"));
        kinds.put("grey.jfif", Pictures.encode(grey, "jpeg"));
        kinds.put("bits.png",
                Pictures.encode(Pictures.smooth(width, height, BufferedImage.TYPE_BYTE_BINARY, 5), "png"));
        BufferedImage palette = Pictures.smooth(width, height, BufferedImage.TYPE_BYTE_INDEXED, 6);
        kinds.put("palette.png", Pictures.encode(palette, "png"));
        kinds.put("palette.gif", Pictures.encode(palette, "gif"));
        kinds.put("grey16.png",
                Pictures.encode(Pictures.smooth(width, height, BufferedImage.TYPE_USHORT_GRAY, 7), "png"));
        kinds.put("inks.jpe", Pictures.inks(width, height, new int[]{9, 90, 190, 200}, 0));
        kinds.put("chroma.jpg", Pictures.inks(width, height, new int[]{99, 90, 190, 200}, 2));
        kinds.put("turned.jpg", Pictures.withExif(Pictures.encode(rgb, "jpeg"), 6));
        kinds.put("turned.png", Pictures.withChunk(Pictures.encode(rgb, "png"), "eXIf", Pictures.exif(8, true)));
        kinds.put("key.png", Pictures.withChunk(Pictures.encode(rgb, "png"), "tRNS", new byte[]{0, 1, 0, 2, 0, 3}));
        if (width == 32 && height == 32) {
            kinds.put("grey-alpha.png", Pictures.encode(Pictures.grey(DataBuffer.TYPE_BYTE, 2), "png"));
            kinds.put("grey-alpha16.png", Pictures.encode(Pictures.grey(DataBuffer.TYPE_USHORT, 2), "png"));
        }
        return kinds;
    }

    @Test
    void predictionsSeeTheSameBitsAsEvaluation() throws IOException {
        for (int[] size : new int[][]{{32, 32}, {50, 41}}) {
            for (Background background : new Background[]{null, Background.parse("white")}) {
                for (Map.Entry<String, byte[]> kind : kinds(size[0], size[1]).entrySet()) {
                    assertArrayEquals(evaluated(kind.getKey(), kind.getValue(), COLOUR, background),
                            predicted(kind.getKey(), COLOUR, background), kind.getKey());
                }
            }
        }
        ImageFolder.Shape grey = new ImageFolder.Shape(1, 32, 32, 0);
        for (Map.Entry<String, byte[]> kind : kinds(32, 32).entrySet()) {
            assertArrayEquals(evaluated(kind.getKey(), kind.getValue(), grey, null),
                    predicted(kind.getKey(), grey, null), kind.getKey());
        }
    }

    private static OddImages rules(Background background) {
        return new OddImages(OddImages.Rule.REFUSE, OddImages.Rule.CONVERT, background, note -> {
        });
    }

    private float[] evaluated(String name, byte[] content, ImageFolder.Shape shape, Background background)
            throws IOException {
        Path data = folder.resolve(name + "-data");
        for (String part : List.of("train", "test")) {
            Files.write(Files.createDirectories(data.resolve(part).resolve("one")).resolve(name), content);
        }
        Corpus corpus = ImageFolder.load(data, shape, rules(background), 1);
        try (Region region = Region.confined("test");
                Batches batches = Batches.inOrder(corpus.test(), 1, InputScale.MNIST)) {
            FloatTensor image = region.tensor(1, shape.channels(), shape.height(), shape.width());
            MemorySegment label = region.allocate(Integer.BYTES);
            assertEquals(1, batches.next(image, label));
            return image.toArray();
        }
    }

    private float[] predicted(String name, ImageFolder.Shape shape, Background background) {
        float[] input = new float[shape.channels() * shape.height() * shape.width()];
        try (PictureReader reader = new PictureReader(shape, InputScale.MNIST, false, rules(background), note -> {
        })) {
            assertTrue(reader.read(folder.resolve(name + "-data/test/one").resolve(name), input, 0));
        }
        return input;
    }

    /** Red, with a blue rectangle in the middle. */
    private Path picture(int width, int height, int blueWidth, int blueHeight) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(Color.RED);
        graphics.fillRect(0, 0, width, height);
        graphics.setColor(Color.BLUE);
        graphics.fillRect((width - blueWidth) / 2, (height - blueHeight) / 2, blueWidth, blueHeight);
        graphics.dispose();
        return Pictures.write(folder.resolve(width + "x" + height + ".png"), image);
    }

    private static double mean(float[] input, int channel) {
        double sum = 0;
        for (int i = 0; i < 32 * 32; i++) {
            sum += input[channel * 32 * 32 + i];
        }
        return sum / (32 * 32);
    }

    @Test
    void ofAPhotographItIsTheMiddleThatEvaluationSees() throws IOException {
        List<String> notes = new ArrayList<>();
        float[] input = new float[3 * 32 * 32];
        try (PictureReader reader =
                new PictureReader(COLOUR, InputScale.UNIT, false, OddImages.refused(), notes::add)) {
            // Seven eighths of the shorter side, as 224 of 256; filtering takes a little from beyond.
            assertTrue(reader.read(picture(400, 64, 60, 60), input, 0));
            assertEquals(0, mean(input, 0), 0);
            assertEquals(1, mean(input, 2), 1e-6);
            assertTrue(
                    notes.getFirst().contains("has 400 x 64 pixels, 56 x 56 in the middle are brought to 32 x 32"),
                    notes.toString());
            reader.read(picture(64, 400, 60, 52), input, 0);
            assertTrue(mean(input, 0) > 0.02 && mean(input, 0) < 0.1, "no more than that");
            notes.clear();
            reader.read(picture(32, 32, 16, 32), input, 0);
            assertEquals(0.5, mean(input, 0), 1e-6);
            assertTrue(notes.isEmpty(), "a picture of the input's size is taken as it is");
        }
    }

    @Test
    void ofADrawingItIsAllAndInkMayBeDark() throws IOException {
        ImageFolder.Shape grey = new ImageFolder.Shape(1, 32, 32, 0);
        float[] light = new float[32 * 32];
        float[] dark = new float[32 * 32];
        Path file = picture(64, 96, 64, 48);
        try (PictureReader reader = new PictureReader(grey, InputScale.UNIT, false, OddImages.refused(), note -> {
        }); PictureReader inverted = new PictureReader(grey, InputScale.UNIT, true, OddImages.refused(), note -> {
        })) {
            reader.read(file, light, 0);
            inverted.read(file, dark, 0);
        }
        // Red is 76 of 255, blue 29.
        assertEquals((76 + 29) / 2.0 / 255, mean(light, 0), 1e-3);
        for (int i = 0; i < light.length; i++) {
            assertEquals(1, light[i] + dark[i], 1e-6);
        }
    }

    @Test
    void whatCannotBeReadIsRefusedOrSkipped() throws IOException {
        Path bad = Files.writeString(folder.resolve("bad.png"), "not a picture");
        float[] input = new float[3 * 32 * 32];
        List<String> notes = new ArrayList<>();
        OddImages skip = new OddImages(OddImages.Rule.SKIP, OddImages.Rule.CONVERT, notes::add);
        try (PictureReader reader = new PictureReader(COLOUR, InputScale.UNIT, false, skip, notes::add);
                PictureReader strict = new PictureReader(COLOUR, InputScale.UNIT, false, OddImages.refused(),
                        notes::add)) {
            assertFalse(reader.read(bad, input, 0));
            assertEquals(1, skip.skipped());
            assertTrue(notes.getFirst().startsWith("skipped " + bad + ": it is no picture"), notes.toString());
            assertThrows(DataException.class, () -> strict.read(bad, input, 0));
            assertThrows(DataException.class, () -> reader.read(folder.resolve("none.png"), input, 0));
        }
    }
}
