package io.pare.data;

import io.pare.file.Uninterrupted;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStreamImpl;

/**
 * Decodes pictures for one thread with the JDK's readers, and with those of ImageIO plug-ins, and keeps file buffer,
 * readers and pixels from one image to the next.
 *
 * <p>Gives bytes of red, green and blue, or of grey, the right way up. Grey becomes colour by repetition, colour grey by
 * ITU-R BT.601; palettes are looked up, 16 bits lose their lower 8. Transparency is dropped, or the picture laid upon a
 * background. CMYK becomes colour without a profile, in a JPEG with inks inverted as Adobe writes them. Colour profiles
 * are not applied.
 */
final class Decoder implements AutoCloseable {
    private static final int LARGEST_FILE = 1 << 29;
    /** Pixels that are kept for other pictures, whatever this one has. */
    private static final int SPARE = 1 << 22;
    private static final int OPAQUE = 255;

    private final int channels;
    private final Background background;
    private final ImageReader jpeg = builtIn("jpeg");
    private final ImageReader png = builtIn("png");
    private final Content content = new Content();
    private BufferedImage colour;
    private BufferedImage grey;
    private byte[] converted;
    private String warning;

    /** The bytes of one file as a stream that costs no copy. */
    private static final class Content extends ImageInputStreamImpl {
        private byte[] bytes = new byte[1 << 16];
        private int size;

        void load(Path file) throws IOException {
            Uninterrupted.run(() -> read(file));
            flushedPos = 0;
            seek(0);
        }

        private void read(Path file) throws IOException {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                if (channel.size() > Math.min(LARGEST_FILE, Heap.share())) {
                    throw new BadImageException("has " + channel.size() + " bytes, too many for a picture");
                }
                size = (int) channel.size();
                if (bytes.length < size) {
                    bytes = new byte[size + size / 4];
                }
                ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, size);
                while (buffer.hasRemaining()) {
                    if (channel.read(buffer) < 0) {
                        throw new BadImageException("became shorter while it was read");
                    }
                }
            }
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
     * @param background what transparent pictures are laid upon, or {@code null} to drop transparency
     */
    Decoder(int channels, Background background) {
        if (channels != 1 && channels != 3) {
            throw new IllegalArgumentException("pictures have 1 or 3 channels, not " + channels);
        }
        this.channels = channels;
        this.background = background;
        forget();
        jpeg.addIIOReadWarningListener((source, text) -> {
            boolean harmless = !text.startsWith("Corrupt JPEG data") && !text.startsWith("Truncated")
                    || text.contains("extraneous");
            warning = harmless ? warning : text;
        });
    }

