package io.pare.tensor;

/** Numbers that count values along an axis. */
final class Indices {
    private Indices() {}

    /**
     * The index, of {@code size}, for which a number stands; below 0 it counts from the end.
     *
     * @throws IllegalArgumentException if there is none
     */
    static int checked(float number, int size) {
        int index = (int) number;
        int counted = index < 0 ? index + size : index;
        if (counted < 0 || counted >= size || index != number) {
            throw new IllegalArgumentException("an input is " + number + ", an index of " + size + " values is needed");
        }
        return counted;
    }
}
