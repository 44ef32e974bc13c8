package io.pare.data;

import io.pare.net.InputScale;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The MNIST data set, or another of its format (Fashion-MNIST, KMNIST): 28 x 28 grey images in 10 classes.
 *
 * @param train 60,000 images in MNIST
 * @param test 10,000 images in MNIST
 */
public record Mnist(Dataset train, Dataset test) {
    /** Height and width of an image. */
    public static final int SIDE = 28;
    /** The digits. */
    public static final int CLASSES = 10;

    /** One of the four files: its usual name, and the SHA-256 of MNIST's content after unpacking. */
    public enum Part {
        /** 60,000 images. */
        TRAIN_IMAGES("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        /** 60,000 labels. */
        TRAIN_LABELS("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        /** 10,000 images. */
        TEST_IMAGES("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        /** 10,000 labels. */
        TEST_LABELS("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2");

        private final String fileName;
        private final String sha256;

        Part(String fileName, String sha256) {
            this.fileName = fileName;
            this.sha256 = sha256;
        }

        /** {@return the usual name, without {@code .gz}} */
        public String fileName() {
            return fileName;
        }

        private boolean images() {
            return fileName.contains("idx3");
        }

        /** The names under which the file goes round: with a dot or a dash, test for t10k, gzipped or not. */
        private List<String> names() {
            List<String> names = new ArrayList<>();
            for (String base : List.of(fileName, fileName.replace("t10k", "test"))) {
                for (String name : List.of(base, base.replace("-idx", ".idx"), base.replaceFirst("-idx.-ubyte", ""))) {
                    for (String ending : List.of(".gz", "")) {
                        if (!names.contains(name + ending)) {
                            names.add(name + ending);
                        }
                    }
                }
            }
            return names;
        }
    }

    /**
     * What {@link #verify} found out about one file.
     *
     * @param part which of the four files
     * @param source where it was read
     * @param shape as its header says it
     * @param sha256 of its content after unpacking
     * @param genuine whether it is MNIST's own content, to the bit
     */
    public record Check(Part part, String source, int[] shape, String sha256, boolean genuine) {}

    /** {@return the images of the files inside the runnable jar} */
    public static Mnist embedded() {
        return of("MNIST", null);
    }

    /**
     * {@return the images of the four IDX files in {@code folder}, or in its subfolder {@code MNIST/raw}, gzipped or
     * not}
     *
     * @param folder with the four files
     */
    public static Mnist load(Path folder) {
        return of(folder.toString(), folder);
    }

    /**
     * {@return the same under another name}
     *
     * @param name for reports
     * @param folder with the four files
     */
    public static Mnist load(String name, Path folder) {
        return of(name, folder);
    }

    /**
     * {@return whether {@code folder} has files that {@link #load} looks for}
     *
     * @param folder any folder
     */
    public static boolean looksLike(Path folder) {
        return Files.isDirectory(folder) && locate(Part.TRAIN_IMAGES, folder) != null;
    }

    /** {@return the images with the scale of MNIST and shifts of a pixel} */
    public Corpus corpus() {
        return corpus(InputScale.MNIST, Augmentation.of(new Shift(1, false)), List.of());
    }

    /** {@return the ten kinds of clothes of Fashion-MNIST (Xiao, Rasul, Vollgraf, 1708.07747), with flips too} */
    public Corpus fashion() {
        return corpus(InputScale.FASHION_MNIST, new Augmentation(new Shift(1, false), Crop.CENTER, true),
                List.of("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
                        "ankle boot"));
    }

    private Corpus corpus(InputScale scale, Augmentation augmentation, List<String> names) {
        return new Corpus(train.name().replace(" (train)", ""), train, null, test, scale, augmentation, names);
    }

    /**
     * Reads the four files of {@code folder}, or the embedded ones for null, and compares them with MNIST.
     *
     * @param folder {@code null} for the files inside the runnable jar
     * @return what each file is, in the order of {@link Part}
     */
    public static List<Check> verify(@Nullable Path folder) {
        List<Check> checks = new ArrayList<>();
        for (Part part : Part.values()) {
            Idx idx = read(part, folder);
            String hash = sha256(idx);
            checks.add(new Check(part, folder == null ? "inside the jar" : find(part, folder).toString(), idx.shape(),
                    hash,
                    hash.equals(part.sha256)));
        }
        of("data", folder);
        return checks;
    }

    private static Mnist of(String name, Path folder) {
        return new Mnist(dataset(name + " (train)", folder, Part.TRAIN_IMAGES, Part.TRAIN_LABELS),
                dataset(name + " (test)", folder, Part.TEST_IMAGES, Part.TEST_LABELS));
    }

    private static Dataset dataset(String name, Path folder, Part imagesPart, Part labelsPart) {
        Idx images = read(imagesPart, folder);
        Idx labels = read(labelsPart, folder);
        if (images.shape()[1] != SIDE || images.shape()[2] != SIDE) {
            throw new DataException(
                    name + " has images of " + images.shape()[1] + "x" + images.shape()[2] + ", needed are "
                            + SIDE + "x" + SIDE);
        }
        return new Dataset(name, 1, SIDE, SIDE, CLASSES, images.data(), labels.data());
    }

    private static Idx read(Part part, Path folder) {
        int dimensions = part.images() ? 3 : 1;
        if (folder != null) {
            return Idx.read(find(part, folder), dimensions);
        }
        String resource = "mnist/" + part.fileName + ".gz";
        try (InputStream in = Mnist.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new DataException("MNIST is part of the runnable jar only, not of the library:"
                        + " give a folder with its four files (--data DIR)");
            }
            return Idx.read(in, Long.MAX_VALUE, resource, dimensions);
        } catch (IOException e) {
            throw new DataException("cannot read " + resource + " from the jar: " + e.getMessage(), e);
        }
    }

    private static Path find(Part part, Path folder) {
        if (!Files.exists(folder)) {
            throw new DataException("the folder " + folder + " does not exist");
        }
        if (!Files.isDirectory(folder)) {
            throw new DataException(folder + " is no folder: give the one that holds the four IDX files");
        }
        Path file = locate(part, folder);
        if (file != null) {
            return file;
        }
        throw new DataException(folder + " has no " + part.fileName + " (looked for " + String.join(", ", part.names())
                + ", also in MNIST/raw and raw)");
    }

    private static Path locate(Part part, Path folder) {
        for (Path place : List.of(folder, folder.resolve("MNIST").resolve("raw"), folder.resolve("raw"))) {
            for (String name : part.names()) {
                Path file = place.resolve(name);
                if (Files.isRegularFile(file)) {
                    return file;
                }
            }
        }
        return null;
    }

    private static String sha256(Idx idx) {
        MessageDigest digest = Checksum.digest();
        digest.update(new byte[]{0, 0, 8, (byte) idx.shape().length});
        for (int size : idx.shape()) {
            digest.update(new byte[]{(byte) (size >>> 24), (byte) (size >>> 16), (byte) (size >>> 8), (byte) size});
        }
        return HexFormat.of().formatHex(digest.digest(idx.data()));
    }
}
