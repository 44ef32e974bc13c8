package io.pare.cli;

import io.pare.cli.DataSettings.Source;
import io.pare.data.Cifar;
import io.pare.data.Corpus;
import io.pare.data.DataException;
import io.pare.data.Dataset;
import io.pare.data.ImageFolder;
import io.pare.data.Mnist;
import io.pare.data.OddImages;
import io.pare.net.ImageShape;
import io.pare.net.InputScale;
import io.pare.net.Model;
import io.pare.net.Models;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The options that choose a data set, and how it is found and opened. */
final class DataOption {
    private static final String SYNTHETIC = "synthetic";
    private static final int SYNTHETIC_TEST_SHARE = 8;

    @Spec(Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--dataset", paramLabel = "NAME",
            description = "mnist, fashion, cifar10, cifar100, folder (pictures) or synthetic (default: what lies in --data,"
                    + " else the model's usual data).")
    private Source source;

    @Option(names = "--data", paramLabel = "DIR",
            description = "Where it lies: four IDX files, CIFAR's binary files, or pictures in train and test; or"
                    + " the word synthetic (default: the MNIST inside the jar, or data/NAME).")
    private Path data;

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
        return new DataSettings(word ? Source.SYNTHETIC : source,
                data == null || word ? null : data.toAbsolutePath().normalize().toString(), images, resize, scale,
                damaged, nonRgb, background.text());
    }

    /** What was asked for, or {@code kept} where nothing was asked that says which data; its folder may have moved. */
    DataSettings settings(DataSettings kept) {
        DataSettings asked = settings();
        if (source != null || asked.source() != null) {
            return asked;
        }
        return new DataSettings(kept.source(), asked.folder() == null ? kept.folder() : asked.folder(), kept.images(),
                kept.resize(), scale == null ? kept.scale() : scale, kept.damaged(), kept.nonRgb(),
                background.text() == null ? kept.background() : background.text());
    }

    /** Whether the data set was named, or a place for it. */
    boolean given() {
        return source != null || data != null;
    }

    /** Data of the kind that was asked for or found, and a model that fits it. */
    record Opened(Source source, Corpus corpus, Model model, OddImages odd) {}

    /**
     * Opens the data for a model.
     *
     * @param modelName a network that Pare knows
     * @param threads that compute; as many load
     * @param notes takes a line for each picture that is skipped
     */
    Opened open(DataSettings settings, String modelName, int threads, Consumer<String> notes) {
        Model usual = Models.byName(modelName);
        OddImages odd = settings.odd(notes);
        Source found = settings.source() != null ? settings.source() : guess(settings, usual);
        Corpus corpus = corpus(found, settings, usual, odd, threads);
        Dataset train = corpus.train();
        ImageShape shape = new ImageShape(train.channels(), train.height(), train.width());
        Model model = Models.byName(modelName, shape, train.classes());
        check(model, train);
        return new Opened(found, corpus, model, odd);
    }

    /** Opens the data for a network that is finished. */
    Opened open(DataSettings settings, Model model, int threads, Consumer<String> notes) {
        OddImages odd = settings.odd(notes);
        Source found = settings.source() != null ? settings.source() : guess(settings, model);
        Corpus corpus = corpus(found, settings, model, odd, threads);
        check(model, corpus.test());
        return new Opened(found, corpus, model, odd);
    }

    /** Fails unless a data set's images fit a network. */
    private static void check(Model model, Dataset data) {
        ImageShape needed = model.input();
        if (needed.channels() != data.channels() || needed.height() != data.height() || needed.width() != data.width()
                || model.classes() < data.classes()) {
            throw new DataException(model.name() + " takes images of " + needed + " in " + model.classes()
                    + " classes; these are " + data);
        }
    }

    private Corpus corpus(Source found, DataSettings settings, Model model, OddImages odd, int threads) {
        ImageShape input = model.input();
        Path folder = settings.folder() == null ? null : Path.of(settings.folder());
        if (folder != null) {
            Cifar.refusePython(folder);
        }
        int working = loaders == null ? threads : Math.max(1, loaders);
        ImageFolder.Shape shape = new ImageFolder.Shape(input.channels(), input.height(), input.width(),
                settings.resize());
        Corpus corpus = switch (found) {
            case MNIST -> (folder == null ? Mnist.embedded() : Mnist.load(folder)).corpus();
            case FASHION -> Mnist.load("Fashion-MNIST",
                    place(folder, found, "/usr/share/datasets/fashion-mnist")).fashion();
            case CIFAR10 -> cifar(Cifar.CIFAR10, place(folder, found), odd, working);
            case CIFAR100 -> cifar(Cifar.CIFAR100, place(folder, found), odd, working);
            case FOLDER -> {
                if (folder == null) {
                    throw new UsageException("which folder? Give --data DIR with train and test in it");
                }
                if (input.channels() != 1 && input.channels() != 3) {
                    throw new UsageException("pictures have 1 or 3 channels, " + model.name() + " takes "
                            + input.channels());
                }
                yield ImageFolder.load(folder, shape, odd, working);
            }
            case SYNTHETIC -> Corpus.synthetic(input.channels(), input.height(), input.width(), model.classes(),
                    settings.images(), Math.max(1, settings.images() / SYNTHETIC_TEST_SHARE), 1);
        };
        if (settings.scale() != null) {
            InputScale chosen = Scales.parse(settings.scale());
            if (!chosen.fits(corpus.train().channels())) {
                throw new UsageException("--scale " + settings.scale() + " is for " + chosen.mean().size()
                        + " channels, " + corpus.name() + " has " + corpus.train().channels());
            }
            corpus = corpus.with(chosen);
        }
        return corpus.loaders(loaders != null ? loaders : corpus.train().slow() ? threads : 0);
    }

    /** Binary files, or pictures in a folder for each class. */
    static Corpus cifar(Cifar kind, Path folder, OddImages odd, int threads) {
        if (kind.looksLike(folder) || !ImageFolder.looksLike(folder)) {
            return kind.load(folder);
        }
        Corpus pictures = ImageFolder.load(folder, new ImageFolder.Shape(3, Cifar.SIDE, Cifar.SIDE, 0), odd, threads);
        if (pictures.train().classes() != kind.classes()) {
            throw new DataException(
                    folder + " has " + pictures.train().classes() + " classes, " + kind.title() + " has "
                            + kind.classes());
        }
        return new Corpus(kind.title(), pictures.train(), pictures.validation(), pictures.test(), kind.scale(),
                Cifar.USUAL, pictures.classNames());
    }

    private static Path place(Path folder, Source source, String... others) {
        if (folder != null) {
            return folder;
        }
        List<Path> places = new ArrayList<>(List.of(Path.of("data", source.toString())));
        for (String other : others) {
            places.add(Path.of(other));
        }
        return places.stream().filter(Files::isDirectory).findFirst()
                .orElseThrow(() -> new UsageException("where is " + source + "? It is not in " + places.get(0)
                        + ": give --data DIR" + (source == Source.FASHION
                                ? ""
                                : ", or fetch it: pare data " + source + " --download")));
    }

    private static Source guess(DataSettings settings, Model model) {
        if (settings.folder() != null) {
            Path folder = Path.of(settings.folder());
            if (Mnist.looksLike(folder)) {
                return Source.MNIST;
            }
            if (Cifar.CIFAR10.looksLike(folder)) {
                return Source.CIFAR10;
            }
            if (Cifar.CIFAR100.looksLike(folder)) {
                return Source.CIFAR100;
            }
            return ImageFolder.looksLike(folder) ? Source.FOLDER : Source.MNIST;
        }
        Source usual = Scales.usualData(model);
        if (usual != null) {
            return usual;
        }
        throw new UsageException("which data? " + model.name() + " takes images of " + model.input()
                + ": give --data DIR, or --data synthetic for noise");
    }
}
