package io.pare.data;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

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

    /** 32 x 32 pixels of grey, 8 or 16 bits, with transparency if there are two bands; half transparent. */
    public static BufferedImage grey(int dataType, int bands) {
        ComponentColorModel model =
                new ComponentColorModel(ColorSpace.getInstance(ColorSpace.CS_GRAY), bands == 2, false,
                        bands == 2 ? Transparency.TRANSLUCENT : Transparency.OPAQUE, dataType);
        WritableRaster raster = model.createCompatibleWritableRaster(32, 32);
        int most = (1 << DataBuffer.getDataTypeSize(dataType)) - 1;
        for (int p = 0; p < 32 * 32; p++) {
            raster.setSample(p % 32, p / 32, 0, p * most / 1023);
            if (bands == 2) {
                raster.setSample(p % 32, p / 32, 1, most / 2);
            }
        }
        return new BufferedImage(model, raster, false, null);
    }

    /** A JPEG of four components, all pixels alike. {@code transform} is Adobe's; -1 for no segment of theirs. */
    public static byte[] inks(int width, int height, int[] stored, int transform) throws IOException {
        WritableRaster raster = Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, width, height, 4, null);
        for (int p = 0; p < width * height; p++) {
            raster.setPixel(p % width, p / width, stored);
        }
        byte[] bytes = jpeg(new IIOImage(raster, null, null), false);
        return transform < 0
                ? bytes
                : withSegment(bytes, 0xee,
                        new byte[]{'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, (byte) transform});
    }

    /** A JPEG in several passes. */
    public static byte[] progressive(BufferedImage picture) throws IOException {
        return jpeg(new IIOImage(picture, null, null), true);
    }

    private static byte[] jpeg(IIOImage image, boolean progressive) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(out);
            ImageWriteParam param = writer.getDefaultWriteParam();
            param.setProgressiveMode(progressive ? ImageWriteParam.MODE_DEFAULT : ImageWriteParam.MODE_DISABLED);
            param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            param.setCompressionQuality(1);
            writer.write(null, image, param);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    /** EXIF data of one entry, the orientation. */
    public static byte[] exif(int orientation, boolean little) {
        ByteBuffer exif = ByteBuffer.allocate(26).order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        exif.putShort((short) (little ? 0x4949 : 0x4d4d)).putShort((short) 42).putInt(8).putShort((short) 1);
        return exif.putShort((short) 0x0112).putShort((short) 3).putInt(1).putShort((short) orientation).array();
    }

    /** A JPEG with an orientation. */
    public static byte[] withExif(byte[] jpeg, int orientation) {
        byte[] exif = exif(orientation, true);
        byte[] content = new byte[6 + exif.length];
        System.arraycopy(new byte[]{'E', 'x', 'i', 'f', 0, 0}, 0, content, 0, 6);
        System.arraycopy(exif, 0, content, 6, exif.length);
        return withSegment(jpeg, 0xe1, content);
    }

    private static byte[] withSegment(byte[] jpeg, int marker, byte[] content) {
        ByteBuffer out = ByteBuffer.allocate(jpeg.length + 4 + content.length);
        out.put(jpeg, 0, 2).put((byte) 0xff).put((byte) marker).putShort((short) (content.length + 2)).put(content);
        return out.put(jpeg, 2, jpeg.length - 2).array();
    }

    /** A PNG with one more chunk behind its header. */
    public static byte[] withChunk(byte[] png, String kind, byte[] content) {
        int header = 33;
        byte[] name = kind.getBytes(StandardCharsets.US_ASCII);
        CRC32 sum = new CRC32();
        sum.update(name);
        sum.update(content);
        ByteBuffer out = ByteBuffer.allocate(png.length + 12 + content.length);
        out.put(png, 0, header).putInt(content.length).put(name).put(content).putInt((int) sum.getValue());
        return out.put(png, header, png.length - header).array();
    }

    /** How a camera stores what is seen as {@code upright}, by the definition of the orientations. */
    public static BufferedImage stored(BufferedImage upright, int orientation) {
        int wide = upright.getWidth() - 1;
        int tall = upright.getHeight() - 1;
        boolean turned = orientation > 4;
        BufferedImage stored = new BufferedImage(turned ? tall + 1 : wide + 1, turned ? wide + 1 : tall + 1,
                BufferedImage.TYPE_INT_RGB);
        for (int row = 0; row < stored.getHeight(); row++) {
            for (int column = 0; column < stored.getWidth(); column++) {
                stored.setRGB(column, row, switch (orientation) {
                    // Which side of what is seen row 0 is, and column 0.
                    case 1 -> upright.getRGB(column, row); // top, left
                    case 2 -> upright.getRGB(wide - column, row); // top, right
                    case 3 -> upright.getRGB(wide - column, tall - row); // bottom, right
                    case 4 -> upright.getRGB(column, tall - row); // bottom, left
                    case 5 -> upright.getRGB(row, column); // left, top
                    case 6 -> upright.getRGB(wide - row, column); // right, top
                    case 7 -> upright.getRGB(wide - row, tall - column); // right, bottom
                    case 8 -> upright.getRGB(row, tall - column); // left, bottom
                    default -> throw new IllegalArgumentException("no orientation " + orientation);
                });
            }
        }
        return stored;
    }

    /** The bytes of a picture in {@code format}, such as "png" or "jpeg". */
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
