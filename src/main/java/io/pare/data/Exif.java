package io.pare.data;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteOrder;
import javax.imageio.stream.ImageInputStream;

/**
 * The orientation that cameras write into the EXIF data of a picture (JEITA CP-3451, tag 0x0112 of the first directory).
 */
final class Exif {
    /** The picture is stored as it is to be seen. */
    static final int UPRIGHT = 1;
    /** From the next one on, rows are to be seen as columns. */
    static final int LAST_UNTURNED = 4;

    private static final int LITTLE = 0x4949;
    private static final int BIG = 0x4d4d;
    private static final int VERSION = 42;
    private static final int ORIENTATION = 0x0112;
    private static final int SHORT = 3;
    private static final int LAST = 8;
    private static final int ENTRY_BYTES = 12;

    private Exif() {}

    /** The orientation, 1 to 8, in the data that begins at {@code base}; 1 where there is none that can be read. */
    static int orientation(ImageInputStream in, long base) throws IOException {
        try {
            in.seek(base);
            int order = in.readUnsignedShort();
            if (order != LITTLE && order != BIG) {
                return UPRIGHT;
            }
            in.setByteOrder(order == LITTLE ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
            if (in.readUnsignedShort() != VERSION) {
                return UPRIGHT;
            }
            long directory = base + in.readUnsignedInt();
            in.seek(directory);
            int entries = in.readUnsignedShort();
            for (int i = 0; i < entries; i++) {
                in.seek(directory + Short.BYTES + (long) i * ENTRY_BYTES);
                if (in.readUnsignedShort() == ORIENTATION) {
                    int type = in.readUnsignedShort();
                    in.readInt();
                    int value = in.readUnsignedShort();
                    return type == SHORT && value >= UPRIGHT && value <= LAST ? value : UPRIGHT;
                }
            }
            return UPRIGHT;
        } catch (EOFException e) {
            return UPRIGHT;
        } finally {
            in.setByteOrder(ByteOrder.BIG_ENDIAN);
        }
    }
}
