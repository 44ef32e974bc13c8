package io.pare.data;

import io.pare.net.InputScale;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * CIFAR-10 and CIFAR-100 in their binary form: 32 x 32 photographs, 50,000 to train and 10,000 to test (A. Krizhevsky,
 * "Learning multiple layers of features from tiny images", 2009).
 *
 * <p>A record is one label, two (coarse, then fine) in CIFAR-100, and 3,072 bytes of red, green and blue planes.
 */
public enum Cifar {
    /** Ten classes. */
    CIFAR10("CIFAR-10", "cifar-10-binary.tar.gz", "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            "cifar-10-batches-bin",
            List.of("data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"),
            "test_batch.bin", 1, 10, InputScale.CIFAR10),
    /** A hundred classes: the fine label. */
    CIFAR100("CIFAR-100", "cifar-100-binary.tar.gz",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec", "cifar-100-binary",
            List.of("train.bin"), "test.bin", 2, 100, InputScale.CIFAR100),
    /** The same images in the 20 groups that their classes belong to: the coarse label. */
    CIFAR100_COARSE("CIFAR-100 coarse", CIFAR100.archive, CIFAR100.sha256, CIFAR100.inside, CIFAR100.trainFiles,
            CIFAR100.testFile, 2, 20, InputScale.CIFAR100);

    /** Height and width of an image. */
    public static final int SIDE = 32;
    /** Shifts of up to 4 pixels, which is padding by 4 and cropping, and flips. */
    public static final Augmentation USUAL = new Augmentation(new Shift(4, false), Crop.CENTER, true);

