package io.pare.data;

import java.util.Arrays;

/**
 * Warps images of one shape: rotates, zooms, shears, shifts and displaces them in one bilinear resampling.
 *
 * <p>Displacements are cubic B-splines over few control points, evenly drawn: as smooth as noise that a Gaussian smooths,
 * at a tenth of the work. Allocates nothing after it is made. Trigonometry is {@link StrictMath}'s, and the rest single
 * operations on floats: the same bits on every machine. One thread.
 */
final class Warper {
    /** Intervals of the splines along a side, and the points that they need. */
    private static final int INTERVALS = 4;
    private static final int POINTS = INTERVALS + 3;
    /** Points a pixel depends on along a side. */
    private static final int TAPS = 4;
    /** Bound of evenly drawn points for a root mean square of 1: sqrt(3) for the draw, 315/151 for the splines' mean square. */
    private static final float SPREAD = (float) (Math.sqrt(3) * 315 / 151);

    private final Warp warp;
    private final int channels;
    private final int height;
    private final int width;
    private final float[] down = new float[POINTS * POINTS];
    private final float[] right = new float[POINTS * POINTS];
    private final float[] rowDown = new float[POINTS];
    private final float[] rowRight = new float[POINTS];
    private final int[] firstOfRow;
    private final float[] tapsOfRow;
    private final int[] firstOfColumn;
    private final float[] tapsOfColumn;
    /** A channel with a border of one pixel in front and two behind, so that no pixel is asked where it lies. */
    private final float[] framed;
    private final int pitch;
    /** Of each pixel: where the upper left of its four sources lies in the frame, and how far beyond it is its own. */
    private final int[] place;
    private final float[] below;
    private final float[] beside;

    Warper(Warp warp, int channels, int height, int width) {
        this.warp = warp;
        this.channels = channels;
        this.height = height;
        this.width = width;
        this.firstOfRow = new int[height];
        this.tapsOfRow = new float[height * TAPS];
        taps(height, firstOfRow, tapsOfRow);
        this.firstOfColumn = new int[width];
        this.tapsOfColumn = new float[width * TAPS];
        taps(width, firstOfColumn, tapsOfColumn);
        this.pitch = width + 3;
        this.framed = new float[(height + 3) * pitch];
        this.place = new int[height * width];
        this.below = new float[height * width];
        this.beside = new float[height * width];
    }

    /** The weights of the uniform cubic B-spline at each place of a side. */
    private static void taps(int side, int[] first, float[] taps) {
        for (int i = 0; i < side; i++) {
            double at = side == 1 ? 0 : (double) i / (side - 1) * INTERVALS;
            first[i] = Math.min((int) at, INTERVALS - 1);
            double t = at - first[i];
            double s = 1 - t;
            taps[i * TAPS] = (float) (s * s * s / 6);
            taps[i * TAPS + 1] = (float) ((3 * t * t * t - 6 * t * t + 4) / 6);
            taps[i * TAPS + 2] = (float) ((3 * s * s * s - 6 * s * s + 4) / 6);
            taps[i * TAPS + 3] = (float) (t * t * t / 6);
        }
    }

    /**
     * Warps one image.
     *
     * @param source channels by height by width
     * @param shiftDown by which it moves as well
     * @param shiftRight likewise
     * @param black what lies outside, by channel
     * @param random draws the map
     * @param target of the same size, not {@code source}
     */
    void run(float[] source, float shiftDown, float shiftRight, float[] black, SplitMix64 random, float[] target) {
        double angle = Math.toRadians(warp.rotate()) * even(random);
        float grown = 1 / (1 + warp.zoom() * even(random));
        float lean = warp.shear() * even(random);
        float cos = (float) StrictMath.cos(angle) * grown;
        float sin = (float) StrictMath.sin(angle) * grown;
        if (warp.elastic() > 0) {
            for (int p = 0; p < down.length; p++) {
                down[p] = SPREAD * warp.elastic() * even(random);
                right[p] = SPREAD * warp.elastic() * even(random);
            }
        }
        // From a pixel of the target back to its source: not the turn itself but its inverse, and then the lean.
        map(cos, sin, lean * cos - sin, lean * sin + cos, shiftDown, shiftRight);
        for (int channel = 0; channel < channels; channel++) {
            sample(source, channel * height * width, black[channel], target);
        }
    }

    private static float even(SplitMix64 random) {
        return 2 * random.nextFloat() - 1;
    }

    /** Finds the source of each pixel: down' = a down + b right, right' = c down + d right, from the middle. */
    private void map(float a, float b, float c, float d, float shiftDown, float shiftRight) {
        float middleY = (height - 1) / 2f;
        float middleX = (width - 1) / 2f;
        boolean elastic = warp.elastic() > 0;
        for (int y = 0; y < height; y++) {
            if (elastic) {
                row(down, y, rowDown);
                row(right, y, rowRight);
            }
            float fromY = y - middleY - shiftDown;
            for (int x = 0; x < width; x++) {
                float fromX = x - middleX - shiftRight;
                float sourceY = a * fromY + b * fromX + middleY;
                float sourceX = c * fromY + d * fromX + middleX;
                if (elastic) {
                    sourceY += along(rowDown, x);
                    sourceX += along(rowRight, x);
                }
                below[y * width + x] = sourceY;
                beside[y * width + x] = sourceX;
            }
        }
        frame();
    }

    /** Places in the frame of what {@link #map} found: a loop of its own, which the JIT makes one of vectors. */
    private void frame() {
        for (int pixel = 0; pixel < place.length; pixel++) {
            float inY = Math.max(0f, Math.min(height + 1f, below[pixel] + 1));
            float inX = Math.max(0f, Math.min(width + 1f, beside[pixel] + 1));
            int top = (int) inY;
            int left = (int) inX;
            place[pixel] = top * pitch + left;
            below[pixel] = inY - top;
            beside[pixel] = inX - left;
        }
    }

    /** What the control points come to in a row of pixels, by column of points. */
    private void row(float[] points, int y, float[] into) {
        int first = firstOfRow[y] * POINTS;
        int tap = y * TAPS;
        for (int p = 0; p < POINTS; p++) {
            into[p] = tapsOfRow[tap] * points[first + p] + tapsOfRow[tap + 1] * points[first + POINTS + p]
                    + tapsOfRow[tap + 2] * points[first + 2 * POINTS + p]
                    + tapsOfRow[tap + 3] * points[first + 3 * POINTS + p];
        }
    }

    private float along(float[] row, int x) {
        int first = firstOfColumn[x];
        int tap = x * TAPS;
        return tapsOfColumn[tap] * row[first] + tapsOfColumn[tap + 1] * row[first + 1]
                + tapsOfColumn[tap + 2] * row[first + 2] + tapsOfColumn[tap + 3] * row[first + 3];
    }

    private void sample(float[] source, int plane, float black, float[] target) {
        Arrays.fill(framed, black);
        for (int y = 0; y < height; y++) {
            System.arraycopy(source, plane + y * width, framed, (y + 1) * pitch + 1, width);
        }
        for (int pixel = 0; pixel < place.length; pixel++) {
            int at = place[pixel];
            float right = beside[pixel];
            float near = (1 - right) * framed[at] + right * framed[at + 1];
            float far = (1 - right) * framed[at + pitch] + right * framed[at + pitch + 1];
            target[plane + pixel] = (1 - below[pixel]) * near + below[pixel] * far;
        }
    }
}
