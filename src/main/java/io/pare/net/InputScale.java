package io.pare.net;

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

    /** The same for Fashion-MNIST. */
    public static final InputScale FASHION_MNIST = new InputScale(0.2860f, 0.3530f);
    /** The same for CIFAR-10. */
    public static final InputScale CIFAR10 = new InputScale(List.of(0.4914f, 0.4822f, 0.4465f),
            List.of(0.2470f, 0.2435f, 0.2616f));
    /** The same for CIFAR-100. */
    public static final InputScale CIFAR100 = new InputScale(List.of(0.5071f, 0.4865f, 0.4409f),
            List.of(0.2673f, 0.2564f, 0.2762f));
    /** What networks for ImageNet are trained with everywhere, and many for other photographs too. */
    public static final InputScale IMAGENET = new InputScale(List.of(0.485f, 0.456f, 0.406f),
            List.of(0.229f, 0.224f, 0.225f));

    private static final InputScale GREY_PHOTOGRAPHS = new InputScale(0.449f, 0.226f);
    private static final Shape MNIST_IMAGE = Shape.of(1, 28, 28);

    /** Checks that there are as many deviations as means, all finite and above 0. */
    public InputScale {
        mean = List.copyOf(mean);
        deviation = List.copyOf(deviation);
        boolean good = !mean.isEmpty() && mean.size() == deviation.size()
                && mean.stream().allMatch(Float::isFinite)
                && deviation.stream().allMatch(d -> Float.isFinite(d) && d > 0);
        if (!good) {
            throw new IllegalArgumentException("cannot scale pixels by mean " + mean + " and deviation " + deviation);
        }
    }

    /**
     * One scale for all channels.
     *
     * @param mean taken from each pixel
     * @param deviation by which it is divided, above 0
     */
    public InputScale(float mean, float deviation) {
        this(List.of(mean), List.of(deviation));
    }

    /**
     * {@return what is assumed where a file does not say it: for images of MNIST's shape MNIST's scale, with which Pare
     * trains on them, else pixels in 0 to 1}
     *
     * @param input of one sample
     */
    public static InputScale usual(Shape input) {
        return input.equals(MNIST_IMAGE) ? MNIST : UNIT;
    }

    /**
     * {@return what is usual for photographs: of three channels ImageNet's, of one its mean; of others none}
     *
     * @param channels how many, 1 or more
     */
    public static InputScale ofPhotographs(int channels) {
        return switch (channels) {
            case 3 -> IMAGENET;
            case 1 -> GREY_PHOTOGRAPHS;
            default -> UNIT;
        };
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

    /**
     * {@return the network's input for a pixel of 0 to 255 in {@code channel}}
     *
     * @param channel from 0
     * @param pixel 0 to 255
     */
    public float apply(int channel, int pixel) {
        int c = mean.size() == 1 ? 0 : channel;
        return (pixel / 255f - mean.get(c)) / deviation.get(c);
    }

    /**
     * {@return whether there is a scale for each of so many channels}
     *
     * @param channels how many, 1 or more
     */
    public boolean fits(int channels) {
        return mean.size() == 1 || mean.size() == channels;
    }

    /**
     * {@return whether there is a scale for each channel of an input, or of the image that is laid out in it as a
     * vector}
     *
     * @param input of one sample
     */
    public boolean fits(Shape input) {
        return fits(input.channels()) || fits(input.image().channels());
    }

    /**
     * {@return the network's input for every pixel of 0 to 255, a row for each channel}
     *
     * @param channels how many, 1 or more
     * @throws IllegalArgumentException if the scale is for another number of channels
     */
    public float[][] tables(int channels) {
        if (!fits(channels)) {
            throw new IllegalArgumentException(
                    "scales for " + mean.size() + " channels do not fit images of " + channels);
        }
        float[][] tables = new float[channels][256];
        for (int c = 0; c < channels; c++) {
            for (int i = 0; i < 256; i++) {
                tables[c][i] = apply(c, i);
            }
        }
        return tables;
    }

    /** {@return the means in a form that {@link #parse} reads} */
    public String means() {
        return text(mean);
    }

    /** {@return the deviations in that form} */
    public String deviations() {
        return text(deviation);
    }

    /**
     * Reads what {@link #means} and {@link #deviations} have written.
     *
     * @param means one number, or one for each channel with commas between
     * @param deviations as many
     * @return the scale
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
