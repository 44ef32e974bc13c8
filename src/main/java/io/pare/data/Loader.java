package io.pare.data;

import io.pare.net.InputScale;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Makes inputs of images for one thread: reads, cuts out, scales, shifts, warps, flips. What cannot be varied is left as it is.
 * Allocates nothing by itself.
 */
final class Loader implements AutoCloseable {
    private final Dataset data;
    private final Images.Reader reader;
    /** Inputs that are no pixels; {@code null} where they are. */
    private final FloatImages floats;
    private final PixelView view;
    private final Preprocessor preprocessor;
    private final Augmentation augmentation;
    private final boolean varied;
    /** {@code null} where nothing is warped. */
    private final Warper warper;
    private final float[] black;
    private final float[] image;
    private final float[] source;
    private final SplitMix64 random = new SplitMix64(0);

    Loader(Dataset data, InputScale scale, Augmentation augmentation) {
        this.data = data;
        this.reader = data.images().reader();
        this.floats = data.images() instanceof FloatImages inputs ? inputs : null;
        this.view = new PixelView(data.channels());
        this.preprocessor = new Preprocessor(data.channels(), data.height(), data.width(), data.images().border(),
                floats == null ? scale : InputScale.UNIT);
        this.augmentation = data.varies() ? augmentation : Augmentation.NONE;
        this.varied = !this.augmentation.equals(Augmentation.NONE);
        this.image = new float[data.imageBytes()];
        boolean moved = !this.augmentation.shift().none() || !this.augmentation.warp().none();
        this.source = moved ? new float[data.imageBytes()] : image;
        this.warper = this.augmentation.warp().none()
                ? null
                : new Warper(this.augmentation.warp(), data.channels(), data.height(), data.width());
        this.black = new float[data.channels()];
        for (int channel = 0; channel < black.length; channel++) {
            black[channel] = preprocessor.black(channel);
        }
    }

    /**
     * Writes image {@code index}.
     *
     * @param family with the index it fixes what is random
     * @param target takes the floats from byte {@code offset} on
     * @return whether it was written; {@code false} if the image cannot be read and is to be skipped
     */
    boolean load(int index, long family, MemorySegment target, long offset) {
        if (floats == null) {
            try {
                reader.read(data.row(index), view);
            } catch (BadImageException e) {
                data.images().refuse(data.row(index), e);
                return false;
            }
        }
        if (varied) {
            random.restart(family, index);
        }
        if (floats == null) {
            preprocessor.run(view, augmentation.crop(), random, source);
        } else {
            floats.copy(data.row(index), source);
        }
        if (source != image) {
            move();
        }
        if (augmentation.flip() && random.nextInt(2) == 1) {
            flip();
        }
        MemorySegment.copy(image, 0, target, ValueLayout.JAVA_FLOAT, offset, image.length);
        return true;
    }

    /** Mirrors left to right. */
    private void flip() {
        int width = data.width();
        for (int row = 0; row < image.length; row += width) {
            for (int left = row, right = row + width - 1; left < right; left++, right--) {
                float kept = image[left];
                image[left] = image[right];
                image[right] = kept;
            }
        }
    }

    private void move() {
        Shift shift = augmentation.shift();
        float down = shift.none() ? 0 : shift.draw(random);
        float right = shift.none() ? 0 : shift.draw(random);
        if (warper == null) {
            shift(down, right);
        } else {
            warper.run(source, down, right, black, random, image);
        }
    }

    private void shift(float down, float right) {
        int rows = (int) Math.floor(down);
        int columns = (int) Math.floor(right);
        float below = down - rows;
        float beside = right - columns;
        if (below == 0 && beside == 0) {
            move(rows, columns);
        } else {
            interpolate(rows, columns, below, beside);
        }
    }

    /** Moves the loaded image by whole pixels. */
    private void move(int down, int right) {
        int height = data.height();
        int width = data.width();
        int kept = width - Math.abs(right);
        for (int channel = 0; channel < data.channels(); channel++) {
            int plane = channel * height * width;
            Arrays.fill(image, plane, plane + height * width, black[channel]);
            for (int y = Math.max(0, down); kept > 0 && y < Math.min(height, height + down); y++) {
                System.arraycopy(source, plane + (y - down) * width + Math.max(0, -right), image,
                        plane + y * width + Math.max(0, right), kept);
            }
        }
    }

    /** Moves it by whole pixels and the fractions {@code below} and {@code beside}, by bilinear interpolation. */
    private void interpolate(int rows, int columns, float below, float beside) {
        int height = data.height();
        int width = data.width();
        int p = 0;
        for (int channel = 0; channel < data.channels(); channel++) {
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    float near = (1 - beside) * at(channel, y - rows, x - columns)
                            + beside * at(channel, y - rows, x - columns - 1);
                    float far = (1 - beside) * at(channel, y - rows - 1, x - columns)
                            + beside * at(channel, y - rows - 1, x - columns - 1);
                    image[p++] = (1 - below) * near + below * far;
                }
            }
        }
    }

    private float at(int channel, int y, int x) {
        boolean outside = y < 0 || x < 0 || y >= data.height() || x >= data.width();
        return outside ? black[channel] : source[(channel * data.height() + y) * data.width() + x];
    }

    @Override
    public void close() {
        reader.close();
    }
}
