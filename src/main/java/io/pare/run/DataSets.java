package io.pare.run;

import io.pare.data.ArrayFiles;
import io.pare.data.Cifar;
import io.pare.data.Corpus;
import io.pare.data.DataException;
import io.pare.data.Dataset;
import io.pare.data.Emnist;
import io.pare.data.ImageFolder;
import io.pare.data.Mnist;
import io.pare.data.OddImages;
import io.pare.format.NetworkFile;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Shape;
import io.pare.net.Task;
import io.pare.run.DataSettings.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Finds and opens the data set that a network is to be trained or measured on. */
public final class DataSets {
    private static final int SYNTHETIC_TEST_SHARE = 8;

    private DataSets() {}

    /**
     * How images are read. It changes no result.
     *
     * @param threads that compute; as many decode pictures
     * @param loaders threads that read ahead; {@code null} for as many as compute where pictures are decoded, and none for
     *            data in memory
     * @param executor runs what decodes pictures and reads ahead; {@code null} for threads of Pare's
     */
    public record Loading(int threads, @Nullable Integer loaders, @Nullable Executor executor) {
        /**
         * Refuses numbers of threads that are none.
         *
         * @throws IllegalArgumentException if {@code threads} is below 1 or {@code loaders} below 0
         */
        public Loading {
            if (threads < 1) {
                throw new IllegalArgumentException("threads is " + threads + ", must be at least 1");
            }
            if (loaders != null && loaders < 0) {
                throw new IllegalArgumentException("loaders is " + loaders + ", must be at least 0");
            }
        }

        /**
         * Reads with the usual number of loaders.
         *
         * @param threads that compute, at least 1
         */
        public Loading(int threads) {
            this(threads, null);
        }

        /**
         * Reads on threads of Pare's.
         *
         * @param threads that compute, at least 1
         * @param loaders threads that read ahead, at least 0; {@code null} for the usual number
         */
        public Loading(int threads, @Nullable Integer loaders) {
            this(threads, loaders, null);
        }
    }

    /**
     * Data of the kind that was asked for or found, and a model that fits it.
     *
     * @param source kind of data
     * @param corpus the data itself; those of pictures read files when they are asked for images
     * @param model of the network, with as many classes as the data where it is still to be trained
     * @param ending what the network's file makes of its logits
     * @param odd counts pictures that were skipped or converted
     */
    public record Opened(Source source, Corpus corpus, Net model, Ending ending, OddImages odd) {
        /**
         * {@return the same data with the scale of pixels that weights were trained with, if their file says it: they
         * would make nothing of other inputs} Data that is no pixels has no scale.
         *
         * @param weights whose file is asked
         * @param notes is told if it is not the data set's own
         * @throws IOException if the file cannot be read
         */
        public Opened as(StoredWeights weights, Consumer<String> notes) throws IOException {
            InputScale trained = NetworkFile.scale(weights.file());
            if (trained == null || trained.equals(corpus.scale()) || !corpus.train().pixels()
                    || !trained.fits(corpus.train().channels())) {
                return this;
            }
            notes.accept("pare: pixels have the scale " + Scales.text(trained) + " of " + weights.file() + ", not "
                    + Scales.text(corpus.scale()) + " as is usual for " + corpus.name() + "; --scale says otherwise");
            return new Opened(source, corpus.with(trained), model, ending, odd);
        }
    }

    /**
     * Opens the data that a training's settings name, for the network that they name, with the usual loaders.
     *
     * @param settings of a training
     * @param notes takes a line for each picture that is skipped
     * @return the data and a model that fits it; data in memory is freed by the garbage collector
     * @throws RunException if the settings name no data, or contradict the network
     * @throws DataException if the data cannot be used
     * @throws IOException if the network's file cannot be read
     */
    public static Opened open(RunSettings settings, Consumer<String> notes) throws IOException {
        return open(settings.data(), ModelSource.of(settings.model(), settings.bindings()),
                new Loading(settings.threads()), notes);
    }

    /**
     * Opens the data for a network that is to be trained.
     *
     * @param settings where the data is
     * @param source of the network; where it has no weights, input and classes follow the data
     * @param loading threads that read
     * @param notes takes a line for each picture that is skipped
     * @return the data and a model that fits it
     * @throws RunException if the settings name no data, or contradict the network
     * @throws DataException if the data cannot be used
     */
    public static Opened open(DataSettings settings, ModelSource source, Loading loading, Consumer<String> notes) {
        Net usual = source.usual();
        OddImages odd = settings.odd(notes);
        Source found = settings.source() != null ? settings.source() : guess(settings, usual);
        Corpus corpus = corpus(found, settings, usual, source.ending(), odd, loading, notes);
        Dataset train = corpus.train();
        Net logits = source.net(image(train), train.classes());
        check(logits, train);
        boolean apart = apart(source.ending(), corpus);
        Net model = apart ? logits : source.ending().on(logits);
        boolean scaled = settings.scale() == null && source.scale().isPresent() && train.pixels();
        return new Opened(found, scaled ? corpus.with(source.scale().get()) : corpus, model,
                apart ? source.ending() : Ending.NONE, odd);
    }