    /** The JDK's own reader, whatever plug-ins there are: the same file gives the same pixels everywhere. */
    private static ImageReader builtIn(String format) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
        ImageReader first = readers.next();
        for (ImageReader reader = first;; reader = readers.next()) {
            if (reader.getClass().getName().startsWith("com.sun.imageio.")) {
                return reader;
            }
            if (!readers.hasNext()) {
                return first;
            }
        }
    }

    private void forget() {
        colour = new BufferedImage(1, 1, BufferedImage.TYPE_3BYTE_BGR);
        grey = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_GRAY);
        converted = new byte[0];
    }

    /**
     * Decodes a file and points {@code view} at its pixels, which hold until the next call.
     *
     * @throws BadImageException if it is no picture, a damaged one or one that takes too much memory
     */
    void read(Path file, PixelView view) {
        try {
            content.load(file);
            PictureHeader header = PictureHeader.read(content);
            content.seek(0);
            warning = null;
            switch (header.format()) {
                case JPEG -> jpeg(header, view);
                case PNG -> {
                    png.setInput(content, true, true);
                    if (header.plain()) {
                        plain(png, header, view);
                    } else {
                        other(png.read(0), view);
                    }
                }
                case OTHER -> plugIn(view);
            }
            if (warning != null) {
                throw new BadImageException("is a damaged JPEG: " + warning);
            }
            view.turn(header.orientation());
        } catch (NoSuchFileException e) {
            throw new BadImageException("is no longer there");
        } catch (BadImageException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            throw BadImageException.of(e);
        } catch (OutOfMemoryError e) {
            forget();
            throw BadImageException.of(e);
        }
    }

    private void jpeg(PictureHeader header, PixelView view) throws IOException {
        jpeg.setInput(content, true, true);
        if (header.plain()) {
            plain(jpeg, header, view);
        } else if (header.components() == 4) {
            inks(jpeg.readRaster(0, null), header.chroma(), view);
        } else {
            other(jpeg.read(0), view);
        }
    }

    private void plugIn(PixelView view) throws IOException {
        ImageReader reader = PictureHeader.reader(content);
        try {
            content.seek(0);
            reader.setInput(content, true, true);
            other(reader.read(0), view);
        } finally {
            reader.dispose();
        }
    }

    /** Eight bits of grey, or of red, green and blue: decoded where the last picture was. */
    private void plain(ImageReader reader, PictureHeader header, PixelView view) throws IOException {
        int width = header.width();
        int height = header.height();
        boolean isGrey = header.components() == 1;
        BufferedImage target = isGrey ? grey : colour;
        if (target.getWidth() < width || target.getHeight() < height) {
            int spareWidth = Math.max(width, target.getWidth());
            int spareHeight = Math.max(height, target.getHeight());
            // Upright and lying pictures of one size share memory, long strips of both kinds do not.
            boolean spared = (long) spareWidth * spareHeight <= Math.max(SPARE, 2L * width * height);
            target = new BufferedImage(spared ? spareWidth : width, spared ? spareHeight : height, target.getType());
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
        if (picture.isAlphaPremultiplied()) {
            picture.coerceData(false);
        }
        int width = picture.getWidth();
        int height = picture.getHeight();
        Raster raster = picture.getRaster();
        ColorModel model = picture.getColorModel();
        IndexColorModel palette = model instanceof IndexColorModel index ? index : null;
        int kind = model.getColorSpace().getType();
        int type = raster.getTransferType();
        if (type != DataBuffer.TYPE_BYTE && type != DataBuffer.TYPE_USHORT && type != DataBuffer.TYPE_INT) {
            throw new BadImageException("has samples that are no whole numbers from 0 on");
        }
        int[] samples = new int[raster.getNumBands()];
        planes(width, height, view, (x, y) -> {
            raster.getPixel(x, y, samples);
            if (palette != null) {
                return palette.getRGB(samples[0]);
            }
            for (int band = 0; band < samples.length; band++) {
                samples[band] = eight(samples[band], model.getComponentSize(band));
            }
            int alpha = model.hasAlpha() ? samples[samples.length - 1] : OPAQUE;
            return switch (kind) {
                case ColorSpace.TYPE_GRAY -> argb(alpha, samples[0], samples[0], samples[0]);
                case ColorSpace.TYPE_RGB -> argb(alpha, samples[0], samples[1], samples[2]);
                case ColorSpace.TYPE_CMYK ->
                        inked(OPAQUE - samples[0], OPAQUE - samples[1], OPAQUE - samples[2], OPAQUE - samples[3]);
                default -> throw new BadImageException("has colours that are not read");
            };
        });
    }

    /** CMYK of a JPEG: what is stored is what is left of white, 255 for no ink. */
    private void inks(Raster raster, boolean chroma, PixelView view) {
        int[] samples = new int[raster.getNumBands()];
        planes(raster.getWidth(), raster.getHeight(), view, (x, y) -> {
            raster.getPixel(x, y, samples);
            if (chroma) {
                // Luminance and chrominance of inks that are not inverted (T.871, section 7).
                double cb = samples[1] - 128;
                double cr = samples[2] - 128;
                int luma = samples[0];
                samples[0] = OPAQUE - clamp(luma + 1.402 * cr);
                samples[1] = OPAQUE - clamp(luma - 0.344136 * cb - 0.714136 * cr);
                samples[2] = OPAQUE - clamp(luma + 1.772 * cb);
            }
            return inked(samples[0], samples[1], samples[2], samples[3]);
        });
    }

    /** The colour of paper under inks, each given as what it leaves of white. */
    private static int inked(int cyan, int magenta, int yellow, int black) {
        return argb(OPAQUE, black - mixed(black, 0, OPAQUE - cyan), black - mixed(black, 0, OPAQUE - magenta),
                black - mixed(black, 0, OPAQUE - yellow));
    }

    /** So much of {@code above} as {@code alpha} says, and the rest of {@code below}, rounded. */
    private static int mixed(int above, int below, int alpha) {
        return (above * alpha + below * (OPAQUE - alpha) + OPAQUE / 2) / OPAQUE;
    }

    private static int clamp(double value) {
        return (int) Math.max(0, Math.min(OPAQUE, Math.round(value)));
    }

    private static int argb(int alpha, int red, int green, int blue) {
        return alpha << 24 | red << 16 | green << 8 | blue;
    }

    /** Alpha, red, green and blue of a pixel. */
    private interface Colours {
        int at(int x, int y);
    }

    /** Writes planes of the channels, without transparency or laid upon the background. */
    private void planes(int width, int height, PixelView view, Colours colours) {
        int plane = width * height;
        byte[] planes = room(channels * plane);
        int at = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int argb = colours.at(x, y);
                int alpha = argb >>> 24;
                int red = argb >>> 16 & 0xff;
                int green = argb >>> 8 & 0xff;
                int blue = argb & 0xff;
                if (background != null && alpha < OPAQUE) {
                    red = mixed(red, background.red(), alpha);
                    green = mixed(green, background.green(), alpha);
                    blue = mixed(blue, background.blue(), alpha);
                }
                if (channels == 1) {
                    planes[at] = luminance(red, green, blue);
                } else {
                    planes[at] = (byte) red;
                    planes[at + plane] = (byte) green;
                    planes[at + 2 * plane] = (byte) blue;
                }
                at++;
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
