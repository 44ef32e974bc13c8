package io.pare.format;

/**
 * How a pixel becomes an input of the network: {@code (pixel / 255 - mean) / deviation}, pixel 0 to 255.
 *
 * @param mean subtracted, in units of the full range
 * @param deviation divisor, positive
 */
public record InputScale(float mean, float deviation) {
    /** Pixels in 0 to 1. */
    public static final InputScale UNIT = new InputScale(0, 1);

    /** Mean 0 and deviation 1 over MNIST's training images: what Pare trains with. */
    public static final InputScale MNIST = new InputScale(0.1307f, 0.3081f);

    public InputScale {
        if (!Float.isFinite(mean) || !Float.isFinite(deviation) || !(deviation > 0)) {
            throw new IllegalArgumentException("not a scale for inputs: mean " + mean + ", deviation " + deviation);
        }
    }

    /** The network's input for a pixel of 0 to 255. */
    public float apply(int pixel) {
        return (pixel / 255f - mean) / deviation;
    }
}
