package io.pare.data;

import io.pare.file.FileNames;
import io.pare.file.FormatException;
import io.pare.file.TextFile;
import io.pare.mem.Parallel;
import io.pare.net.InputScale;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import javax.imageio.stream.ImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Pictures of every {@linkplain PictureFormats format} that is read, in a folder with the parts {@code train}, and
 * {@code test} or {@code val}.
 *
 * <p>A part is a folder whose folders are the classes, or a list {@code train.txt}, {@code .csv} or {@code .tsv} with a
 * line {@code file class} for each picture; in {@code .csv} fields may be quoted, and semicolons separate them if the first
 * line has no comma. Classes are numbers from 0, or names, which are numbered in their order.
 * With {@code train} and one other part, that one is the test part; with {@code val} and {@code test} both, {@code val}
 * is for validation.
 *
 * <p>The head of every picture is read at once, by as many threads as are allowed. Pictures that all have the size of
 * the input are kept in memory if they need no more than 512 MB and a quarter of the heap; others are decoded in each
 * epoch again.
 */
public final class ImageFolder {
    private static final long MOST_IN_MEMORY = 1L << 29;
    /** What eval brings the shorter side of a picture to before it cuts the input out, as a multiple of the input's. */
    public static final double USUAL_BORDER = 256.0 / 224;
    private static final int SMALL = 64;
    private static final int NAMED = 5;
    /** From so many classes on, one in ten must have pictures: a network has room for each. */
    private static final int MANY_CLASSES = 10_000;
    private static final int SPARSE_CLASSES = 10;
    private static final List<String> ENDINGS = List.of(".txt", ".csv", ".tsv");
    private static final List<String> VALIDATION = List.of("val", "validation", "valid");

    private final Path folder;
    private final Shape shape;
    private final OddImages odd;
    private final Executor executor;
    private final int threads;

    /**
     * What pictures become.
     *
     * @param channels 3 for red, green and blue, 1 for grey
     * @param height rows of what a network takes
     * @param width columns of what a network takes
     * @param resize size of the shorter side before the input is cut out; 0 for the usual: 256 for inputs of 224 and in
     *            proportion, or pictures as they are if all have the input's size
     */
    public record Shape(int channels, int height, int width, int resize) {}

    /** Pictures of one part with their classes' names. */
    private record Part(List<Path> files, List<String> classes) {}

    /** The classes by their labels, and the label of each name. */
    private record Classes(List<String> names, Map<String, Integer> labels) {}

    /** The heads of a part's pictures. */
    private record Scan(List<Path> files, List<String> classes, boolean allFit) {}

    private ImageFolder(Path folder, Shape shape, OddImages odd, Executor executor, int threads) {
        this.folder = folder;
        this.shape = shape;
        this.odd = odd;
        this.executor = executor;
        this.threads = threads;
    }

    /**
     * {@return whether {@code folder} has a training part as this class reads it}
     *
     * @param folder with a folder for each class, or for each part
     */
    public static boolean looksLike(Path folder) {
        return list(folder, "train") != null || Files.isDirectory(folder.resolve("train"));
    }

    /**
     * Finds and checks the pictures of all parts.
     *
     * @param folder with a folder for each class, or for each part
     * @param shape what pictures become
     * @param odd what becomes of damaged pictures and of other colours
     * @param threads that read heads, and pictures into memory
     * @return the parts; pictures are decoded when they are asked for
     */
    public static Corpus load(Path folder, Shape shape, OddImages odd, int threads) {
        return load(folder, shape, odd, null, threads);
    }

    /**
     * The same on the calling thread and {@code threads - 1} tasks of an executor.
     *
     * @param folder with a folder for each class, or for each part
     * @param shape what pictures become
     * @param odd what to do with images that are not as asked for
     * @param executor {@code null} for threads that end with this call
     * @param threads that decode, at least 1
     * @return the parts; pictures are decoded when they are asked for
     */
    public static Corpus load(Path folder, Shape shape, OddImages odd, @Nullable Executor executor, int threads) {
        return new ImageFolder(folder, shape, odd, executor, threads).load();
    }