    /**
     * Opens the data for a network whose input and classes are fixed: a finished one, or one's own.
     *
     * @param settings where the data is
     * @param model input and classes that the data must have
     * @param loading threads that read
     * @param notes takes a line for each picture that is skipped
     * @return the data and that model
     * @throws RunException if the settings name no data, or contradict the network
     * @throws DataException if the data cannot be used
     */
    public static Opened open(DataSettings settings, Net model, Loading loading, Consumer<String> notes) {
        OddImages odd = settings.odd(notes);
        Source found = settings.source() != null ? settings.source() : guess(settings, model);
        Corpus corpus = corpus(found, settings, model, Ending.of(model), odd, loading, notes);
        check(model, corpus.test());
        return new Opened(found, corpus, model, Ending.NONE, odd);
    }

    private static Shape image(Dataset data) {
        return Shape.of(data.channels(), data.height(), data.width());
    }

    /**
     * {@return whether a network is trained and measured without its ending, as belongs to the loss; numbers are
     * compared with what it gives in the end}
     *
     * @param ending of the network's file
     * @param corpus whose task counts
     * @throws RunException if the task contradicts the ending
     */
    public static boolean apart(Ending ending, Corpus corpus) {
        return switch (corpus.task()) {
            case CLASSIFY -> true;
            case MULTILABEL -> {
                checkLabels(ending);
                yield true;
            }
            case REGRESS -> false;
        };
    }

    /** Refuses an ending of which one class is for labels, of which any number is. */
    static void checkLabels(Ending ending) {
        if (ending == Ending.SOFTMAX || ending == Ending.LOG_SOFTMAX) {
            throw new RunException("--task multilabel is for networks of logits or with a sigmoid at their end;"
                    + " this one ends in a softmax, of which one class is");
        }
    }

    /** Fails unless a data set's images fit a network; one of vectors takes an image's values in a row. */
    private static void check(Net model, Dataset data) {
        Shape needed = model.input();
        boolean classes = data.task() == Task.CLASSIFY;
        if (classes && !model.givesVector()) {
            throw new DataException(model.name() + " gives values of " + model.output().output()
                    + ", no vector with a value for each class: it cannot be trained or measured on classes of images");
        }
        boolean enough = classes ? model.classes() >= data.classes() : model.classes() == data.classes();
        if (!needed.takes(image(data)) || !enough) {
            throw new DataException(model.name() + " takes images of " + needed + " in " + model.classes()
                    + (classes ? " classes" : " outputs") + "; these are " + data);
        }
    }

    private static Corpus corpus(Source found, DataSettings settings, Net model, Ending ending, OddImages odd,
            Loading loading,
            Consumer<String> notes) {
        Shape input = model.input();
        Path folder = settings.folder() == null ? null : Path.of(settings.folder());
        if (folder != null) {
            Cifar.refusePython(folder);
        }
        int threads = loading.threads();
        Integer loaders = loading.loaders();
        int working = loaders == null ? threads : Math.max(1, loaders);
        Shape image = input.image();
        ImageFolder.Shape shape = new ImageFolder.Shape(image.channels(), image.height(), image.width(),
                settings.resize());
        Corpus corpus = switch (found) {
            case MNIST -> (folder == null ? Mnist.embedded() : Mnist.load(folder)).corpus();
            case FASHION -> Mnist.load("Fashion-MNIST",
                    place(folder, found, "/usr/share/datasets/fashion-mnist")).fashion();
            case CIFAR10 -> cifar(Cifar.CIFAR10, place(folder, found), odd, loading.executor(), working);
            case CIFAR100 -> cifar(Cifar.CIFAR100, place(folder, found), odd, loading.executor(), working);
            case CIFAR100_COARSE ->
                    cifar(Cifar.CIFAR100_COARSE, place(folder, Source.CIFAR100), odd, loading.executor(), working);
            case EMNIST -> Emnist.load(place(folder, found));
            case FOLDER -> {
                if (folder == null) {
                    throw new RunException("which folder? Give --data DIR with train and test in it");
                }
                if (image.channels() != 1 && image.channels() != 3) {
                    throw new RunException("pictures have 1 or 3 channels, " + model.name() + " takes "
                            + input.channels());
                }
                yield ImageFolder.load(folder, shape, odd, loading.executor(), working);
            }
            case ARRAYS -> {
                if (folder == null) {
                    throw new RunException(
                            "which arrays? Give --data FILE.npz, or a folder with x_train.npy and so on");
                }
                yield ArrayFiles.load(folder, input, ending, settings.task(), notes);
            }
            case SYNTHETIC -> Corpus.synthetic(input.channels(), input.height(), input.width(), model.classes(),
                    settings.images(), Math.max(1, settings.images() / SYNTHETIC_TEST_SHARE), 1);
        };
        if (settings.task() != null && settings.task() != corpus.task()) {
            throw new RunException("--task " + settings.task() + " takes arrays with targets, --data FILE.npz; "
                    + corpus.name() + " has classes");
        }
        if (settings.scale() != null) {
            InputScale chosen = Scales.parse(settings.scale());
            if (!corpus.train().pixels()) {
                throw new RunException("--scale is for pixels, and the inputs of " + corpus.name()
                        + " are floats, which are taken as they are");
            }
            if (!chosen.fits(corpus.train().channels())) {
                throw new RunException("--scale " + settings.scale() + " is for " + chosen.mean().size()
                        + " channels, " + corpus.name() + " has " + corpus.train().channels());
            }
            corpus = corpus.with(chosen);
        }
        return corpus.loaders(loaders != null ? loaders : corpus.train().slow() ? threads : 0, loading.executor());
    }

