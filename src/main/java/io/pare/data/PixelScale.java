package io.pare.data;

import java.util.List;

/**
 * Turns an 8-bit pixel into a float: {@code (pixel / 255 - mean) / deviation}, for each channel by itself.
 *
 * @param mean of the pixels in [0, 1]: one for each channel, or one for all
 * @param deviation their standard deviation, positive; as many as means
 */
public record PixelScale(List<Float> mean, List<Float> deviation) {
    /** To [0, 1]. */
    public static final PixelScale UNIT = new PixelScale(0, 1);
    /** To mean 0 and deviation 1 over MNIST's training images. */
    public static final PixelScale MNIST = new PixelScale(0.1307f, 0.3081f);
    /** The same for Fashion-MNIST. */
    public static final PixelScale FASHION_MNIST = new PixelScale(0.2860f, 0.3530f);
    /** The same for CIFAR-10. */
    public static final PixelScale CIFAR10 = new PixelScale(List.of(0.4914f, 0.4822f, 0.4465f),
            List.of(0.2470f, 0.2435f, 0.2616f));
    /** The same for CIFAR-100. */
    public static final PixelScale CIFAR100 = new PixelScale(List.of(0.5071f, 0.4865f, 0.4409f),
            List.of(0.2673f, 0.2564f, 0.2762f));
    /** What networks for ImageNet are trained with everywhere, and many for other photographs too. */
    public static final PixelScale IMAGENET = new PixelScale(List.of(0.485f, 0.456f, 0.406f),
            List.of(0.229f, 0.224f, 0.225f));

    private static final PixelScale GREY_PHOTOGRAPHS = new PixelScale(0.449f, 0.226f);

    public PixelScale {
        mean = List.copyOf(mean);
        deviation = List.copyOf(deviation);
        boolean good = !mean.isEmpty() && mean.size() == deviation.size();
        for (int i = 0; good && i < mean.size(); i++) {
            good = Float.isFinite(mean.get(i)) && Float.isFinite(deviation.get(i)) && deviation.get(i) > 0;
        }
        if (!good) {
            throw new IllegalArgumentException("cannot scale pixels by mean " + mean + " and deviation " + deviation);
        }
    }

    /** One scale for all channels. */
    public PixelScale(float mean, float deviation) {
        this(List.of(mean), List.of(deviation));
    }

    /** What is usual for photographs: of three channels ImageNet's, of one its mean; of others none. */
    public static PixelScale ofPhotographs(int channels) {
        return switch (channels) {
            case 3 -> IMAGENET;
            case 1 -> GREY_PHOTOGRAPHS;
            default -> UNIT;
        };
    }

    /** The value of a pixel from 0 to 255 in {@code channel}. */
    public float apply(int channel, int pixel) {
        int c = mean.size() == 1 ? 0 : channel;
        return (pixel / 255f - mean.get(c)) / deviation.get(c);
    }

    /** Whether there is a scale for each of so many channels. */
    public boolean fits(int channels) {
        return mean.size() == 1 || mean.size() == channels;
    }

    /** The value of every pixel in each of {@code channels} channels. */
    float[][] tables(int channels) {
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
}
