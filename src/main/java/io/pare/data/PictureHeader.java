package io.pare.data;

import java.io.EOFException;
import java.io.IOException;
import javax.imageio.stream.ImageInputStream;

/**
 * What the head of a JPEG or PNG file says (ITU-T T.81, section B; ISO/IEC 15948, section 11.2.2).
 *
 * @param components samples of a pixel: 1 grey, 2 grey and alpha, 3 colour, 4 CMYK in a JPEG and colour and alpha in a PNG
 * @param plain whether samples are 8 bits and mean red, green and blue, or grey
 */
record PictureHeader(Format format, int width, int height, int components, boolean plain) {
    enum Format {
        JPEG, PNG
    }

    private static final int LARGEST = 1 << 28;
    private static final int START_OF_IMAGE = 0xffd8;
    private static final int PNG_START = 0x8950;
    private static final long PNG_SIGNATURE = 0x89504e470d0a1a0aL;
    private static final int IHDR = 0x49484452;
    private static final int END_OF_IMAGE = 0xffd9;
    private static final int TAIL = 1024;

    /** Reads from the beginning of {@code in}; {@link BadImageException} if there is no such head. */
    static PictureHeader read(ImageInputStream in) throws IOException {
        try {
            in.seek(0);
            int start = in.readUnsignedShort();
            PictureHeader header = switch (start) {
                case START_OF_IMAGE -> jpeg(in);
                case PNG_START -> png(in);
                default -> throw new BadImageException(
                        String.format("is neither JPEG nor PNG: it begins with %02x %02x", start >>> 8, start & 0xff));
            };
            if (header.width < 1 || header.height < 1 || (long) header.width * header.height > LARGEST) {
                throw new BadImageException("claims a size of " + header.width + "x" + header.height);
            }
            return header;
        } catch (EOFException e) {
            throw new BadImageException(in.length() == 0 ? "is empty" : "is cut short inside its header");
        }
    }

    private static PictureHeader jpeg(ImageInputStream in) throws IOException {
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
            if (!frame) {
                in.seek(in.getStreamPosition() + length - 2);
                continue;
            }
            int precision = in.readUnsignedByte();
            int height = in.readUnsignedShort();
            int width = in.readUnsignedShort();
            int components = in.readUnsignedByte();
            return new PictureHeader(Format.JPEG, width, height, components,
                    precision == 8 && (components == 1 || components == 3));
        }
    }

    private static PictureHeader png(ImageInputStream in) throws IOException {
        in.seek(0);
        if (in.readLong() != PNG_SIGNATURE) {
            throw new BadImageException("is a damaged PNG: its signature is wrong");
        }
        in.readInt();
        if (in.readInt() != IHDR) {
            throw new BadImageException("is a damaged PNG: it has no header");
        }
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
        return new PictureHeader(Format.PNG, width, height, components, depth == 8 && (type == 0 || type == 2));
    }

    /** Whether the last bytes of a JPEG hold the end marker; whether a PNG ends at all is left to its decoder. */
    boolean ends(ImageInputStream in) throws IOException {
        if (format == Format.PNG) {
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

    /** What its colours are, unless they are red, green and blue; for messages. */
    String colours() {
        return switch (components) {
            case 1 -> "grey";
            case 2 -> "grey with transparency";
            case 3 -> plain ? "red, green and blue" : format == Format.PNG ? "a palette or 16 bits" : "12 bits";
            case 4 -> format == Format.JPEG ? "CMYK" : "colour with transparency";
            default -> components + " components";
        };
    }
}