    /**
     * Opens CIFAR: binary files, or pictures in a folder for each class.
     *
     * @param kind 10 or 100 classes
     * @param folder with the files
     * @param odd what becomes of pictures that cannot be read or are of other colours
     * @param executor runs what decodes pictures; {@code null} for threads that end with this call
     * @param threads that decode pictures
     * @return the data
     * @throws DataException if the folder holds neither, or another number of classes
     */
    public static Corpus cifar(Cifar kind, Path folder, OddImages odd, Executor executor, int threads) {
        if (kind.looksLike(folder) || !ImageFolder.looksLike(folder)) {
            return kind.load(folder);
        }
        Corpus pictures = ImageFolder.load(folder, new ImageFolder.Shape(3, Cifar.SIDE, Cifar.SIDE, 0), odd,
                executor, threads);
        if (pictures.train().classes() != kind.classes()) {
            throw new DataException(
                    folder + " has " + pictures.train().classes() + " classes, " + kind.title() + " has "
                            + kind.classes());
        }
        return new Corpus(kind.title(), pictures.train(), pictures.validation(), pictures.test(), kind.scale(),
                Cifar.USUAL, pictures.classNames());
    }

    /**
     * {@return whether data of that kind, in the place that the settings name, lies in files of one picture each}
     *
     * @param found kind of data
     * @param settings where it is
     */
    public static boolean ofPictures(Source found, DataSettings settings) {
        Path folder = settings.folder() == null ? null : Path.of(settings.folder());
        return switch (found) {
            case FOLDER -> true;
            case CIFAR10 -> !Cifar.CIFAR10.looksLike(place(folder, found));
            case CIFAR100 -> !Cifar.CIFAR100.looksLike(place(folder, found));
            case CIFAR100_COARSE -> !Cifar.CIFAR100_COARSE.looksLike(place(folder, Source.CIFAR100));
            case MNIST, FASHION, EMNIST, ARRAYS, SYNTHETIC -> false;
        };
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
                .orElseThrow(() -> new RunException("where is " + source + "? It is not in " + places.get(0)
                        + ": give --data DIR" + (source == Source.FASHION || source == Source.EMNIST
                                ? ""
                                : ", or fetch it: pare data " + source + " --download")));
    }

    private static Source guess(DataSettings settings, Net model) {
        if (settings.folder() != null) {
            Path folder = Path.of(settings.folder());
            if (Mnist.looksLike(folder)) {
                return Source.MNIST;
            }
            if (Emnist.looksLike(folder)) {
                return Source.EMNIST;
            }
            if (Cifar.CIFAR10.looksLike(folder)) {
                return Source.CIFAR10;
            }
            if (Cifar.CIFAR100.looksLike(folder)) {
                return Source.CIFAR100;
            }
            if (ImageFolder.looksLike(folder)) {
                return Source.FOLDER;
            }
            return ArrayFiles.looksLike(folder) ? Source.ARRAYS : Source.MNIST;
        }
        Source usual = Scales.usualData(model);
        if (usual != null) {
            return usual;
        }
        throw new RunException("which data? " + model.name() + " takes images of " + model.input()
                + ": give --data DIR, or --data synthetic for noise");
    }
}
