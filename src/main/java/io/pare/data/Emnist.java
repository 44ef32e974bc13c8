package io.pare.data;

import io.pare.net.InputScale;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * EMNIST (Cohen, Afshar, Tapson, van Schaik, 1702.05373): handwritten digits and letters of 28 x 28 grey pixels in six
 * sets, each four IDX files such as {@code emnist-balanced-train-images-idx3-ubyte}, gzipped or not.
 *
 * <p>Its files hold images with rows and columns exchanged, which are turned upright here. Labels that begin with 1, as
 * those of letters do, become classes from 0 on.
 */
public final class Emnist {
    private static final Pattern FIRST = Pattern.compile("emnist-([a-z]+)-train-images-idx3-ubyte(?:\\.gz)?");
    private static final List<String> INSIDE = List.of("", "gzip", "raw", "EMNIST/raw");
    private static final String DIGITS = "0123456789";
    private static final String CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    /** Of small letters, those that do not look like their capitals. */
    private static final String OWN_FORM = "abdefghnqrt";

    private final Path folder;
    private final String set;

    private Emnist(Path folder, String set) {
        this.folder = folder;
        this.set = set;
    }

    /**
     * {@return whether {@code place} is a folder with files of EMNIST, or the training images of one of its sets}
     *
     * @param place a folder, or the training images of one set
     */
    public static boolean looksLike(Path place) {
        return Files.isDirectory(place) ? !sets(place).isEmpty() : set(place) != null;
    }

    /**
     * {@return the set in a folder, or the one whose training images {@code place} names}
     *
     * @param place a folder, or the training images of one set
     */
    public static Corpus load(Path place) {
        if (!Files.exists(place)) {
            throw new DataException(place + " does not exist");
        }
        if (!Files.isDirectory(place)) {
            String set = set(place);
            if (set == null) {
                throw new DataException(place + " is no file of EMNIST's training images, such as"
                        + " emnist-letters-train-images-idx3-ubyte.gz");
            }
            return new Emnist(place.toAbsolutePath().getParent(), set).load();
        }
        TreeMap<String, Path> sets = sets(place);
        if (sets.isEmpty()) {
            throw new DataException(place + " has no files of EMNIST, such as"
                    + " emnist-letters-train-images-idx3-ubyte.gz");
        }
        if (sets.size() > 1) {
            throw new DataException(place + " holds EMNIST's sets " + String.join(", ", sets.keySet())
                    + ": choose one by its training images, --data " + sets.firstEntry().getValue());
        }
        return new Emnist(sets.firstEntry().getValue().getParent(), sets.firstKey()).load();
    }

    /** The training images of each set below a folder. */
    private static TreeMap<String, Path> sets(Path folder) {
        TreeMap<String, Path> sets = new TreeMap<>();
        for (String inside : INSIDE) {
            for (Path file : Files.isDirectory(folder.resolve(inside)) ? files(folder.resolve(inside))
                    : List.<Path>of()) {
                if (set(file) != null) {
                    sets.putIfAbsent(set(file), file);
                }
            }
        }
        return sets;
    }

    private static List<Path> files(Path folder) {
        try (var files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new DataException("cannot read " + folder + ": " + e.getMessage(), e);
        }
    }

    private static String set(Path file) {
        Matcher name = FIRST.matcher(file.getFileName().toString());
        return name.matches() ? name.group(1) : null;
    }

    private Corpus load() {
        String name = "EMNIST " + set;
        Idx train = read("train-images-idx3", 3);
        Idx trainLabels = read("train-labels-idx1", 1);
        Idx test = read("test-images-idx3", 3);
        Idx testLabels = read("test-labels-idx1", 1);
        TreeSet<Integer> labels = new TreeSet<>();
        for (Idx each : List.of(trainLabels, testLabels)) {
            for (byte label : each.data()) {
                labels.add(label & 0xff);
            }
        }
        int first = labels.first() == 1 ? 1 : 0;
        int classes = labels.last() + 1 - first;
        return new Corpus(name, dataset(name + " (train)", train, trainLabels, first, classes), null,
                dataset(name + " (test)", test, testLabels, first, classes), InputScale.MNIST,
                Augmentation.of(new Shift(1, false)), names(classes));
    }

    private Idx read(String part, int dimensions) {
        String file = "emnist-" + set + "-" + part + "-ubyte";
        for (String ending : List.of("", ".gz")) {
            if (Files.isRegularFile(folder.resolve(file + ending))) {
                return Idx.read(folder.resolve(file + ending), dimensions);
            }
        }
        throw new DataException(folder + " has no " + file + ", gzipped or not");
    }

    private static Dataset dataset(String name, Idx images, Idx labels, int first, int classes) {
        int side = images.shape()[1];
        if (side != Mnist.SIDE || images.shape()[2] != side) {
            throw new DataException(name + " has images of " + side + "x" + images.shape()[2] + ", needed are "
                    + Mnist.SIDE + "x" + Mnist.SIDE);
        }
        byte[] classOf = labels.data();
        for (int i = 0; i < classOf.length; i++) {
            classOf[i] -= (byte) first;
        }
        byte[] pixels = images.data();
        for (int image = 0; image < pixels.length; image += side * side) {
            for (int row = 0; row < side; row++) {
                for (int column = 0; column < row; column++) {
                    byte pixel = pixels[image + row * side + column];
                    pixels[image + row * side + column] = pixels[image + column * side + row];
                    pixels[image + column * side + row] = pixel;
                }
            }
        }
        return new Dataset(name, 1, side, side, classes, pixels, classOf);
    }

    /** Class names, where their number says which classes they are. */
    private static List<String> names(int classes) {
        for (String known : List.of(DIGITS, CAPITALS, DIGITS + CAPITALS + OWN_FORM,
                DIGITS + CAPITALS + CAPITALS.toLowerCase(Locale.ROOT))) {
            if (known.length() == classes) {
                List<String> names = new ArrayList<>();
                known.chars().forEach(each -> names.add(Character.toString(each)));
                return names;
            }
        }
        return List.of();
    }
}
