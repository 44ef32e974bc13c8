package io.pare.train;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Shape;
import io.pare.net.Window;
import java.util.function.Consumer;

/**
 * What a layer multiplies by its weights: rows with as many elements as a row of weights has, in their order.
 *
 * <p>A convolution has a row for each place of its window. Of many places it gives some, evenly spread. Valid while a
 * {@link LayerWalk} shows the layer; one thread.
 */
public final class LayerInputs {
    /** Places of a convolution's window that are enough, with as many for each input as {@link #ROWS_EACH} says. */
    private static final long ROWS = 1 << 16;
    private static final long ROWS_EACH = 16;
    /** Rows that are laid out at once. */
    private static final int BLOCK = 1024;
    /** Fraction by which neighbours of a sequence lie apart such that any number of them is spread evenly. */
    private static final double GOLDEN = 0.6180339887498949;

    private final FloatTensor values;
    private final int width;
    /** Of a convolution, or {@code null} for rows that lie there as they are. */
    private final Window window;
    private final Shape image;

    private LayerInputs(FloatTensor values, int width, Window window, Shape image) {
        this.values = values;
        this.width = width;
        this.window = window;
        this.image = image;
    }

    /** Rows that lie there as they are. */
    static LayerInputs ofRows(FloatTensor values, int width) {
        return new LayerInputs(values, width, null, null);
    }

    /** Rows of a convolution of one group over images. */
    static LayerInputs ofImages(FloatTensor values, Window window, Shape image) {
        return new LayerInputs(values, image.channels() * window.taps(), window, image);
    }

    /** {@return elements of a row} */
    public int width() {
        return width;
    }

    /**
     * Gives all rows, a block at a time.
     *
     * @param block takes rows {@code [n, width]}; it must not change or keep them
     */
    public void forEach(Consumer<FloatTensor> block) {
        if (window == null) {
            block.accept(values.reshape(values.count() / width, width));
        } else {
            layOut(block);
        }
    }

    private void layOut(Consumer<FloatTensor> block) {
        Shape output = window.output(1, image);
        int places = output.height() * output.width();
        long samples = values.count() / image.features();
        int each = (int) Math.min(places, Math.ceilDiv(Math.max(ROWS, ROWS_EACH * width), samples));
        try (Region region = Region.confined("rows of a convolution")) {
            FloatTensor rows = region.tensor(BLOCK, width);
            int filled = 0;
            for (long i = 0; i < samples * each; i++) {
                int place = each == places
                        ? (int) (i % each)
                        : (int) (places * (i * GOLDEN - Math.floor(i * GOLDEN)));
                copy(i / each, place / output.width(), place % output.width(), rows, filled++);
                if (filled == BLOCK) {
                    block.accept(rows);
                    filled = 0;
                }
            }
            if (filled > 0) {
                block.accept(rows.rows(0, filled));
            }
        }
    }

    /** What the window covers in one place, in the order of a filter's weights. */
    private void copy(long sample, int row, int column, FloatTensor rows, int to) {
        long at = (long) to * width;
        for (int channel = 0; channel < image.channels(); channel++) {
            long plane = sample * image.features() + (long) channel * image.height() * image.width();
            for (int i = 0; i < window.kernelHeight(); i++) {
                int y = row * window.strideHeight() - window.top() + i * window.dilationHeight();
                for (int j = 0; j < window.kernelWidth(); j++) {
                    int x = column * window.strideWidth() - window.left() + j * window.dilationWidth();
                    boolean inside = y >= 0 && y < image.height() && x >= 0 && x < image.width();
                    rows.set(at++, inside ? values.get(plane + (long) y * image.width() + x) : 0);
                }
            }
        }
    }
}
