package io.pare.net;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Shape of one sample of a value: an image {@code [channels, height, width]}, a vector {@code [features]}, or a tensor of
 * any other rank. The batch is a dimension in front of these, of any size, and is never written down.
 *
 * <p>The first dimension counts units: channels of an image, features of a vector. A single number has no dimensions and
 * is one unit.
 *
 * @param sizes positive
 */
public record Shape(List<Integer> sizes) {
    /** Checks that all sizes are positive. */
    public Shape {
        sizes = List.copyOf(sizes);
        if (sizes.stream().anyMatch(size -> size < 1)) {
            throw new IllegalArgumentException("not a shape: " + text(sizes));
        }
    }

    /**
     * {@return the shape of such sizes, outermost first}
     *
     * @param sizes positive, the slowest first
     */
    public static Shape of(int... sizes) {
        return new Shape(IntStream.of(sizes).boxed().toList());
    }

    /**
     * Reads what {@link #toString} writes; one number is an image of one pixel.
     *
     * @param text such as {@code 3x32x32}, or one number
     * @return the shape
     */
    public static Shape parse(String text) {
        String[] sizes = text.split("x");
        if (sizes.length != 1 && sizes.length != 3) {
            throw new IllegalArgumentException("'" + text + "' is no shape such as 3x32x32");
        }
        int[] parsed = Arrays.stream(sizes).mapToInt(Integer::parseInt).toArray();
        return parsed.length == 1 ? of(parsed[0], 1, 1) : of(parsed);
    }

    /** {@return the number of dimensions; the batch is none} */
    public int rank() {
        return sizes.size();
    }

    /** {@return the number of units: channels of an image, features of a vector} */
    public int channels() {
        return rank() > 0 ? sizes.getFirst() : 1;
    }

    /**
     * {@return the size of the last dimension but {@code behind - 1}: 1 asks for the last one}
     *
     * @param behind from 1
     */
    public Integer fromEnd(int behind) {
        return sizes.get(rank() - behind);
    }

    /** {@return the rows of an image; 1 of a vector} */
    public int height() {
        return rank() > 1 ? sizes.get(1) : 1;
    }

    /** {@return the columns of an image; 1 of a vector} */
    public int width() {
        return rank() > 2 ? sizes.get(2) : 1;
    }

    /** {@return the elements of one sample; {@link ArithmeticException} beyond the range of an int} */
    public int features() {
        int features = 1;
        for (int i = 0; i < rank(); i++) {
            features = Math.multiplyExact(features, sizes.get(i));
        }
        return features;
    }

    /** {@return whether there is one value for each unit: a vector, an image of one pixel, a number} */
    public boolean isVector() {
        return sizes.stream().skip(1).allMatch(size -> size == 1);
    }

    /**
     * {@return the image whose values, channel by channel and row by row, an input of this shape takes: of a vector the
     * square one in grey or in red, green and blue that has as many; otherwise the shape itself}
     */
    public Shape image() {
        if (isVector()) {
            for (int colours : new int[]{3, 1}) {
                int side = (int) Math.round(Math.sqrt((double) features() / colours));
                if ((long) colours * side * side == features()) {
                    return of(colours, side, side);
                }
            }
        }
        return this;
    }

    /**
     * {@return whether values of the other shape, in their order, can be those of this one: the same but for ones, or a
     * vector}
     *
     * @param other of a value
     */
    public boolean takes(Shape other) {
        return features() == other.features()
                && (isVector() || other.isVector() || extended().equals(other.extended()));
    }

    private List<Integer> extended() {
        return sizes.stream().filter(size -> size > 1).toList();
    }

    /** {@return the same values as a vector} */
    public Shape flat() {
        return of(features());
    }

    @Override
    public String toString() {
        return rank() == 3 && isVector() ? Integer.toString(channels()) : text(sizes);
    }

    private static String text(List<Integer> sizes) {
        return sizes.stream().map(String::valueOf).collect(Collectors.joining("x"));
    }
}