    private static final int CHANNELS = 3;
    private static final int PIXELS = CHANNELS * SIDE * SIDE;
    private static final List<String> TEN = List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog",
            "horse", "ship", "truck");

    private static final List<String> GROUPS = List.of("aquatic mammals", "fish", "flowers", "food containers",
            "fruit and vegetables", "household electrical devices", "household furniture", "insects",
            "large carnivores",
            "large man-made outdoor things", "large natural outdoor scenes", "large omnivores and herbivores",
            "medium-sized mammals", "non-insect invertebrates", "people", "reptiles", "small mammals", "trees",
            "vehicles 1", "vehicles 2");

    /** SHA-256 of each file of the original archives. */
    private static final Map<String, String> ORIGINAL = Map.of("data_batch_1.bin",
            "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5", "data_batch_2.bin",
            "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed", "data_batch_3.bin",
            "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67", "data_batch_4.bin",
            "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48", "data_batch_5.bin",
            "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add", "test_batch.bin",
            "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b", "train.bin",
            "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29", "test.bin",
            "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a");

    private final String title;
    private final String archive;
    private final String sha256;
    private final String inside;
    private final List<String> trainFiles;
    private final String testFile;
    private final int labelBytes;
    private final int classes;
    private final InputScale scale;

    Cifar(String title, String archive, String sha256, String inside, List<String> trainFiles, String testFile,
            int labelBytes, int classes, InputScale scale) {
        this.title = title;
        this.archive = archive;
        this.sha256 = sha256;
        this.inside = inside;
        this.trainFiles = trainFiles;
        this.testFile = testFile;
        this.labelBytes = labelBytes;
        this.classes = classes;
        this.scale = scale;
    }

    /**
     * What {@link #verify} found out about one file.
     *
     * @param file its name
     * @param images records in it
     * @param sha256 its digest, 64 lower-case hexadecimal digits
     * @param original whether it is a file of the original archive, to the bit
     */
    public record Check(String file, int images, String sha256, boolean original) {}

    /** {@return the name that everybody uses} */
    public String title() {
        return title;
    }

    /** {@return the number of classes} */
    public int classes() {
        return classes;
    }

    /** {@return how pixels become inputs: mean and deviation of each colour, over the training images} */
    public InputScale scale() {
        return scale;
    }

    /** {@return where its authors publish it} */
    public URI source() {
        return URI.create("https://www.cs.toronto.edu/~kriz/" + archive);
    }

    /** {@return the name of what lies there} */
    public String archive() {
        return archive;
    }

    /** {@return the SHA-256 of what lies there} */
    public String sha256() {
        return sha256;
    }

    /** {@return the binary files: those to train with, then the one to test with} */
    public List<String> files() {
        List<String> files = new ArrayList<>(trainFiles);
        files.add(testFile);
        return files;
    }

    /**
     * {@return whether {@code folder}, or the archive's folder in it, has the binary files or some of them}
     *
     * @param folder where the files lie, or the archive's folder does
     */
    public boolean looksLike(Path folder) {
        return files().stream().anyMatch(name -> Files.exists(place(folder).resolve(name)));
    }

    /**
     * Refuses a folder that holds CIFAR in its Python form, which is not read.
     *
     * @param folder where the files lie, or the archive's folder does
     */
    public static void refusePython(Path folder) {
        for (Cifar kind : values()) {
            if (kind.looksLike(folder)) {
                return;
            }
        }
        for (Cifar kind : values()) {
            for (Path place : List.of(folder, folder.resolve(kind.pythonFolder()))) {
                if (kind.pythonFiles().stream().allMatch(name -> Files.isRegularFile(place.resolve(name)))) {
                    throw new DataException(place + " holds the Python files of " + kind.title + " ("
                            + String.join(", ", kind.pythonFiles()) + "): fetch the binary ones, pare data "
                            + kind.name().toLowerCase(Locale.ROOT) + " --download");
                }
            }
        }
    }

    /** The folder in the archive of the Python form. */
    private String pythonFolder() {
        return switch (this) {
            case CIFAR10 -> "cifar-10-batches-py";
            case CIFAR100, CIFAR100_COARSE -> "cifar-100-python";
        };
    }

    /** Files by which the Python form is known. */
    private List<String> pythonFiles() {
        return switch (this) {
            case CIFAR10 -> List.of("data_batch_1");
            case CIFAR100, CIFAR100_COARSE -> List.of("train", "test", "meta");
        };
    }

    /**
     * Reads the binary files in {@code folder}, or in the archive's folder in it.
     *
     * @param folder where the files lie, or the archive's folder does
     * @return the images, in memory, 184 MB
     */
    public Corpus load(Path folder) {
        return new Corpus(title, read(title + " (train)", folder, trainFiles), null,
                read(title + " (test)", folder, List.of(testFile)), scale, USUAL, classNames());
    }

    private List<String> classNames() {
        return switch (this) {
            case CIFAR10 -> TEN;
            case CIFAR100 -> List.of();
            case CIFAR100_COARSE -> GROUPS;
        };
    }

    /**
     * Compares the files with the original ones.
     *
     * @param folder where the files lie, or the archive's folder does
     * @return what each file is, in their order
     */
    public List<Check> verify(Path folder) {
        refusePython(folder);
        List<Check> checks = new ArrayList<>();
        for (String name : files()) {
            Path file = place(folder).resolve(name);
            int images = images(file);
            String hash = Checksum.sha256(file);
            checks.add(new Check(name, images, hash, hash.equals(ORIGINAL.get(name))));
        }
        load(folder);
        return checks;
    }

    private Path place(Path folder) {
        Path deeper = folder.resolve(inside);
        return Files.isDirectory(deeper) ? deeper : folder;
    }

    private int record() {
        return labelBytes + PIXELS;
    }

    /** Number of records in a file, which must be whole. */
    private int images(Path file) {
        try {
            long size = Files.size(file);
            if (size == 0 || size % record() != 0) {
                throw new DataException(file + " has " + size + " bytes, "
                        + (size == 0 ? "it is empty"
                                : "which is no multiple of the " + record() + " bytes of a " + title
                                        + " image: it is cut short or another kind of file")
                        + "; fetch it again");
            }
            if (size > Integer.MAX_VALUE) {
                throw new DataException(file + " has " + size + " bytes: no file of " + title + " is that large");
            }
            return (int) (size / record());
        } catch (IOException e) {
            throw missing(file, e);
        }
    }

    private DataException missing(Path file, IOException e) {
        if (Files.notExists(file)) {
            return new DataException(Files.isDirectory(file.getParent())
                    ? file.getParent() + " has no " + file.getFileName() + ": " + title + " consists of "
                            + String.join(", ", files())
                    : "the folder " + file.getParent() + " does not exist", e);
        }
        return new DataException(e instanceof AccessDeniedException
                ? file + " may not be read: permission denied"
                : "cannot read " + file + ": " + e.getMessage(), e);
    }

    private Dataset read(String name, Path folder, List<String> names) {
        Path place = place(folder);
        int[] counts = names.stream().mapToInt(file -> images(place.resolve(file))).toArray();
        for (int i = 1; i < counts.length; i++) {
            if (counts[i] != counts[0]) {
                throw new DataException(place.resolve(names.get(i)) + " has " + counts[i] + " images, "
                        + names.get(0) + " has " + counts[0] + ": one of them is cut short; fetch it again");
            }
        }
        long bytes = (long) counts[0] * counts.length * PIXELS;
        Heap.check(name + " in " + place, bytes);
        if (bytes > Integer.MAX_VALUE) {
            throw new DataException(name + " in " + place + " has " + bytes + " bytes, more than the "
                    + Integer.MAX_VALUE + " that fit into memory here");
        }
        int total = counts[0] * counts.length;
        byte[] pixels = new byte[(int) bytes];
        int[] labels = new int[total];
        byte[] record = new byte[record()];
        int label = this == CIFAR100_COARSE ? 0 : labelBytes - 1;
        int at = 0;
        for (String fileName : names) {
            Path file = place.resolve(fileName);
            try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
                for (int i = 0; i < counts[0]; i++) {
                    if (in.readNBytes(record, 0, record.length) < record.length) {
                        throw new DataException(file + " became shorter while it was read");
                    }
                    labels[at] = record[label] & 0xff;
                    if (labels[at] >= classes) {
                        throw new DataException(file + ": image " + i + " has label " + labels[at] + ", " + title
                                + " has 0 to " + (classes - 1) + ": it is damaged or another kind of file");
                    }
                    System.arraycopy(record, labelBytes, pixels, at * PIXELS, PIXELS);
                    at++;
                }
            } catch (IOException e) {
                throw missing(file, e);
            }
        }
        return new Dataset(name, CHANNELS, SIDE, SIDE, classes, new StoredImages(pixels, CHANNELS, SIDE, SIDE),
                labels);
    }
}
