package io.pare.cli;

import io.pare.data.OddImages;
import io.pare.net.Net;
import io.pare.net.Task;
import io.pare.run.DataSets;
import io.pare.run.DataSettings;
import io.pare.run.DataSettings.Source;
import io.pare.run.ModelSource;
import io.pare.run.Scales;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The options that choose a data set. */
final class DataOption {
    private static final String SYNTHETIC = "synthetic";

    @Spec(Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--dataset", paramLabel = "NAME",
            description = "mnist, fashion, emnist, cifar10, cifar100, cifar100-coarse (20 classes), folder (pictures), arrays (of NumPy) or"
                    + " synthetic (default: what lies in --data, else the model's usual data).")
    private Source source;

    @Option(names = "--data", paramLabel = "PATH",
            description = "Where it lies: a folder with four IDX files, CIFAR's binary files, pictures in train and test,"
                    + " or arrays; an .npz file with arrays such as x_train and y_train; or"
                    + " the word synthetic (default: the MNIST inside the jar, or data/NAME).")
    private Path data;

    @Option(names = "--task", paramLabel = "NAME",
            description = "What the network is to say of a sample: classify (one class), multilabel (which labels apply)"
                    + " or regress (numbers) (default: what the labels of the data say).")
    private Task task;

    @Option(names = "--images", paramLabel = "N", defaultValue = "1024",
            description = "Training images of synthetic data (default: ${DEFAULT-VALUE}).")
    private int images;

    @Option(names = "--resize", paramLabel = "PIXELS", defaultValue = "0",
            description = "Shorter side of pictures before inputs are cut out (default: 256 for inputs of 224; pictures of"
                    + " the input's size stay as they are).")
    private int resize;

    @Option(names = "--scale", paramLabel = "NAME|M/D",
            description = "How pixels become inputs: " + Scales.NAMES
                    + " (default: what the file of a trained network says, else the data set's).")
    private String scale;

    @Option(names = "--damaged", paramLabel = "RULE", defaultValue = "refuse",
            description = "Pictures that cannot be read: refuse or skip (default: ${DEFAULT-VALUE}).")
    private OddImages.Rule damaged;

    @Option(names = "--non-rgb", paramLabel = "RULE", defaultValue = "convert",
            description = "Pictures of other colours: convert, skip or refuse (default: ${DEFAULT-VALUE}).")
    private OddImages.Rule nonRgb;

    @Mixin
    private BackgroundOption background;

    private Integer loaders;

    @Option(names = "--loaders", paramLabel = "N",
            description = "Threads that read and decode images ahead; they change no result (default: as many as"
                    + " --threads for pictures that are decoded, none for data in memory).")
    void loaders(int wanted) {
        if (wanted < 0 || wanted > ThreadOption.MOST) {
            throw new ParameterException(spec.commandLine(),
                    "--loaders is " + wanted + ", must be from 0 to " + ThreadOption.MOST);
        }
        loaders = wanted;
    }

    /** What was asked for. */
    DataSettings settings() {
        if (damaged == OddImages.Rule.CONVERT) {
            throw new UsageException("--damaged is convert: what cannot be read is skipped or refused");
        }
        if (images < 1) {
            throw new UsageException("--images is " + images + ", must be at least 1");
        }
        if (resize < 0) {
            throw new UsageException("--resize is " + resize + ", must be at least 1");
        }
        if (scale != null) {
            Scales.parse(scale);
        }
        boolean word = data != null && data.toString().equals(SYNTHETIC);
        if (word && source != null && source != Source.SYNTHETIC) {
            throw new UsageException("--dataset " + source + " and --data synthetic contradict each other");
        }
        if (data != null && !word && source == Source.SYNTHETIC) {
            throw new UsageException("--dataset synthetic reads nothing: leave out --data " + data);
        }
        return new DataSettings(word ? Source.SYNTHETIC : source,
                data == null || word ? null : data.toAbsolutePath().normalize().toString(), images, resize, scale,
                damaged, nonRgb, background.text(), task);
    }

    /** What was asked for, or {@code kept} where nothing was asked that says which data; its folder may have moved. */
    DataSettings settings(DataSettings kept) {
        DataSettings asked = settings();
        if (source != null || asked.source() != null) {
            return asked;
        }
        return new DataSettings(kept.source(), asked.folder() == null ? kept.folder() : asked.folder(),
                matched("--images") ? images : kept.images(), matched("--resize") ? resize : kept.resize(),
                scale == null ? kept.scale() : scale, matched("--damaged") ? damaged : kept.damaged(),
                matched("--non-rgb") ? nonRgb : kept.nonRgb(),
                background.text() == null ? kept.background() : background.text(),
                task == null ? kept.task() : task);
    }

    /** Whether the data set was named, or a place for it. */
    boolean given() {
        return source != null || data != null;
    }

    /** Refuses what is for a data set, where inputs without labels take its place. */
    void refuse(Path inputs) {
        for (String option : List.of("--dataset", "--data", "--task", "--images", "--resize", "--scale", "--loaders")) {
            if (matched(option)) {
                throw new UsageException(option + (option.equals("--data") ? " and --calibrate exclude each other"
                        : " belongs to --data, whose place --calibrate takes: leave it out"));
            }
        }
        for (String option : List.of("--damaged", "--non-rgb", "--background")) {
            belongs(option, Files.isDirectory(inputs), "folders of pictures", inputs.toString());
        }
    }

    /** Opens the data for a network that may follow it, as {@link DataSets#open} does. */
    DataSets.Opened open(DataSettings settings, ModelSource model, int threads, Consumer<String> notes) {
        return used(settings, DataSets.open(settings, model, new DataSets.Loading(threads, loaders), notes));
    }

    /** The same, with the scale that the weights of {@code from} were trained with, unless another was asked for. */
    DataSets.Opened open(DataSettings settings, ModelSource model, FromOption from, int threads,
            Consumer<String> notes) throws IOException {
        DataSets.Opened opened = open(settings, model, threads, notes);
        return from.given() && settings.scale() == null ? opened.as(from.weights(), notes) : opened;
    }

    /** Opens the data for a network that is finished. */
    DataSets.Opened open(DataSettings settings, Net model, int threads, Consumer<String> notes) {
        return used(settings, DataSets.open(settings, model, new DataSets.Loading(threads, loaders), notes));
    }

    /** Refuses options that nothing of this kind of data takes. */
    private DataSets.Opened used(DataSettings settings, DataSets.Opened opened) {
        String name = opened.corpus().name();
        belongs("--images", opened.source() == Source.SYNTHETIC, "--data synthetic", name);
        belongs("--resize", opened.source() == Source.FOLDER, "folders of pictures", name);
        boolean pictures = DataSets.ofPictures(opened.source(), settings);
        for (String option : List.of("--damaged", "--non-rgb", "--background")) {
            belongs(option, pictures, "folders of pictures", name);
        }
        return opened;
    }

    private void belongs(String option, boolean used, String where, String name) {
        if (!used && matched(option)) {
            throw new UsageException(option + " is for " + where + "; this data is " + name + ": leave it out");
        }
    }

    private boolean matched(String option) {
        return spec.commandLine().getParseResult().hasMatchedOption(option);
    }
}
