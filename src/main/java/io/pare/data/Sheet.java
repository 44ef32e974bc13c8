package io.pare.data;

import io.pare.file.AtomicFile;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** Draws many images of a {@link Dataset} as one PNG picture, for a look with one's own eyes. */
public final class Sheet {
    private static final int MOST_PIXELS = 1 << 28;
    private static final int GAP = 2;
    private static final int GREY = 0x404040;

    private Sheet() {}

    /**
     * Writes the first {@code rows * columns} images (fewer if the set is smaller), grey or red-green-blue.
     *
     * @param target a PNG file, replaced as a whole
     * @param data the images
     * @param rows of images
     * @param columns of images
     */
    public static void write(Path target, Dataset data, int rows, int columns) {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException("a sheet of " + rows + " x " + columns + " images holds nothing");
        }
        int height = data.height() + GAP;
        int width = data.width() + GAP;
        long pixels = ((long) columns * width + GAP) * ((long) rows * height + GAP);
        if (columns > MOST_PIXELS / width || rows > MOST_PIXELS / height || pixels > MOST_PIXELS) {
            throw new IllegalArgumentException("a sheet of " + rows + " x " + columns + " images is too large");
        }
        BufferedImage sheet =
                new BufferedImage(columns * width + GAP, rows * height + GAP, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < sheet.getHeight(); y++) {
            for (int x = 0; x < sheet.getWidth(); x++) {
                sheet.setRGB(x, y, GREY);
            }
        }
        int shown = Math.min(data.size(), rows * columns);
        for (int i = 0; i < shown; i++) {
            draw(sheet, data, i, GAP + i % columns * width, GAP + i / columns * height);
        }
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try {
            ImageIO.setUseCache(false);
            if (!ImageIO.write(sheet, "png", png)) {
                throw new IOException("this JDK has no PNG writer");
            }
        } catch (IOException e) {
            throw new DataException("cannot draw " + target + ": " + e.getMessage(), e);
        }
        AtomicFile.write(target, png.toByteArray());
    }

    private static void draw(BufferedImage sheet, Dataset data, int index, int left, int top) {
        int plane = data.height() * data.width();
        boolean colour = data.channels() >= 3;
        byte[] pixels = data.image(index);
        for (int p = 0; p < plane; p++) {
            int red = pixels[p] & 0xff;
            int green = colour ? pixels[plane + p] & 0xff : red;
            int blue = colour ? pixels[2 * plane + p] & 0xff : red;
            sheet.setRGB(left + p % data.width(), top + p / data.width(), red << 16 | green << 8 | blue);
        }
    }
}
