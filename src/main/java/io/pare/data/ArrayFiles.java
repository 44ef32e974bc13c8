package io.pare.data;

import io.pare.file.FormatException;
import io.pare.format.npy.NpyFile;
import io.pare.format.npy.NpzFile;
import io.pare.format.tensors.ElementType;
import io.pare.format.tensors.StoredTensors;
import io.pare.mem.Region;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import io.pare.net.Shape;
import io.pare.net.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Samples in arrays of NumPy: a {@code .npz} file with arrays such as {@code x_train} and {@code y_train}, or a folder with
 * {@code train.npz} and {@code test.npz}, or with {@code x_train.npy} and so on.
 *
 * <p>Inputs are called inputs, x, images or data, labels are called labels, y or targets; train, validation (val) or test
 * before or behind the name says which part they are. Arrays of no part are the training part. Without a test part a share
 * of the training part becomes one, always the same.
 *
 * <p>Inputs of unsigned bytes are pixels: {@code [n, height, width]}, or with channels, 1 or 3, as the second or last
 * dimension. Floats are inputs as they are. {@code [n, features]} is what the network takes in its own order.
 *
 * <p>Labels are integers {@code [n]}, the classes, or targets {@code [n]} or {@code [n, outputs]}.
 */
public final class ArrayFiles {
    private static final String PART = "train|test|val|valid|validation";
    private static final Pattern NAME =
            Pattern.compile("(?:(" + PART + ")_)?(?:(inputs?|x|images?|data)|labels?|y|targets?)(?:_(" + PART + "))?");
    private static final Pattern WHOLE = Pattern.compile(PART);
    private static final String NPZ = ".npz";
    private static final String NPY = ".npy";
    private static final String NEEDED = "it needs arrays such as x_train and y_train, x_test and y_test";
    /** One in so many samples is for the test where nothing says which. */
    private static final int TEST_SHARE = 6;
    private static final long TEST_SEED = 0;
    /** From so many classes on, one in ten must have samples: a network has room for each. */
    private static final int MANY_CLASSES = 10_000;
    private static final int SPARSE_CLASSES = 10;

    private final Path place;
    private final Shape taken;
    private final Map<Part, Array> inputs = new EnumMap<>(Part.class);
    private final Map<Part, Array> labels = new EnumMap<>(Part.class);

    private enum Part {
        TRAIN, VALIDATION, TEST;

        static Part of(String word) {
            return word.equals("train") ? TRAIN : word.equals("test") ? TEST : VALIDATION;
        }
    }

    /** An array in a file. */
    private record Array(Path file, String name) {
        /** What messages call it. */
        @Override
        public String toString() {
            return file + (name.equals(NpyFile.ARRAY) ? "" : ", array " + name);
        }

        private interface Reading<T> {
            T read(StoredTensors file) throws IOException;
        }

        <T> T read(Reading<T> reading) {
            try (StoredTensors open = file.toString().endsWith(NPY) ? NpyFile.open(file) : NpzFile.open(file)) {
                return reading.read(open);
            } catch (FormatException e) {
                throw new DataException(e.getMessage(), e);
            } catch (IOException e) {
                throw new DataException("cannot read " + file + ": " + e.getMessage(), e);
            }
        }

        ElementType type() {
            return read(open -> open.type(name));
        }

        long[] shape() {
            return read(open -> open.shape(name));
        }

        String shapeText() {
            return this + ", has shape " + Arrays.toString(shape());
        }
    }

    private ArrayFiles(Path place, Shape taken) {
        this.place = place;
        this.taken = taken;
    }

    /**
     * {@return whether {@code place} is a {@code .npz} or {@code .npy} file, or a folder with parts in some}
     *
     * @param place any path
     */
    public static boolean looksLike(Path place) {
        if (!Files.isDirectory(place)) {
            return Files.exists(place) && (named(place, NPZ) || named(place, NPY));
        }
        return files(place).stream().anyMatch(file -> named(file, NPZ) && WHOLE.matcher(stem(file)).matches()
                || named(file, NPY) && NAME.matcher(stem(file)).matches());
    }

    /**
     * Reads a file or folder into memory.
     *
     * @param place a file or folder
     * @param taken input of the network, which gives vectors their shape
     * @param ending of the network
     * @param task what the network is to say; {@code null} for what labels and ending leave no doubt of
     * @param notes takes a line if a test part is split off, or the task is not classification
     * @return the parts, in memory
     */
    public static Corpus load(Path place, Shape taken, Ending ending, @Nullable Task task, Consumer<String> notes) {
        ArrayFiles files = new ArrayFiles(place, taken);
        files.find();
        return files.corpus(task != null ? task : files.task(ending, notes), notes);
    }

