package io.pare.data;

import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import io.pare.net.InputScale;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged pictures of every format. */
class PictureFuzzTest {
    private static final int HEAD = 200;

    @TempDir
    Path folder;

    private final PictureReader reader = new PictureReader(new ImageFolder.Shape(3, 32, 32, 0), InputScale.UNIT, false,
            new OddImages(OddImages.Rule.REFUSE, OddImages.Rule.CONVERT, Background.parse("white"), note -> {
            }), note -> {
            });
    private final float[] input = new float[3 * 32 * 32];

    @AfterEach
    void close() {
        reader.close();
    }

    private void read(byte[] picture) throws IOException {
        Path file = Files.write(folder.resolve("picture"), picture);
        reader.read(file, input, 0);
    }

    private static BufferedImage picture(int type) {
        return Pictures.smooth(24, 17, type, 1);
    }

    private Fuzz png() {
        byte[] rgb = Pictures.encode(picture(BufferedImage.TYPE_INT_RGB), "png");
        return Fuzz.of("PNG", Mutations.of(List.of(rgb, Pictures.encode(picture(BufferedImage.TYPE_INT_ARGB), "png"),
                Pictures.encode(picture(BufferedImage.TYPE_BYTE_INDEXED), "png"),
                Pictures.encode(picture(BufferedImage.TYPE_BYTE_BINARY), "png"),
                Pictures.encode(Pictures.grey(DataBuffer.TYPE_USHORT, 2), "png"),
                Pictures.withChunk(rgb, "tRNS", new byte[6]),
                Pictures.withChunk(rgb, "eXIf", Pictures.exif(6, true)))).damagingMostly(HEAD)
                .withWords("IHDR", "PLTE", "tRNS", "IDAT", "IEND", "eXIf", "iCCP", "zTXt"), this::read,
                DataException.class);
    }

    private Fuzz jpeg() {
        try {
            byte[] rgb = Pictures.encode(picture(BufferedImage.TYPE_INT_RGB), "jpeg");
            return Fuzz.of("JPEG", Mutations.of(List.of(rgb,
                    Pictures.encode(picture(BufferedImage.TYPE_BYTE_GRAY), "jpeg"), Pictures.withExif(rgb, 5),
                    Pictures.progressive(picture(BufferedImage.TYPE_INT_RGB)),
                    Pictures.inks(24, 17, new int[]{10, 90, 190, 200}, 2))).damagingMostly(3 * HEAD), this::read,
                    DataException.class);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Fuzz others() {
        return Fuzz.of("GIF, BMP, TIFF",
                Mutations.of(List.of(Pictures.encode(picture(BufferedImage.TYPE_BYTE_INDEXED), "gif"),
                        Pictures.encode(picture(BufferedImage.TYPE_INT_RGB), "bmp"),
                        Pictures.encode(picture(BufferedImage.TYPE_BYTE_INDEXED), "bmp"),
                        Pictures.encode(picture(BufferedImage.TYPE_INT_ARGB), "tiff"),
                        Pictures.encode(picture(BufferedImage.TYPE_BYTE_BINARY), "wbmp")))
                        .damagingMostly(HEAD),
                this::read, DataException.class);
    }

    @Test
    void damagedPicturesAreReadOrRefused() {
        png().run(1000);
        jpeg().run(1000);
        others().run(1000);
    }

    @Test
    @Tag("long")
    void manyDamagedPngsAreReadOrRefused() {
        png().runLong();
    }

    @Test
    @Tag("long")
    void manyDamagedJpegsAreReadOrRefused() {
        jpeg().runLong();
    }

    @Test
    @Tag("long")
    void manyDamagedPicturesOfOtherFormatsAreReadOrRefused() {
        others().runLong();
    }
}
