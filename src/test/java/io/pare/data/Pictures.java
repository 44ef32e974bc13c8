package io.pare.data;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;

/** Makes small pictures, and folders of them. */
public final class Pictures {
    private Pictures() {}

    /** Smooth colours that a JPEG keeps almost as they are. */
    public static BufferedImage smooth(int width, int height, int type, long seed) {
        BufferedImage picture = new BufferedImage(width, height, type);
        SplittableRandom random = new SplittableRandom(seed);
        double a = random.nextDouble(1, 3);
        double b = random.nextDouble(1, 3);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int red = (int) (127 + 120 * Math.sin(a * x / width + b * y / height));
                int green = (int) (127 + 120 * Math.cos(b * x / width));
                int blue = (int) (127 + 120 * Math.sin(a * y / height + 1));
                picture.setRGB(x, y, 0xff000000 | red << 16 | green << 8 | blue);
            }
        }
        return picture;
    }

    /** The bytes of a picture in {@code format}, "png" or "jpeg". */
    public static byte[] encode(BufferedImage picture, String format) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.setUseCache(false);
            if (!ImageIO.write(picture, format, bytes)) {
                throw new IllegalArgumentException("no writer of " + format + " for " + picture);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** Writes a picture into a file whose name ends in its format. */
    public static Path write(Path file, BufferedImage picture) throws IOException {
        Files.createDirectories(file.getParent());
        String name = file.getFileName().toString();
        return Files.write(file, encode(picture, name.endsWith(".png") ? "png" : "jpeg"));
    }

    /** Parts train and test with classes "one" and "two": {@code count} and half as many pictures in each. */
    public static Path folder(Path folder, int count, int width, int height, String ending) throws IOException {
        for (String part : new String[]{"train", "test"}) {
            for (String name : new String[]{"one", "two"}) {
                for (int i = 0; i < (part.equals("train") ? count : count / 2); i++) {
                    write(folder.resolve(part).resolve(name).resolve("p" + i + ending),
                            smooth(width, height, BufferedImage.TYPE_INT_RGB,
                                    i + (name.equals("one") ? 0 : 1000) + (part.equals("train") ? 0 : 5000)));
                }
            }
        }
        return folder;
    }
}
