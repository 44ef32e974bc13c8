package io.pare.data;

import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.stream.ImageInputStream;

/**
 * What the head of a picture file says; of JPEG and PNG by itself (ITU-T T.81, section B; ISO/IEC 15948, section 11), of
 * others as their reader understands it. No size is believed that the file, or the heap, cannot hold.
 *
 * @param width of the picture as it is stored
 * @param height of the picture as it is stored
 * @param components samples of a pixel: 1 grey, 2 grey and alpha, 3 colour, 4 CMYK in a JPEG and colour and alpha elsewhere
 * @param plain whether samples are 8 bits and mean red, green and blue, or grey
 * @param transparent whether some pixels may be
 * @param chroma whether the first three components of CMYK are luminance and chrominance
 * @param orientation see {@link Exif}
 */
record PictureHeader(Format format, int width, int height, int components, boolean plain, boolean transparent,
        boolean chroma, int orientation) {
    enum Format {
        JPEG, PNG, OTHER
    }

    private static final int LARGEST = 1 << 28;
    /** A block of a JPEG is 8 x 8 pixels and takes at least one bit of its file. */
    private static final int JPEG_PIXELS_A_BYTE = 512;
    /** Deflate makes no more of a byte (RFC 1951: 258 bytes of 2 bits). */
    static final int DEFLATE_RATIO = 1032;
    private static final int START_OF_IMAGE = 0xffd8;
    private static final int PROGRESSIVE = 0xc2;
    private static final int APP1 = 0xe1;
    private static final int APP14 = 0xee;
    private static final int EXIF = 0x45786966;
    private static final int EXIF_HEAD = 6;
    private static final int ADOBE = 0x41646f62;
    private static final int ADOBE_TRANSFORM = 11;
    private static final int PNG_START = 0x8950;
    private static final long PNG_SIGNATURE = 0x89504e470d0a1a0aL;
    private static final int IHDR = 0x49484452;
    private static final int IDAT = 0x49444154;
    private static final int EXIF_CHUNK = 0x65584966;
    private static final int TRANSPARENCY_CHUNK = 0x74524e53;
    private static final int CHECKSUM_BYTES = 4;
    private static final int TIFF_LITTLE = 0x4949;
    private static final int TIFF_BIG = 0x4d4d;
    private static final int END_OF_IMAGE = 0xffd9;
    private static final int TAIL = 1024;

    /** Reads from the beginning of {@code in}; {@link BadImageException} if there is no such head. */
    static PictureHeader read(ImageInputStream in) throws IOException {
        try {
            in.seek(0);
            // The stream may have served a reader that changed it.
            in.setByteOrder(ByteOrder.BIG_ENDIAN);
            int start = in.readUnsignedShort();
            return switch (start) {
                case START_OF_IMAGE -> jpeg(in);
                case PNG_START -> png(in);
                default -> other(in, start);
            };
        } catch (EOFException e) {
            throw new BadImageException(in.length() == 0 ? "is empty" : "is cut short inside its header");
        }
    }

    private static PictureHeader jpeg(ImageInputStream in) throws IOException {
        int orientation = Exif.UPRIGHT;
        boolean chroma = false;
        while (true) {
            int marker = in.readUnsignedByte();
            if (marker != 0xff) {
                throw new BadImageException("is a damaged JPEG: no marker where one is due");
            }
            while (marker == 0xff) {
                marker = in.readUnsignedByte();
            }
            boolean frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
            if (marker == 0xda || marker == 0xd9) {
                throw new BadImageException("is a damaged JPEG: it has no frame");
            }
            if (marker >= 0xd0 && marker <= 0xd8 || marker == 0x01) {
                continue;
            }
            int length = in.readUnsignedShort();
            long segment = in.getStreamPosition();
            if (frame) {
                int precision = in.readUnsignedByte();
                int height = in.readUnsignedShort();
                int width = in.readUnsignedShort();
                int components = in.readUnsignedByte();
                boolean plain = precision == Byte.SIZE && (components == 1 || components == 3);
                // A progressive one is kept as coefficients of two bytes until its end.
                checkSize(in, width, height, components * (marker == PROGRESSIVE ? 3 : 1) + planes(plain),
                        (long) JPEG_PIXELS_A_BYTE * in.length());
                return new PictureHeader(Format.JPEG, width, height, components, plain, false, chroma, orientation);
            }
            if (marker == APP1 && in.readInt() == EXIF) {
                orientation = Exif.orientation(in, segment + EXIF_HEAD);
            } else if (marker == APP14 && in.readInt() == ADOBE) {
                in.seek(segment + ADOBE_TRANSFORM);
                chroma = in.readUnsignedByte() != 0;
            }
            in.seek(segment + Math.max(0, length - 2));
        }
    }

    private static PictureHeader png(ImageInputStream in) throws IOException {
        in.seek(0);
        if (in.readLong() != PNG_SIGNATURE) {
            throw new BadImageException("is a damaged PNG: its signature is wrong");
        }
        int length = in.readInt();
        if (in.readInt() != IHDR) {
            throw new BadImageException("is a damaged PNG: it has no header");
        }
        long chunk = in.getStreamPosition();
        int width = in.readInt();
        int height = in.readInt();
        int depth = in.readUnsignedByte();
        int type = in.readUnsignedByte();
        int components = switch (type) {
            case 0 -> 1;
            case 4 -> 2;
            case 2, 3 -> 3;
            case 6 -> 4;
            default -> throw new BadImageException("is a damaged PNG: it claims colour type " + type);
        };
        int bits = depth * (type == 3 ? 1 : components);
        boolean plain = depth == Byte.SIZE && (type == 0 || type == 2);
        checkSize(in, width, height, components * Math.ceilDiv(depth, Byte.SIZE) + planes(plain),
                (long) DEFLATE_RATIO * in.length() * Byte.SIZE / Math.max(1, bits));
        boolean transparent = type == 4 || type == 6;
        int orientation = Exif.UPRIGHT;
        for (int kind = IHDR; kind != IDAT;) {
            if (kind == TRANSPARENCY_CHUNK) {
                transparent = true;
            } else if (kind == EXIF_CHUNK) {
                orientation = Exif.orientation(in, chunk);
            }
            in.seek(chunk + (length & 0xffffffffL) + CHECKSUM_BYTES);
            length = in.readInt();
            kind = in.readInt();
            chunk = in.getStreamPosition();
        }
        return new PictureHeader(Format.PNG, width, height, components, plain && !transparent, transparent, false,
                orientation);
    }

    private static PictureHeader other(ImageInputStream in, int start) throws IOException {
        ImageReader reader = reader(in);
        if (reader == null) {
            throw new BadImageException(String.format("is no picture that is read here (%s): it begins with %02x %02x",
                    PictureFormats.endings(), start >>> 8, start & 0xff));
        }
        try {
            // Not forward only: the picture is read from the start after this.
            reader.setInput(in, false, true);
            int width = reader.getWidth(0);
            int height = reader.getHeight(0);
            Iterator<ImageTypeSpecifier> types = reader.getImageTypes(0);
            if (!types.hasNext()) {
                throw new BadImageException("has colours that are not read");
            }
            ImageTypeSpecifier type = types.next();
            ColorModel colours = type.getColorModel();
            checkSize(in, width, height, Math.ceilDiv(colours.getPixelSize(), Byte.SIZE) + planes(false),
                    Long.MAX_VALUE);
            int components = colours instanceof IndexColorModel ? 3 : type.getNumComponents();
            boolean plain = !(colours instanceof IndexColorModel) && !colours.hasAlpha()
                    && colours.getComponentSize(0) == Byte.SIZE;
            int orientation = start == TIFF_LITTLE || start == TIFF_BIG ? Exif.orientation(in, 0) : Exif.UPRIGHT;
            return new PictureHeader(Format.OTHER, width, height, components, plain, colours.hasAlpha(), false,
                    orientation);
        } catch (BadImageException e) {
            throw e;
        } catch (RuntimeException | OutOfMemoryError e) {
            throw BadImageException.of(e);
        } finally {
            reader.dispose();
        }
    }

    /** A reader for files that are neither JPEG nor PNG, or {@code null}. */
    static ImageReader reader(ImageInputStream in) throws IOException {
        in.seek(0);
        Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
        return readers.hasNext() ? readers.next() : null;
    }

    /** Bytes that a pixel takes in what a decoder makes of its samples. */
    private static int planes(boolean plain) {
        return plain ? 1 : 3;
    }

    /**
     * @param bytes that a pixel takes until it is decoded
     * @param most pixels that the file can hold
     */
    private static void checkSize(ImageInputStream in, int width, int height, int bytes, long most) throws IOException {
        long pixels = (long) width * height;
        if (width < 1 || height < 1 || pixels > LARGEST) {
            throw new BadImageException("claims a size of " + width + "x" + height);
        }
        if (pixels > most) {
            throw new BadImageException("claims a size of " + width + "x" + height + ", which " + in.length()
                    + " bytes cannot hold");
        }
        String excess = Heap.excess(pixels * bytes);
        if (excess != null) {
            throw new BadImageException("has " + width + "x" + height + " pixels: to decode it " + excess);
        }
    }

    /** Width of the picture as it is to be seen. */
    int shownWidth() {
        return orientation > Exif.LAST_UNTURNED ? height : width;
    }

    /** Height of the picture as it is to be seen. */
    int shownHeight() {
        return orientation > Exif.LAST_UNTURNED ? width : height;
    }

    /** Whether the last bytes of a JPEG hold the end marker; whether another ends at all is left to its decoder. */
    boolean ends(ImageInputStream in) throws IOException {
        if (format != Format.JPEG) {
            return true;
        }
        byte[] tail = new byte[(int) Math.min(TAIL, in.length())];
        in.seek(in.length() - tail.length);
        in.readFully(tail);
        for (int i = tail.length - 2; i >= 0; i--) {
            if ((tail[i] & 0xff) == END_OF_IMAGE >>> 8 && (tail[i + 1] & 0xff) == (END_OF_IMAGE & 0xff)) {
                return true;
            }
        }
        return false;
    }

    /** Whether it is of red, green and blue, eight bits each, and of nothing else. */
    boolean rgb() {
        return plain && components == 3;
    }

    /** What its colours are, unless they are red, green and blue; for messages. */
    String colours() {
        if (transparent) {
            return components < 3 ? "grey with transparency" : "colour with transparency";
        }
        return switch (components) {
            case 1 -> "grey";
            case 3 -> plain ? "red, green and blue" : format == Format.JPEG ? "12 bits" : "a palette or 16 bits";
            case 4 -> "CMYK";
            default -> components + " components";
        };
    }
}
