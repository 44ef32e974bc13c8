package io.pare.format;

import io.pare.model.ImageShape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How a pixel becomes an input of the network: {@code (pixel / 255 - mean) / deviation}, pixel 0 to 255.
 *
 * @param mean subtracted, in units of the full range: one for each channel, or one for all
 * @param deviation divisor, positive; as many as means
 */
public record InputScale(List<Float> mean, List<Float> deviation) {
    /** Pixels in 0 to 1. */
    public static final InputScale UNIT = new InputScale(0, 1);

    /** Mean 0 and deviation 1 over MNIST's training images. */
    public static final InputScale MNIST = new InputScale(0.1307f, 0.3081f);

    private static final ImageShape MNIST_IMAGE = new ImageShape(1, 28, 28);

    public InputScale {
        mean = List.copyOf(mean);
        deviation = List.copyOf(deviation);
        boolean good = !mean.isEmpty() && mean.size() == deviation.size()
                && mean.stream().allMatch(Float::isFinite)
                && deviation.stream().allMatch(d -> Float.isFinite(d) && d > 0);
        if (!good) {
            throw new IllegalArgumentException("not a scale for inputs: mean " + mean + ", deviation " + deviation);
        }
    }

    /** One scale for all channels. */
    public InputScale(float mean, float deviation) {
        this(List.of(mean), List.of(deviation));
    }

    /**
     * What is assumed where a file does not say it: for images of MNIST's shape MNIST's scale, with which Pare trains
     * on them, else pixels in 0 to 1.
     */
    public static InputScale usual(ImageShape input) {
        return input.equals(MNIST_IMAGE) ? MNIST : UNIT;
    }

    /**
     * The network's input for one picture.
     *
     * @param pixels 0 to 255, channel by channel and row by row; not changed
     * @return as many numbers
     * @throws IllegalArgumentException if the channels that are scaled apart do not divide them evenly
     */
    public float[] apply(int[] pixels) {
        if (pixels.length % mean.size() != 0) {
            throw new IllegalArgumentException(pixels.length + " pixels are no " + mean.size() + " channels");
        }
        int plane = Math.max(1, pixels.length / mean.size());
        float[] input = new float[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            input[i] = apply(i / plane, pixels[i]);
        }
        return input;
    }

    /** The network's input for a pixel of 0 to 255 in {@code channel}. */
    public float apply(int channel, int pixel) {
        int c = mean.size() == 1 ? 0 : channel;
        return (pixel / 255f - mean.get(c)) / deviation.get(c);
    }

    /** Whether there is a scale for each of so many channels. */
    public boolean fits(int channels) {
        return mean.size() == 1 || mean.size() == channels;
    }

    /** The means in a form that {@link #parse} reads. */
    public String means() {
        return text(mean);
    }

    /** The deviations in that form. */
    public String deviations() {
        return text(deviation);
    }

    /**
     * @param means one number, or one for each channel with commas between
     * @param deviations as many
     * @throws IllegalArgumentException if they are none or do not fit together
     */
    public static InputScale parse(String means, String deviations) {
        return new InputScale(numbers(means), numbers(deviations));
    }

    private static String text(List<Float> numbers) {
        return numbers.stream().map(number -> Float.toString(number)).collect(Collectors.joining(","));
    }

    private static List<Float> numbers(String text) {
        List<Float> numbers = new ArrayList<>();
        for (String part : text.split(",")) {
            try {
                numbers.add(Float.parseFloat(part.strip()));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("'" + part + "' is no number", e);
            }
        }
        return numbers;
    }
}