    /**
     * Decodes every picture once, by that many threads, so that all damaged ones are known.
     *
     * @param corpus of any kind; only pictures in files are decoded
     * @param threads that decode, at least 1
     */
    public static void decode(Corpus corpus, int threads) {
        for (Dataset part : corpus.validation() == null
                ? List.of(corpus.train(), corpus.test())
                : List.of(corpus.train(), corpus.validation(), corpus.test())) {
            Images images = part.images();
            Parallel.run(threads, part.size(), () -> new Parallel.Task() {
                private final Images.Reader reader = images.reader();
                private final PixelView view = new PixelView(part.channels());

                @Override
                public void run(int item) {
                    try {
                        reader.read(part.row(item), view);
                    } catch (BadImageException e) {
                        images.refuse(part.row(item), e);
                    }
                }

                @Override
                public void close() {
                    reader.close();
                }
            });
        }
    }

    private Corpus load() {
        if (!Files.isDirectory(folder)) {
            throw new DataException(Files.exists(folder)
                    ? folder + " is no folder: give the one that holds train and test"
                    : "the folder " + folder + " does not exist");
        }
        Part train = part("train");
        Part test = part("test");
        Part validation = null;
        for (String name : VALIDATION) {
            validation = validation == null ? part(name) : validation;
        }
        if (train == null || test == null && validation == null) {
            throw new DataException(folder + " has no " + (train == null ? "train" : "test or val")
                    + " part: it needs a folder of that name with one folder for each class,"
                    + " or a list of that name ending in .txt, .csv or .tsv");
        }
        if (test == null) {
            test = validation;
            validation = null;
        }
        Classes classes = classes(train, test, validation);
        Scan trainScan = scan(train);
        Scan testScan = scan(test);
        Scan validationScan = validation == null ? null : scan(validation);
        boolean allFit = shape.resize == 0 && trainScan.allFit && testScan.allFit
                && (validationScan == null || validationScan.allFit);
        double border = allFit ? 1 : USUAL_BORDER;
        int side = Math.min(shape.height, shape.width);
        if (shape.resize != 0) {
            if (shape.resize < side) {
                throw new DataException("pictures with a shorter side of " + shape.resize
                        + " are too small to cut inputs of " + shape.height + "x" + shape.width + " out of them");
            }
            border = (double) shape.resize / side;
        }
        long bytes = (long) shape.channels * shape.height * shape.width * (trainScan.files.size()
                + testScan.files.size() + (validationScan == null ? 0 : validationScan.files.size()));
        boolean keep = allFit && bytes <= Math.min(MOST_IN_MEMORY, Heap.share() / 2);
        String name = folder.toString();
        Augmentation usual = side <= SMALL
                ? new Augmentation(new Shift(side / 8, false), border == 1 ? Crop.CENTER : Crop.RANDOM, true)
                : new Augmentation(Shift.NONE, Crop.RESIZED, true);
        return new Corpus(name, dataset(name + " (train)", trainScan, classes, border, keep),
                validationScan == null ? null : dataset(name + " (validation)", validationScan, classes, border, keep),
                dataset(name + " (test)", testScan, classes, border, keep),
                InputScale.ofPhotographs(shape.channels), usual, classes.names);
    }

    private Dataset dataset(String name, Scan scan, Classes classes, double border, boolean keep) {
        ImageFiles files = new ImageFiles(scan.files, shape.channels, border, odd);
        int[] labels = scan.classes.stream().mapToInt(classes.labels::get).toArray();
        if (!keep) {
            return new Dataset(name, shape.channels, shape.height, shape.width, classes.names.size(), files, labels);
        }
        int imageBytes = shape.channels * shape.height * shape.width;
        byte[] pixels = new byte[scan.files.size() * imageBytes];
        boolean[] bad = new boolean[labels.length];
        Parallel.run(executor, threads, labels.length, () -> new Parallel.Task() {
            private final Images.Reader reader = files.reader();
            private final PixelView view = new PixelView(shape.channels);

            @Override
            public void run(int item) {
                try {
                    reader.read(item, view);
                } catch (BadImageException e) {
                    files.refuse(item, e);
                    bad[item] = true;
                    return;
                }
                int at = item * imageBytes;
                for (int c = 0; c < shape.channels; c++) {
                    for (int y = 0; y < view.height; y++) {
                        for (int x = 0; x < view.width; x++) {
                            pixels[at++] = view.bytes[view.first[c] + y * view.rowStride + x * view.pixelStride];
                        }
                    }
                }
            }

            @Override
            public void close() {
                reader.close();
            }
        });
        return packed(name, pixels, labels, bad, classes.names.size());
    }

