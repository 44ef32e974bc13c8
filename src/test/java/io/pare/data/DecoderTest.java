package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DecoderTest {
    @TempDir
    Path folder;

    private final Decoder decoder = new Decoder(3, null);
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
        try (Decoder grey = new Decoder(1, null)) {
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
        assertBad("is no picture that is read here (.bmp, .gif,", "<html>404".getBytes());
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
        byte[] large = jpeg.clone();
        // 8,192 pixels a side take more bits than the file has.
        large[frame + 5] = 0x20;
        large[frame + 7] = 0x20;
        assertBad("claims a size of", large);
        assertBad("bytes cannot hold", large);
        byte[] tall = png.clone();
        tall[21] = 0x10;
        assertBad("bytes cannot hold", tall);
        decoder.read(good, view);
        assertClose(picture, 25);
    }

    @Test
    void pixelsThatTheHeapCannotHoldAreNotDecoded() throws IOException {
        byte[] gif = Pictures.encode(new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_BINARY), "gif");
        int frame = 13;
        while (gif[frame] != 0x2c || gif[frame + 5] != 8 || gif[frame + 7] != 8) {
            frame++;
        }
        int side = (int) Math.sqrt(Heap.share() / 4.0) + 1;
        ByteBuffer content = ByteBuffer.wrap(gif).order(ByteOrder.LITTLE_ENDIAN);
        if (side < 1 << 14) {
            content.putShort(frame + 5, (short) side).putShort(frame + 7, (short) side);
            assertBad("more than half of the", gif);
        }
        content.putShort(frame + 5, (short) -1).putShort(frame + 7, (short) -1);
        assertBad("claims a size of 65535x65535", gif);
    }

    @Test
    void greyOfAnyDepthAndWithTransparencyKeepsItsBrightness() throws IOException {
        for (BufferedImage picture : List.of(Pictures.grey(DataBuffer.TYPE_BYTE, 1),
                Pictures.grey(DataBuffer.TYPE_BYTE, 2),
                Pictures.grey(DataBuffer.TYPE_USHORT, 1), Pictures.grey(DataBuffer.TYPE_USHORT, 2))) {
            for (int x = 0; x < 32; x++) {
                picture.getRaster().setSample(x, 9, 0, picture.getColorModel().getComponentSize(0) == 8 ? 64 : 0x40ff);
            }
            decoder.read(Pictures.write(folder.resolve("grey.png"), picture), view);
            assertEquals(64, pixel(0, 7, 9), picture.toString());
            assertEquals(64, pixel(2, 31, 9), picture.toString());
        }
    }

    @Test
    void transparentPicturesAreLaidUponTheBackground() throws IOException {
        BufferedImage picture = new BufferedImage(3, 1, BufferedImage.TYPE_INT_ARGB);
        picture.setRGB(0, 0, 0x00ff8040);
        picture.setRGB(1, 0, 0x80ff8040);
        picture.setRGB(2, 0, 0xffff8040);
        Path file = Pictures.write(folder.resolve("clear.png"), picture);
        try (Decoder onBlue = new Decoder(3, Background.parse("#0010ff"))) {
            onBlue.read(file, view);
            assertEquals(List.of(0, 16, 255), List.of(pixel(0, 0, 0), pixel(1, 0, 0), pixel(2, 0, 0)));
            assertEquals(128, pixel(0, 1, 0));
            assertEquals((0x80 * 0x80 + 16 * 0x7f + 127) / 255, pixel(1, 1, 0));
            assertEquals(List.of(255, 128, 64), List.of(pixel(0, 2, 0), pixel(1, 2, 0), pixel(2, 2, 0)));
        }
        decoder.read(file, view);
        assertEquals(List.of(255, 128, 64), List.of(pixel(0, 0, 0), pixel(1, 0, 0), pixel(2, 0, 0)));
        assertEquals(new Background(255, 255, 255), Background.parse("White"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Background.parse("#12")).getMessage()
                .contains("'#12' is no colour: give #rrggbb, or one of black"));
    }

    @Test
    void aColourThatAPngDeclaresTransparentIsOneToo() throws IOException {
        byte[] png = Pictures.encode(Pictures.smooth(6, 5, BufferedImage.TYPE_INT_RGB, 1), "png");
        int rgb = Pictures.smooth(6, 5, BufferedImage.TYPE_INT_RGB, 1).getRGB(2, 3);
        byte[] key = Pictures.withChunk(png, "tRNS",
                new byte[]{0, (byte) (rgb >>> 16), 0, (byte) (rgb >>> 8), 0, (byte) rgb});
        Path file = Files.write(folder.resolve("key.png"), key);
        decoder.read(file, view);
        assertEquals(rgb & 0xff, pixel(2, 2, 3));
        try (Decoder onWhite = new Decoder(3, Background.parse("white"))) {
            onWhite.read(file, view);
            assertEquals(255, pixel(2, 2, 3));
            assertEquals(255, pixel(0, 2, 3));
        }
    }

    /** As Pillow does: inks of a JPEG are stored inverted, and stand for what they leave of white. */
    @Test
    void fourInksBecomeColours() throws IOException {
        int[] stored = {200, 100, 50, 220};
        for (int transform : new int[]{-1, 0}) {
            decoder.read(Files.write(folder.resolve("inks.jpg"), Pictures.inks(16, 16, stored, transform)), view);
            for (int c = 0; c < 3; c++) {
                assertEquals(stored[c] * 220 / 255.0, pixel(c, 9, 4), 0.51);
            }
        }
        decoder.read(Files.write(folder.resolve("chroma.jpg"), Pictures.inks(16, 16, stored, 2)), view);
        double[] inks = {200 + 1.402 * (50 - 128), 200 - 0.344136 * (100 - 128) - 0.714136 * (50 - 128),
            200 + 1.772 * (100 - 128)};
        for (int c = 0; c < 3; c++) {
            assertEquals((255 - Math.min(255, inks[c])) * 220 / 255.0, pixel(c, 9, 4), 1.01);
        }
    }

    @Test
    void picturesAreTurnedAsTheirCameraSays() throws IOException {
        BufferedImage upright = Pictures.smooth(6, 4, BufferedImage.TYPE_INT_RGB, 2);
        for (int orientation = 1; orientation <= 8; orientation++) {
            BufferedImage stored = Pictures.stored(upright, orientation);
            byte[] png = Pictures.encode(stored, "png");
            decoder.read(Files.write(folder.resolve("o.png"),
                    Pictures.withChunk(png, "eXIf", Pictures.exif(orientation, orientation % 2 == 0))), view);
            assertClose(upright, 0);
            try (ImageInputStream in = new FileStream(folder.resolve("o.png"))) {
                PictureHeader header = PictureHeader.read(in);
                assertEquals(List.of(6, 4), List.of(header.shownWidth(), header.shownHeight()));
            }
            byte[] jpeg = Pictures.encode(stored, "jpeg");
            decoder.read(Files.write(folder.resolve("plain.jpg"), jpeg), view);
            PixelView turned = new PixelView(3);
            try (Decoder other = new Decoder(3, null)) {
                other.read(Files.write(folder.resolve("o.jpg"), Pictures.withExif(jpeg, orientation)), turned);
                view.turn(orientation);
                for (int y = 0; y < 4; y++) {
                    for (int x = 0; x < 6; x++) {
                        assertEquals(pixel(1, x, y), turned.bytes[turned.first[1] + y * turned.rowStride
                                + x * turned.pixelStride] & 0xff);
                    }
                }
            }
        }
    }

    @Test
    void otherFormatsOfTheJdkAreRead() throws IOException {
        BufferedImage picture = Pictures.smooth(33, 20, BufferedImage.TYPE_INT_RGB, 9);
        for (String format : new String[]{"bmp", "tiff"}) {
            decoder.read(Files.write(folder.resolve("a." + format), Pictures.encode(picture, format)), view);
            assertClose(picture, 0);
            // What one reader does to the stream is of no account to the next.
            decoder.read(Pictures.write(folder.resolve("next.png"), picture), view);
            assertClose(picture, 0);
        }
        BufferedImage few = new BufferedImage(9, 9, BufferedImage.TYPE_BYTE_INDEXED);
        few.setRGB(4, 5, 0xff00ff00);
        decoder.read(Files.write(folder.resolve("a.gif"), Pictures.encode(few, "gif")), view);
        assertEquals(List.of(0, 255, 0), List.of(pixel(0, 4, 5), pixel(1, 4, 5), pixel(2, 4, 5)));
    }

    @Test
    void longStripsOfBothKindsDoNotAddUp() throws IOException {
        BufferedImage wide = new BufferedImage(60_000, 2, BufferedImage.TYPE_INT_RGB);
        BufferedImage tall = new BufferedImage(2, 60_000, BufferedImage.TYPE_INT_RGB);
        decoder.read(Pictures.write(folder.resolve("wide.png"), wide), view);
        decoder.read(Pictures.write(folder.resolve("tall.png"), tall), view);
        assertTrue(view.bytes.length < 1 << 20, "60,000 x 60,000 pixels are not kept");
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
