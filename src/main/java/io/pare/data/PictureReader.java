package io.pare.data;

import io.pare.file.FileNames;
import io.pare.net.InputScale;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * Makes inputs of single pictures, for one thread: of a picture in colour the same floats that evaluation takes, to the
 * bit.
 *
 * <p>One of the input's size is taken as it is. Of another, for networks in colour, the middle is brought to it as
 * evaluation does; for grey networks, which see drawings, all of it.
 */
public final class PictureReader implements AutoCloseable {
    private static final int WHITE = 255;

    private final ImageFolder.Shape shape;
    private final boolean inverted;
    private final OddImages odd;
    private final Consumer<String> notes;
    private final Decoder decoder;
    private final PixelView view;
    private final Preprocessor exact;
    private final Preprocessor cropped;
    private final float[] values;
    private byte[] negative = new byte[0];

    /**
     * Makes a reader with buffers of its own.
     *
     * @param shape of inputs; its resize is not used
     * @param scale how pixels become inputs
     * @param inverted whether dark is ink: MNIST's digits are light on dark
     * @param odd what becomes of pictures that cannot be read
     * @param notes told when a picture has another size
     */
    public PictureReader(ImageFolder.Shape shape, InputScale scale, boolean inverted, OddImages odd,
            Consumer<String> notes) {
        this.shape = shape;
        this.inverted = inverted;
        this.odd = odd;
        this.notes = notes;
        this.decoder = new Decoder(shape.channels(), odd.background());
        this.view = new PixelView(shape.channels());
        this.exact = new Preprocessor(shape.channels(), shape.height(), shape.width(), 1, scale);
        this.cropped = new Preprocessor(shape.channels(), shape.height(), shape.width(), ImageFolder.USUAL_BORDER,
                scale);
        this.values = new float[shape.channels() * shape.height() * shape.width()];
    }

    /**
     * Writes a picture, CHW, into {@code input} from {@code at} on.
     *
     * @param file a picture
     * @param input receives the values, CHW
     * @param at where in {@code input} they begin
     * @return whether it was written; {@code false} if it cannot be read and is to be skipped
     * @throws DataException if it is not to be skipped, or is not there
     */
    public boolean read(Path file, float[] input, int at) {
        if (!Files.exists(file)) {
            throw new DataException(file + " does not exist" + FileNames.hint(file.toString()));
        }
        try {
            decoder.read(file, view);
        } catch (BadImageException e) {
            odd.damaged(file, e.getMessage());
            return false;
        }
        if (inverted) {
            invert();
        }
        boolean drawing = shape.channels() == 1;
        boolean fits = view.width == shape.width() && view.height == shape.height();
        if (!fits) {
            notes.accept(file + " has " + view.width + " x " + view.height + " pixels, " + (drawing ? "" : middle())
                    + "brought to " + shape.width() + " x " + shape.height());
        }
        if (drawing) {
            exact.squeeze(view, values);
        } else {
            (fits ? exact : cropped).run(view, Crop.CENTER, null, values);
        }
        System.arraycopy(values, 0, input, at, values.length);
        return true;
    }

    /** How much of the picture evaluation sees. */
    private String middle() {
        double scale = Math.min((double) view.width / shape.width(), (double) view.height / shape.height())
                / ImageFolder.USUAL_BORDER;
        return Math.round(shape.width() * scale) + " x " + Math.round(shape.height() * scale)
                + " in the middle are ";
    }

    private void invert() {
        int plane = view.width * view.height;
        if (negative.length < plane * shape.channels()) {
            negative = new byte[plane * shape.channels()];
        }
        int p = 0;
        for (int c = 0; c < shape.channels(); c++) {
            for (int y = 0; y < view.height; y++) {
                for (int x = 0; x < view.width; x++) {
                    negative[p++] =
                            (byte) (WHITE - view.bytes[view.first[c] + y * view.rowStride + x * view.pixelStride]);
                }
            }
        }
        view.planar(negative, 0, view.height, view.width);
    }

    @Override
    public void close() {
        decoder.close();
    }
}