    /** What is left when the bad ones are taken out. */
    private Dataset packed(String name, byte[] pixels, int[] labels, boolean[] bad, int classes) {
        int imageBytes = shape.channels * shape.height * shape.width;
        int good = 0;
        for (int i = 0; i < labels.length; i++) {
            if (!bad[i]) {
                System.arraycopy(pixels, i * imageBytes, pixels, good * imageBytes, imageBytes);
                labels[good++] = labels[i];
            }
        }
        return new Dataset(name, shape.channels, shape.height, shape.width, classes,
                new StoredImages(pixels, shape.channels, shape.height, shape.width),
                Arrays.copyOf(labels, good));
    }

    /** Reads the head of every picture; bad ones are refused or left out. */
    private Scan scan(Part part) {
        int count = part.files.size();
        boolean[] good = new boolean[count];
        boolean[] fits = new boolean[count];
        Parallel.run(executor, threads, count, () -> new Parallel.Task() {
            private final Decoder decoder = new Decoder(shape.channels, odd.background());
            private final PixelView view = new PixelView(shape.channels);

            @Override
            public void run(int item) {
                Path file = part.files.get(item);
                try (ImageInputStream in = new FileStream(file)) {
                    PictureHeader header = PictureHeader.read(in);
                    fits[item] = header.shownWidth() == shape.width && header.shownHeight() == shape.height;
                    if (!header.ends(in)) {
                        // Perhaps cut short: the decoder says.
                        decoder.read(file, view);
                    }
                    boolean foreign = shape.channels == 3 && !header.rgb();
                    good[item] = !foreign || odd.foreign(file, header.colours());
                } catch (BadImageException e) {
                    odd.damaged(file, e.getMessage());
                } catch (AccessDeniedException e) {
                    odd.damaged(file, "may not be read: permission denied");
                } catch (IOException e) {
                    odd.damaged(file, "cannot be read: " + e.getMessage());
                }
            }

            @Override
            public void close() {
                decoder.close();
            }
        });
        List<Path> files = new ArrayList<>();
        List<String> classes = new ArrayList<>();
        boolean allFit = true;
        for (int i = 0; i < count; i++) {
            if (good[i]) {
                files.add(part.files.get(i));
                classes.add(part.classes.get(i));
                allFit &= fits[i];
            }
        }
        if (files.isEmpty()) {
            throw new DataException(folder + " has no picture that can be used in "
                    + folder.relativize(part.files.get(0)).getName(0));
        }
        return new Scan(files, classes, allFit);
    }

    /** Names in the order of labels; parts must agree on them. */
    private Classes classes(Part train, Part test, Part validation) {
        Set<String> names = new TreeSet<>(train.classes);
        for (Part other : validation == null ? List.of(test) : List.of(test, validation)) {
            Set<String> others = new TreeSet<>(other.classes);
            Set<String> extra = new TreeSet<>(others);
            extra.removeAll(names);
            Set<String> missing = new TreeSet<>(names);
            missing.removeAll(others);
            if (!extra.isEmpty() || !missing.isEmpty()) {
                throw new DataException(folder + ": the classes of its parts differ, "
                        + (other == test ? "test" : "validation") + " has "
                        + (extra.isEmpty() ? "" : some(extra) + " that train lacks")
                        + (extra.isEmpty() || missing.isEmpty() ? "" : ", and ")
                        + (missing.isEmpty() ? "" : "no " + some(missing))
                        + ": give all parts the same classes");
            }
        }
        if (names.stream().allMatch(name -> name.matches("[0-9]{1,6}")) && lists()) {
            int most = names.stream().mapToInt(Integer::parseInt).max().orElse(0);
            Map<Integer, String> numbered = new TreeMap<>();
            Map<String, Integer> labels = new HashMap<>();
            for (String name : names) {
                labels.put(name, Integer.parseInt(name));
                numbered.put(Integer.parseInt(name), name);
            }
            if (most >= MANY_CLASSES && most / names.size() >= SPARSE_CLASSES) {
                throw new DataException(folder + ": the classes of its lists are numbers up to " + most + ", and only "
                        + names.size() + " of them have pictures: number them from 0 without gaps");
            }
            List<String> all = new ArrayList<>();
            for (int i = 0; i <= most; i++) {
                all.add(numbered.getOrDefault(i, "class " + i));
            }
            return new Classes(all, labels);
        }
        Map<String, Integer> labels = new HashMap<>();
        names.forEach(name -> labels.put(name, labels.size()));
        return new Classes(List.copyOf(names), labels);
    }

    private boolean lists() {
        return list(folder, "train") != null;
    }

    private static String some(Set<String> names) {
        return String.join(", ", names.stream().limit(NAMED).toList())
                + (names.size() > NAMED ? " and " + (names.size() - NAMED) + " more" : "");
    }

