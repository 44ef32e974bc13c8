package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DecoderTest {
    @TempDir
    Path folder;

    private final Decoder decoder = new Decoder(3);
    private final PixelView view = new PixelView(3);

    @AfterEach
    void close() {
        decoder.close();
    }

    @Test
    void pngGivesItsPixelsAndJpegAlmost() throws IOException {
        for (int size : new int[]{40, 7, 64, 1, 33}) {
            BufferedImage picture = Pictures.smooth(size, size + 3, BufferedImage.TYPE_INT_RGB, size);
            decoder.read(Pictures.write(folder.resolve("a.png"), picture), view);
            assertClose(picture, 0);
            decoder.read(Pictures.write(folder.resolve("a.jpg"), picture), view);
            assertClose(picture, size < 10 ? 60 : 25);
        }
    }

    @Test
    void greyBecomesColourWithoutBending() throws IOException {
        for (String name : new String[]{"g.png", "g.jpg"}) {
            BufferedImage grey = new BufferedImage(16, 8, BufferedImage.TYPE_BYTE_GRAY);
            grey.getRaster().setSamples(0, 0, 16, 8, 0, filled(128, 100));
            decoder.read(Pictures.write(folder.resolve(name), grey), view);
            for (int c = 0; c < 3; c++) {
                assertEquals(100, pixel(c, 5, 3), 1, name);
            }
        }
    }

    @Test
    void palettesTransparencyAndSixteenBitsAreRead() throws IOException {
        BufferedImage picture = Pictures.smooth(20, 10, BufferedImage.TYPE_INT_RGB, 3);
        BufferedImage alpha = new BufferedImage(20, 10, BufferedImage.TYPE_INT_ARGB);
        for (int y = 0; y < 10; y++) {
            for (int x = 0; x < 20; x++) {
                alpha.setRGB(x, y, picture.getRGB(x, y) & 0xffffff | 0x40000000);
            }
        }
        decoder.read(Pictures.write(folder.resolve("alpha.png"), alpha), view);
        assertClose(picture, 0);
        BufferedImage palette = new BufferedImage(20, 10, BufferedImage.TYPE_BYTE_INDEXED);
        palette.setRGB(4, 4, 0xffff0000);
        decoder.read(Pictures.write(folder.resolve("palette.png"), palette), view);
        assertEquals(255, pixel(0, 4, 4));
        assertEquals(0, pixel(1, 4, 4));
        BufferedImage deep = new BufferedImage(20, 10, BufferedImage.TYPE_USHORT_GRAY);
        WritableRaster raster = deep.getRaster();
        raster.setSample(3, 2, 0, 0x8fff);
        decoder.read(Pictures.write(folder.resolve("deep.png"), deep), view);
        assertEquals(0x8f, pixel(2, 3, 2));
    }

    @Test
    void colourBecomesLuminanceForGreyNetworks() throws IOException {
        BufferedImage red = new BufferedImage(9, 9, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < 81; p++) {
            red.setRGB(p % 9, p / 9, 0xff0000);
        }
        PixelView one = new PixelView(1);
        try (Decoder grey = new Decoder(1)) {
            grey.read(Pictures.write(folder.resolve("red.png"), red), one);
            assertEquals(76, one.bytes[one.first[0] + 4 * one.rowStride + 4] & 0xff);
            BufferedImage alpha = new BufferedImage(9, 9, BufferedImage.TYPE_INT_ARGB);
            alpha.setRGB(0, 0, 0xffff0000);
            grey.read(Pictures.write(folder.resolve("alpha.png"), alpha), one);
            assertEquals(76, one.bytes[one.first[0]] & 0xff);
        }
    }

    @Test
    void damagedPicturesAreToldFromGoodOnesAndDoNoHarmToTheNext() throws IOException {
        BufferedImage picture = Pictures.smooth(100, 80, BufferedImage.TYPE_INT_RGB, 1);
        byte[] jpeg = Pictures.encode(picture, "jpeg");
        byte[] png = Pictures.encode(picture, "png");
        Path good = Pictures.write(folder.resolve("good.jpg"), picture);
        assertBad("is empty", new byte[0]);
        assertBad("is cut short inside its header", Arrays.copyOf(jpeg, 50));
        assertBad("is neither JPEG nor PNG: it begins with 3c 68", "<html>404".getBytes());
        assertBad("damaged", Arrays.copyOf(jpeg, jpeg.length * 2 / 3));
        assertBad("damaged", Arrays.copyOf(png, png.length / 2));
        byte[] flipped = png.clone();
        flipped[png.length / 2] ^= 0x55;
        assertBad("damaged", flipped);
        byte[] huge = jpeg.clone();
        int frame = frame(jpeg);
        huge[frame + 5] = (byte) 0xff;
        huge[frame + 7] = (byte) 0xff;
        assertBad("claims a size of", huge);
        byte[] four = jpeg.clone();
        four[frame + 9] = 4;
        assertBad("has colours that are not read: CMYK", four);
        decoder.read(good, view);
        assertClose(picture, 25);
    }

    @Test
    void aFileThatIsGoneIsExplained() {
        assertTrue(assertThrows(BadImageException.class, () -> decoder.read(folder.resolve("none.jpg"), view))
                .getMessage().contains("no longer there"));
    }

    /** Where the frame header of a baseline JPEG begins. */
    private static int frame(byte[] jpeg) {
        for (int i = 0; i < jpeg.length; i++) {
            if ((jpeg[i] & 0xff) == 0xff && (jpeg[i + 1] & 0xff) == 0xc0) {
                return i;
            }
        }
        throw new AssertionError("no frame");
    }

    private void assertBad(String expected, byte[] content) throws IOException {
        Path file = Files.write(folder.resolve("bad"), content);
        String message = assertThrows(BadImageException.class, () -> decoder.read(file, view)).getMessage();
        assertTrue(message.contains(expected), message);
    }

    private void assertClose(BufferedImage expected, int tolerance) {
        assertEquals(expected.getWidth(), view.width);
        assertEquals(expected.getHeight(), view.height);
        for (int y = 0; y < view.height; y++) {
            for (int x = 0; x < view.width; x++) {
                int rgb = expected.getRGB(x, y);
                for (int c = 0; c < 3; c++) {
                    assertEquals(rgb >>> 16 - 8 * c & 0xff, pixel(c, x, y), tolerance, c + ": " + x + "," + y);
                }
            }
        }
    }

    private int pixel(int channel, int x, int y) {
        return view.bytes[view.first[channel] + y * view.rowStride + x * view.pixelStride] & 0xff;
    }

    private static int[] filled(int count, int value) {
        int[] values = new int[count];
        Arrays.fill(values, value);
        return values;
    }
}
