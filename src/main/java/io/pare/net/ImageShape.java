package io.pare.net;

/** Shape of one sample between two layers: channels, height, width. A vector of features is {@code features x 1 x 1}. */
public record ImageShape(int channels, int height, int width) {
    public ImageShape {
        if (channels < 1 || height < 1 || width < 1) {
            throw new IllegalArgumentException("not a shape: " + channels + "x" + height + "x" + width);
        }
    }

    /** Reads what {@link #toString} writes. */
    public static ImageShape parse(String text) {
        String[] sizes = text.split("x");
        if (sizes.length != 1 && sizes.length != 3) {
            throw new IllegalArgumentException("'" + text + "' is no shape such as 3x32x32");
        }
        return new ImageShape(Integer.parseInt(sizes[0]), sizes.length == 1 ? 1 : Integer.parseInt(sizes[1]),
                sizes.length == 1 ? 1 : Integer.parseInt(sizes[2]));
    }

    /** Elements of one sample. */
    public int features() {
        return Math.multiplyExact(Math.multiplyExact(channels, height), width);
    }

    @Override
    public String toString() {
        return height == 1 && width == 1 ? Integer.toString(channels) : channels + "x" + height + "x" + width;
    }
}