    private static boolean named(Path file, String ending) {
        return file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(ending);
    }

    private static String stem(Path file) {
        return file.getFileName().toString().replaceFirst("\\.[^.]*$", "").toLowerCase(Locale.ROOT);
    }

    private static List<Path> files(Path folder) {
        try (var files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new DataException("cannot read " + folder + ": " + e.getMessage(), e);
        }
    }

    private void find() {
        if (!Files.exists(place)) {
            throw new DataException(place + " does not exist");
        }
        if (Files.isDirectory(place)) {
            for (Path file : files(place)) {
                if (named(file, NPY)) {
                    add(stem(file), Part.TRAIN, new Array(file, NpyFile.ARRAY));
                } else if (named(file, NPZ) && WHOLE.matcher(stem(file)).matches()) {
                    addAll(file, Part.of(stem(file)));
                }
            }
        } else if (named(place, NPY)) {
            throw new DataException(place + " is one array: give the folder with inputs and labels, or one .npz file");
        } else {
            addAll(place, Part.TRAIN);
        }
        for (Part part : Part.values()) {
            if (part == Part.TRAIN && !inputs.containsKey(part)
                    || inputs.containsKey(part) != labels.containsKey(part)) {
                String lacking = labels.containsKey(part) || !inputs.containsKey(part) ? "inputs" : "labels";
                throw new DataException(place + " has no " + lacking + " of the part "
                        + part.name().toLowerCase(Locale.ROOT) + ": " + NEEDED);
            }
        }
    }

    private void addAll(Path file, Part part) {
        List<String> names = new Array(file, "").read(open -> List.copyOf(open.names()));
        names.forEach(name -> add(name.toLowerCase(Locale.ROOT), part, new Array(file, name)));
    }

    /** Takes note of an array if its name says what it is. */
    private void add(String name, Part usual, Array array) {
        Matcher words = NAME.matcher(name);
        if (!words.matches()) {
            return;
        }
        String word = words.group(1) != null ? words.group(1) : words.group(3);
        Part part = word == null ? usual : Part.of(word);
        Array other = (words.group(2) != null ? inputs : labels).putIfAbsent(part, array);
        if (other != null) {
            throw new DataException(other + ", and " + array + " are the same of the part "
                    + part.name().toLowerCase(Locale.ROOT) + ": leave one out");
        }
    }

    /** The task that the training part's labels and the network's ending leave no doubt of. */
    private Task task(Ending ending, Consumer<String> notes) {
        Array array = labels.get(Part.TRAIN);
        boolean floats = array.type().isFloat();
        int rank = array.shape().length;
        boolean several = rank == 2 && array.shape()[1] > 1;
        if (!floats && !several) {
            return Task.CLASSIFY;
        }
        if (rank == 2 && ending == Ending.SIGMOID) {
            notes.accept(place + ": task multilabel, for the network ends in a sigmoid and samples have several labels;"
                    + " --task says otherwise");
            return Task.MULTILABEL;
        }
        if (floats && rank <= 2 && ending == Ending.NONE) {
            notes.accept(place + ": task regress, for its labels are floats; --task says otherwise");
            return Task.REGRESS;
        }
        throw new DataException(array.shapeText() + " of type " + array.type()
                + ", and may be for several tasks: give --task classify, multilabel or regress");
    }

    private Corpus corpus(Task task, Consumer<String> notes) {
        Map<Part, Dataset> parts = task == Task.CLASSIFY ? withClasses() : withTargets(task);
        Dataset train = parts.get(Part.TRAIN);
        for (Map.Entry<Part, Dataset> each : parts.entrySet()) {
            Part part = each.getKey();
            if (each.getValue().classes() != train.classes()) {
                throw new DataException(labels.get(part).shapeText() + ", but " + labels.get(Part.TRAIN).shapeText()
                        + ": give all parts the same");
            }
            if (!each.getValue().sameKind(train)) {
                throw new DataException(inputs.get(part).shapeText() + " of type " + inputs.get(part).type() + ", but "
                        + inputs.get(Part.TRAIN).shapeText() + " of type " + inputs.get(Part.TRAIN).type()
                        + ": give all parts the same");
            }
        }
        Dataset validation = parts.get(Part.VALIDATION);
        Dataset test = parts.get(Part.TEST);
        if (test == null && validation != null) {
            test = validation;
            validation = null;
        }
        if (test == null) {
            int held = train.size() / TEST_SHARE;
            if (held == 0) {
                throw new DataException(
                        place + " has " + train.size() + " samples, too few to hold some back for a test");
            }
            Dataset.Split split = train.split(held, TEST_SEED);
            notes.accept(place + " has no test part: " + held + " of its " + train.size()
                    + " samples are held back as one, whatever the seed");
            train = split.train();
            test = split.validation();
        }
        InputScale scale = train.pixels() ? InputScale.ofPhotographs(train.channels()) : InputScale.UNIT;
        return new Corpus(place.toString(), train, validation, test, scale, Augmentation.NONE, List.of());
    }

