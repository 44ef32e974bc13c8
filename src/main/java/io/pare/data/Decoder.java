package io.pare.data;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStreamImpl;

/**
 * Decodes JPEG and PNG files for one thread with the JDK's readers, and keeps file buffer, readers and pixels from one
 * image to the next.
 *
 * <p>Gives bytes of red, green and blue, or of grey. Grey becomes colour by repetition, colour grey by ITU-R BT.601;
 * palettes are looked up, 16 bits lose their lower 8, transparency is dropped. Colour profiles are not applied. CMYK is
 * refused.
 */
final class Decoder implements AutoCloseable {
    private static final int LARGEST_FILE = 1 << 29;

    private final int channels;
    private final ImageReader jpeg = ImageIO.getImageReadersByFormatName("jpeg").next();
    private final ImageReader png = ImageIO.getImageReadersByFormatName("png").next();
    private final Content content = new Content();
    private BufferedImage colour = new BufferedImage(1, 1, BufferedImage.TYPE_3BYTE_BGR);
    private BufferedImage grey = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_GRAY);
    private byte[] converted = new byte[0];
    private String warning;

    /** The bytes of one file as a stream that costs no copy. */
    private static final class Content extends ImageInputStreamImpl {
        private byte[] bytes = new byte[1 << 16];
        private int size;

        void load(Path file) throws IOException {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                if (channel.size() > LARGEST_FILE) {
                    throw new BadImageException("has " + channel.size() + " bytes");
                }
                size = (int) channel.size();
                if (bytes.length < size) {
                    bytes = new byte[size + size / 2];
                }
                ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, size);
                while (buffer.hasRemaining()) {
                    if (channel.read(buffer) < 0) {
                        throw new BadImageException("became shorter while it was read");
                    }
                }
            }
            flushedPos = 0;
            seek(0);
        }

        @Override
        public int read() {
            bitOffset = 0;
            return streamPos < size ? bytes[(int) streamPos++] & 0xff : -1;
        }

        @Override
        public int read(byte[] target, int from, int length) {
            bitOffset = 0;
            if (streamPos >= size) {
                return -1;
            }
            int count = Math.min(length, size - (int) streamPos);
            System.arraycopy(bytes, (int) streamPos, target, from, count);
            streamPos += count;
            return count;
        }

        @Override
        public long length() {
            return size;
        }
    }

    /**
     * @param channels 3 for red, green and blue, 1 for grey
     */
    Decoder(int channels) {
        if (channels != 1 && channels != 3) {
            throw new IllegalArgumentException("pictures have 1 or 3 channels, not " + channels);
        }
        this.channels = channels;
        jpeg.addIIOReadWarningListener((source, text) -> {
            boolean harmless = !text.startsWith("Corrupt JPEG data") && !text.startsWith("Truncated")
                    || text.contains("extraneous");
            warning = harmless ? warning : text;
        });
    }

    /**
     * Decodes a file and points {@code view} at its pixels, which hold until the next call.
     *
     * @throws BadImageException if it is no picture, a damaged one or one of four inks
     */
    void read(Path file, PixelView view) {
        try {
            content.load(file);
            PictureHeader header = PictureHeader.read(content);
            if (header.format() == PictureHeader.Format.JPEG && !header.plain()) {
                throw new BadImageException("has colours that are not read: " + header.colours());
            }
            ImageReader reader = header.format() == PictureHeader.Format.JPEG ? jpeg : png;
            content.seek(0);
            reader.setInput(content, true, true);
            warning = null;
            if (header.plain()) {
                plain(reader, header, view);
            } else {
                other(reader.read(0), view);
            }
            if (warning != null) {
                throw new BadImageException("is a damaged JPEG: " + warning);
            }
        } catch (NoSuchFileException e) {
            throw new BadImageException("is no longer there");
        } catch (BadImageException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            throw new BadImageException("is damaged: " + e.getMessage());
        }
    }

    /** Eight bits of grey, or of red, green and blue: decoded where the last picture was. */
    private void plain(ImageReader reader, PictureHeader header, PixelView view) throws IOException {
        int width = header.width();
        int height = header.height();
        boolean isGrey = header.components() == 1;
        BufferedImage target = isGrey ? grey : colour;
        if (target.getWidth() < width || target.getHeight() < height) {
            target = new BufferedImage(Math.max(width, target.getWidth()), Math.max(height, target.getHeight()),
                    target.getType());
            if (isGrey) {
                grey = target;
            } else {
                colour = target;
            }
        }
        ImageReadParam param = reader.getDefaultReadParam();
        param.setDestination(target);
        reader.read(0, param);
        byte[] bytes = ((DataBufferByte) target.getRaster().getDataBuffer()).getData();
        int stride = isGrey ? 1 : 3;
        if (!isGrey && channels == 1) {
            byte[] luminance = room(width * height);
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    int at = (y * target.getWidth() + x) * stride;
                    luminance[y * width + x] = luminance(bytes[at + 2] & 0xff, bytes[at + 1] & 0xff, bytes[at] & 0xff);
                }
            }
            view.planar(luminance, 0, height, width);
            return;
        }
        view.bytes = bytes;
        view.width = width;
        view.height = height;
        view.pixelStride = stride;
        view.rowStride = stride * target.getWidth();
        for (int c = 0; c < channels; c++) {
            // Blue comes first in memory.
            view.first[c] = isGrey ? 0 : 2 - c;
        }
    }

    /** Palettes, 16 bits, transparency. By samples: a grey picture's getRGB would bend its brightness. */
    private void other(BufferedImage picture, PixelView view) {
        int width = picture.getWidth();
        int height = picture.getHeight();
        Raster raster = picture.getRaster();
        ColorModel model = picture.getColorModel();
        IndexColorModel palette = model instanceof IndexColorModel index ? index : null;
        int bits = model.getComponentSize(0);
        boolean isGrey = palette == null && raster.getNumBands() < 3;
        byte[] planes = room(channels * width * height);
        int[] samples = new int[raster.getNumBands()];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                raster.getPixel(x, y, samples);
                int red;
                int green;
                int blue;
                if (palette != null) {
                    int rgb = palette.getRGB(samples[0]);
                    red = rgb >>> 16 & 0xff;
                    green = rgb >>> 8 & 0xff;
                    blue = rgb & 0xff;
                } else {
                    red = eight(samples[0], bits);
                    green = isGrey ? red : eight(samples[1], bits);
                    blue = isGrey ? red : eight(samples[2], bits);
                }
                int at = y * width + x;
                if (channels == 1) {
                    planes[at] = luminance(red, green, blue);
                } else {
                    planes[at] = (byte) red;
                    planes[at + width * height] = (byte) green;
                    planes[at + 2 * width * height] = (byte) blue;
                }
            }
        }
        view.planar(planes, 0, height, width);
    }

    private static int eight(int sample, int bits) {
        return bits >= 8 ? sample >>> bits - 8 : sample * 255 / ((1 << bits) - 1);
    }

    private static byte luminance(int red, int green, int blue) {
        return (byte) ((299 * red + 587 * green + 114 * blue + 500) / 1000);
    }

    private byte[] room(int size) {
        if (converted.length < size) {
            converted = new byte[size];
        }
        return converted;
    }

    @Override
    public void close() {
        jpeg.dispose();
        png.dispose();
    }
}
