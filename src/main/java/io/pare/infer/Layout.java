package io.pare.infer;

import io.pare.net.Shape;

/** Where values lie: distances in pixels; each pixel is {@code n} floats. */
record Layout(int channels, int height, int width, int row, int plane) {
    /** Without gaps; the dimensions of a tensor behind the first are rows of its images. */
    static Layout compact(Shape shape) {
        if (shape.rank() > 3) {
            return compact(Shape.of(shape.channels(), shape.features() / shape.channels(), 1));
        }
        return new Layout(shape.channels(), shape.height(), shape.width(), shape.width(),
                shape.height() * shape.width());
    }

    Shape shape() {
        return Shape.of(channels, height, width);
    }

    boolean isCompact() {
        return row == width && plane == height * width;
    }

    /** Offset of feature {@code index} in CHW order. */
    int at(int index) {
        int area = height * width;
        return index / area * plane + index % area / width * row + index % width;
    }

    long pixels() {
        return (long) channels * plane;
    }
}