    private Map<Part, Dataset> withClasses() {
        Map<Part, int[]> classes = new EnumMap<>(Part.class);
        labels.forEach((part, array) -> classes.put(part, classes(array)));
        int count = count(classes);
        Map<Part, Dataset> parts = new EnumMap<>(Part.class);
        inputs.forEach((part, array) -> {
            ArrayLayout layout = layout(part, array, classes.get(part).length);
            parts.put(part, new Dataset(name(part), layout.channels(), layout.height(), layout.width(), count,
                    images(array, layout), classes.get(part)));
        });
        return parts;
    }

    private Map<Part, Dataset> withTargets(Task task) {
        Map<Part, Dataset> parts = new EnumMap<>(Part.class);
        inputs.forEach((part, array) -> {
            Targets targets = targets(labels.get(part), task);
            ArrayLayout layout = layout(part, array, targets.samples());
            parts.put(part, new Dataset(name(part), layout.channels(), layout.height(), layout.width(),
                    images(array, layout), targets));
        });
        return parts;
    }

    private static Targets targets(Array array, Task task) {
        long[] shape = array.shape();
        if (shape.length != 1 && shape.length != 2 || Arrays.stream(shape).anyMatch(size -> size < 1)) {
            throw new DataException(array.shapeText() + ": targets are an array [n] or [n, outputs]");
        }
        try {
            return new Targets(task, floats(array), shape.length == 1 ? 1 : Math.toIntExact(shape[1]));
        } catch (DataException e) {
            throw new DataException(array + ": " + e.getMessage(), e);
        }
    }

    private String name(Part part) {
        return place + " (" + part.name().toLowerCase(Locale.ROOT) + ")";
    }

    private static int[] classes(Array array) {
        long[] shape = array.shape();
        if (array.type().isFloat()) {
            throw new DataException(array + " has type " + array.type()
                    + ": classes are integers from 0 on; floats are for --task multilabel or regress");
        }
        if (shape.length != 1 && (shape.length != 2 || shape[1] != 1)) {
            throw new DataException(array.shapeText()
                    + ": classes are an array [n] of integers from 0 on; several labels are for --task multilabel or regress");
        }
        long[] values = array.read(open -> open.longs(array.name));
        int[] classes = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            if (values[i] < 0 || values[i] > Integer.MAX_VALUE - 1) {
                throw new DataException(array + ": label " + i + " is " + values[i] + ", classes go from 0 on");
            }
            classes[i] = (int) values[i];
        }
        return classes;
    }

    private int count(Map<Part, int[]> classes) {
        int most = classes.values().stream().flatMapToInt(Arrays::stream).max().orElse(0);
        long used = classes.values().stream().flatMapToInt(Arrays::stream).distinct().count();
        if (most >= MANY_CLASSES && most / used >= SPARSE_CLASSES) {
            throw new DataException(place + ": its labels are numbers up to " + most + ", and only " + used
                    + " of them have samples: number the classes from 0 without gaps");
        }
        return most + 1;
    }

    private ArrayLayout layout(Part part, Array array, int labelled) {
        ArrayLayout layout = ArrayLayout.of(array.toString(), array.shape(), taken);
        if (layout.samples() != labelled) {
            throw new DataException(array.shapeText() + ", and " + labels.get(part) + ", has " + labelled
                    + " labels: there must be one for each sample");
        }
        return layout;
    }

    private static Images images(Array array, ArrayLayout layout) {
        ElementType type = array.type();
        if (type == ElementType.U8) {
            byte[] pixels = array.read(open -> open.bytes(array.name));
            return new StoredImages(layout.planar(pixels), layout.channels(), layout.height(), layout.width());
        }
        if (type.isFloat()) {
            return new FloatImages(layout.planar(finite(array, floats(array))), layout.channels(), layout.height(),
                    layout.width());
        }
        throw new DataException(array + " has type " + type
                + ": inputs are pixels of type uint8 or values of type float32; convert it by astype");
    }

    private static float[] floats(Array array) {
        return array.read(open -> {
            try (Region region = Region.confined("inputs")) {
                return open.floats(array.name, region).toArray();
            }
        });
    }

    private static float[] finite(Array array, float[] values) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new DataException(array + " holds " + values[i] + " at " + i + ": inputs must be finite");
            }
        }
        return values;
    }
}
