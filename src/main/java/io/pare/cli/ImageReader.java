package io.pare.cli;

import io.pare.data.DataException;
import io.pare.data.Dataset;
import io.pare.data.ImageFolder;
import io.pare.format.InputScale;
import io.pare.model.ImageShape;
import io.pare.model.Model;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import javax.imageio.ImageIO;

/** Reads pictures as inputs of a network. */
final class ImageReader {
    private static final int OPAQUE = 255;

    private ImageReader() {}

    /** Fails unless a data set's images fit a network. */
    static void check(Model model, Dataset data) {
        ImageShape needed = model.input();
        if (needed.channels() != data.channels() || needed.height() != data.height() || needed.width() != data.width()
                || model.classes() < data.classes()) {
            throw new DataException(model.name() + " takes images of " + needed + " in " + model.classes()
                    + " classes; these are " + data);
        }
    }

    /**
     * A picture of any size, averaged down or repeated up to a network's input, in CHW order and scaled: of drawings, for
     * grey networks, all of it, of photographs the part that evaluation sees, from the middle and of the input's ratio.
     *
     * @param inverted whether dark is ink: MNIST's digits are light on dark
     * @param notes told when a picture has another size
     */
    static float[] read(Path file, ImageShape shape, InputScale scale, boolean inverted, Consumer<String> notes)
            throws IOException {
        if (!Files.exists(file)) {
            throw new DataException(file + " does not exist");
        }
        BufferedImage picture;
        try (var in = Files.newInputStream(file)) {
            picture = ImageIO.read(in);
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new DataException(file + " is a damaged picture (" + e.getMessage() + ")", e);
        } catch (IOException e) {
            throw new DataException(file + " cannot be read as a picture: " + e.getMessage(), e);
        }
        if (picture == null) {
            throw new DataException(file + " is no picture that this JDK reads: use PNG, JPEG, BMP or GIF");
        }
        Rectangle part = new Rectangle(picture.getWidth(), picture.getHeight());
        if (picture.getHeight() != shape.height() || picture.getWidth() != shape.width()) {
            Rectangle whole = part;
            part = shape.channels() == 1 ? whole : middle(whole, shape);
            notes.accept(file + " has " + whole.width + " x " + whole.height + " pixels, "
                    + (part.equals(whole) ? "" : part.width + " x " + part.height + " in the middle are ")
                    + "brought to "
                    + shape.width() + " x " + shape.height());
        }
        float[] input = new float[shape.features()];
        int at = 0;
        for (int channel = 0; channel < shape.channels(); channel++) {
            for (int y = 0; y < shape.height(); y++) {
                for (int x = 0; x < shape.width(); x++) {
                    int pixel = average(picture, part, shape, channel, y, x);
                    input[at++] = scale.apply(channel, inverted ? OPAQUE - pixel : pixel);
                }
            }
        }
        return input;
    }

    private static Rectangle middle(Rectangle whole, ImageShape shape) {
        double scale = Math.min((double) whole.width / shape.width(), (double) whole.height / shape.height())
                / ImageFolder.USUAL_BORDER;
        int width = (int) Math.max(1, Math.round(shape.width() * scale));
        int height = (int) Math.max(1, Math.round(shape.height() * scale));
        return new Rectangle((whole.width - width) / 2, (whole.height - height) / 2, width, height);
    }

    /** Mean, 0 to 255, of what one pixel of the input covers of the picture's part. */
    private static int average(BufferedImage picture, Rectangle part, ImageShape shape, int channel, int y, int x) {
        int top = part.y + y * part.height / shape.height();
        int bottom = Math.max(top + 1, part.y + (y + 1) * part.height / shape.height());
        int left = part.x + x * part.width / shape.width();
        int right = Math.max(left + 1, part.x + (x + 1) * part.width / shape.width());
        long sum = 0;
        for (int row = top; row < bottom; row++) {
            for (int column = left; column < right; column++) {
                sum += value(colour(picture, column, row), shape.channels(), channel);
            }
        }
        long count = (long) (bottom - top) * (right - left);
        return (int) ((sum + count / 2) / count);
    }

    /** Alpha, red, green and blue. A grey picture's own getRGB takes its samples for linear light and brightens them. */
    private static int colour(BufferedImage picture, int x, int y) {
        if (picture.getType() == BufferedImage.TYPE_BYTE_GRAY) {
            return 0xff000000 | picture.getRaster().getSample(x, y, 0) * 0x010101;
        }
        return picture.getRGB(x, y);
    }

    /** One channel, or for grey networks the luminance (ITU-R BT.601), of a colour over black. */
    private static int value(int argb, int channels, int channel) {
        int alpha = argb >>> 24;
        int red = argb >>> 16 & 0xff;
        int green = argb >>> 8 & 0xff;
        int blue = argb & 0xff;
        int plain = channels == 1 ? (299 * red + 587 * green + 114 * blue + 500) / 1000
                : channel == 0 ? red : channel == 1 ? green : blue;
        return plain * alpha / OPAQUE;
    }
}
