package io.pare.run;

import io.pare.data.Cifar;
import io.pare.data.Corpus;
import io.pare.data.Mnist;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Shape;
import io.pare.net.StoredNetwork;
import io.pare.run.DataSettings.Source;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** How pixels become inputs: names of scales, and what is assumed where a file does not say it. */
public final class Scales {
    /** Names of scales, for help texts. */
    public static final String NAMES =
            "mnist, fashion, cifar10, cifar100, imagenet, unit, or means and deviations such as"
                    + " 0.5,0.5,0.5/0.2,0.2,0.2";

    private static final Map<String, InputScale> KNOWN = Map.of("unit", InputScale.UNIT, "mnist", InputScale.MNIST,
            "fashion", InputScale.FASHION_MNIST, "cifar10", InputScale.CIFAR10, "cifar100", InputScale.CIFAR100,
            "imagenet", InputScale.IMAGENET);

    private Scales() {}

    /**
     * Reads a scale: a name, or means and deviations such as {@code 0.5,0.5,0.5/0.2,0.2,0.2}.
     *
     * @param text of an option
     * @return the scale
     * @throws RunException if it is neither
     */
    public static InputScale parse(String text) {
        InputScale known = KNOWN.get(text.toLowerCase(Locale.ROOT));
        if (known != null) {
            return known;
        }
        String[] parts = text.split("/");
        try {
            if (parts.length == 2) {
                return new InputScale(numbers(parts[0]), numbers(parts[1]));
            }
        } catch (IllegalArgumentException e) {
            throw new RunException("--scale " + text + ": " + e.getMessage());
        }
        throw new RunException("--scale " + text + " is neither one of " + String.join(", ", KNOWN.keySet().stream()
                .sorted().toList()) + " nor means and deviations with a slash between");
    }

    private static List<Float> numbers(String text) {
        List<Float> numbers = new ArrayList<>();
        for (String part : text.split(",")) {
            numbers.add(Float.parseFloat(part.strip()));
        }
        return numbers;
    }

    /**
     * {@return a scale as {@link #parse} reads it, by its name if it has one}
     *
     * @param scale that is written
     */
    public static String text(InputScale scale) {
        return KNOWN.entrySet().stream().filter(entry -> entry.getValue().equals(scale)).map(Map.Entry::getKey)
                .findFirst().orElseGet(() -> scale.means() + "/" + scale.deviations());
    }

    /**
     * {@return the same network with another scale}
     *
     * @param weights of a network
     * @param scale of its inputs
     * @throws RunException if the scale is for another number of channels
     */
    public static CompressedWeights with(CompressedWeights weights, InputScale scale) {
        if (!scale.fits(weights.model().input())) {
            throw new RunException("--scale " + text(scale) + " is for " + scale.mean().size() + " channels, "
                    + weights.model().name() + " takes " + weights.model().input().channels());
        }
        return new CompressedWeights(weights.model(), weights.tensors(), scale);
    }

    private static void guessed(Path file, InputScale scale, Consumer<String> notes) {
        notes.accept("pare: " + file + " does not say how pixels become inputs: the scale " + text(scale)
                + " is taken, --scale says otherwise");
    }

    /**
     * {@return the scale that a network was trained with, if its file says it; else the data's}
     *
     * @param file names itself in a note
     * @param contents of that file
     * @param corpus whose scale is the guess
     * @param notes is told if the scale is a guess
     */
    public static InputScale trained(Path file, StoredNetwork contents, Corpus corpus, Consumer<String> notes) {
        if (contents.scaled()) {
            return contents.weights().scale();
        }
        guessed(file, corpus.scale(), notes);
        return corpus.scale();
    }

    /**
     * {@return the weights in a file with the scale that was asked for, else the file's, else that of the usual data}
     *
     * @param file names itself in a note
     * @param contents of that file
     * @param asked as {@link #parse} reads it, or {@code null}
     * @param notes is told if the scale is a guess
     * @throws RunException if {@code asked} is no scale for this network
     */
    public static CompressedWeights choose(Path file, StoredNetwork contents, @Nullable String asked,
            Consumer<String> notes) {
        CompressedWeights weights = contents.weights();
        if (asked != null) {
            return with(weights, parse(asked));
        }
        if (contents.scaled()) {
            return weights;
        }
        InputScale usual = usual(weights.model());
        guessed(file, usual, notes);
        return with(weights, usual);
    }

    /** The scale of the data that networks with such inputs are usually for. */
    private static InputScale usual(Net model) {
        Source source = usualData(model);
        return switch (source) {
            case MNIST -> InputScale.MNIST;
            case CIFAR10 -> InputScale.CIFAR10;
            case CIFAR100 -> InputScale.CIFAR100;
            case null -> InputScale.ofPhotographs(model.input().image().channels());
            case FASHION, CIFAR100_COARSE, EMNIST, FOLDER, ARRAYS, SYNTHETIC ->
                    throw new IllegalStateException(source + " is nobody's usual data");
        };
    }

    /**
     * {@return the data that networks with such inputs are usually for, or {@code null}}
     *
     * @param model network whose input counts
     */
    public static @Nullable Source usualData(Net model) {
        Shape input = model.input();
        if (input.channels() == 1 && input.height() == Mnist.SIDE && input.width() == Mnist.SIDE) {
            return Source.MNIST;
        }
        if (input.channels() == 3 && input.height() == Cifar.SIDE && input.width() == Cifar.SIDE) {
            return model.classes() == Cifar.CIFAR100.classes() ? Source.CIFAR100 : Source.CIFAR10;
        }
        return null;
    }
}