    private static Path list(Path folder, String name) {
        for (String ending : ENDINGS) {
            Path file = folder.resolve(name + ending);
            if (Files.isRegularFile(file)) {
                return file;
            }
        }
        return null;
    }

    /** The pictures of a part, or {@code null} if there is none of that name. */
    private Part part(String name) {
        Path list = list(folder, name);
        Path inside = folder.resolve(name);
        if (list == null && !Files.isDirectory(inside)) {
            return null;
        }
        List<Path> files = new ArrayList<>();
        List<String> classes = new ArrayList<>();
        try {
            if (list != null) {
                readList(list, inside, files, classes);
            } else {
                walk(inside, files, classes);
            }
        } catch (UncheckedIOException e) {
            throw unreadable(list == null ? inside : list, e.getCause());
        } catch (IOException e) {
            throw unreadable(list == null ? inside : list, e);
        }
        if (files.isEmpty()) {
            throw new DataException((list == null ? inside : list) + " has no picture: it needs " + (list == null
                    ? "one folder for each class, with pictures in it (" + PictureFormats.endings() + ")"
                    : "a line with a file and its class for each"));
        }
        return new Part(files, classes);
    }

    private static DataException unreadable(Path place, IOException e) {
        return new DataException(e instanceof AccessDeniedException denied
                ? denied.getFile() + " may not be read: permission denied"
                : "cannot read " + place + ": " + e.getMessage(), e);
    }

    /** Finds the pictures of a part whose folders are the classes. */
    private void walk(Path part, List<Path> files, List<String> classes) throws IOException {
        PictureFormats.Others others = new PictureFormats.Others();
        PictureFormats.Others strays = new PictureFormats.Others();
        List<Path> empty = new ArrayList<>();
        for (Path entry : sorted(Files.list(part))) {
            if (!Files.isDirectory(entry)) {
                (PictureFormats.named(entry) ? strays : others).add(entry);
                continue;
            }
            int before = files.size();
            for (Path file : sorted(Files.walk(entry, FileVisitOption.FOLLOW_LINKS)
                    .filter(path -> !Files.isDirectory(path)))) {
                if (PictureFormats.named(file) && Files.isRegularFile(file)) {
                    files.add(file);
                    classes.add(entry.getFileName().toString());
                } else {
                    others.add(file);
                }
            }
            if (files.size() == before) {
                empty.add(entry);
            }
        }
        odd.leftOut(part, others);
        odd.leftOut(part, strays, "they lie beside the folders of classes, not in them");
        if (!files.isEmpty() && !empty.isEmpty()) {
            throw new DataException(empty.getFirst() + " has no picture (" + PictureFormats.endings()
                    + "): put some there, or remove this folder of a class");
        }
    }

    private static List<Path> sorted(Stream<Path> paths) {
        try (paths) {
            return paths.filter(path -> !path.getFileName().toString().startsWith(".")).sorted().toList();
        }
    }

    private void readList(Path list, Path inside, List<Path> files, List<String> classes) throws IOException {
        String content;
        try {
            content = TextFile.read(list);
        } catch (FormatException e) {
            throw new DataException(e.getMessage(), e);
        }
        boolean separated = list.toString().endsWith(".csv");
        char separator = 0;
        int number = 0;
        for (String line : content.lines().toList()) {
            number++;
            String text = line.strip();
            if (text.isEmpty() || text.startsWith("#")) {
                continue;
            }
            separator = separator == 0 ? ListLine.separator(text) : separator;
            List<String> parts =
                    separated ? ListLine.fields(text, separator) : List.of(text.split("\\s+(?=\\S+$)"));
            if (parts.size() < 2) {
                throw new DataException(list + ", line " + number + ": '" + text + "' is not a file and its class");
            }
            String name = parts.getFirst().strip();
            Path file = find(name, inside);
            if (file == null) {
                if (number == 1 && !name.contains(".")) {
                    continue; // The names of the columns.
                }
                throw new DataException(list + ", line " + number + ": " + name + " is neither in " + inside
                        + " nor in " + folder + FileNames.hint(name));
            }
            files.add(file);
            classes.add(parts.get(1).strip());
        }
    }

    /** A file that a list names, or {@code null} if there is none. */
    private Path find(String name, Path inside) {
        try {
            for (Path place : List.of(inside, folder)) {
                if (Files.isRegularFile(place.resolve(name))) {
                    return place.resolve(name);
                }
            }
        } catch (InvalidPathException e) {
            // No file can have that name here.
        }
        return null;
    }
}
