package io.pare.run;

import io.pare.data.DataException;
import io.pare.data.ImageFolder;
import io.pare.data.OddImages;
import io.pare.data.PictureFormats;
import io.pare.data.PictureReader;
import io.pare.infer.CompressedModel;
import io.pare.net.CompressedWeights;
import io.pare.net.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Says what a network sees in pictures, which are read as for evaluation. Owns its model until {@link #close}. One thread
 * at a time.
 */
public final class PictureClassifier implements AutoCloseable {
    private final CompressedModel model;
    private final PictureReader reader;

    /**
     * @param inverted whether dark is ink, for networks of light digits on dark
     * @param odd what becomes of pictures that cannot be read or are of other colours
     * @param notes takes a line for pictures of another size than the network's, which are brought to it
     * @throws RunException if the network takes no pictures, or gives no vector
     */
    public PictureClassifier(CompressedWeights weights, boolean inverted, OddImages odd, Consumer<String> notes) {
        Shape input = weights.model().input().image();
        if (input.channels() != 1 && input.channels() != 3) {
            throw new RunException("pictures have 1 or 3 channels, " + weights.model().name() + " takes "
                    + weights.model().input().channels());
        }
        if (!weights.model().givesVector()) {
            throw new RunException(weights.model().name() + " gives values of " + weights.model().output().output()
                    + ", no vector with a value for each class; run writes them");
        }
        this.reader = new PictureReader(new ImageFolder.Shape(input.channels(), input.height(), input.width(), 0),
                weights.scale(), inverted, odd, notes);
        this.model = CompressedModel.of(weights);
    }

    /**
     * Predicts pictures in their order.
     *
     * @param batch pictures that the network is given at once, at least 1
     * @param listener takes each picture that could be read, with the probabilities of all classes
     * @return how many could be read
     * @throws DataException if none can be read, or one that cannot is refused
     */
    public int predict(List<Path> files, int batch, BiConsumer<Path, float[]> listener) throws IOException {
        int features = model.model().input().features();
        int classes = model.model().classes();
        int most = Math.min(batch, files.size());
        float[] inputs = new float[Math.multiplyExact(most, features)];
        List<Path> read = new ArrayList<>();
        int predicted = 0;
        for (int next = 0; next < files.size();) {
            read.clear();
            while (read.size() < most && next < files.size()) {
                Path file = files.get(next++);
                if (reader.read(file, inputs, read.size() * features)) {
                    read.add(file);
                }
            }
            if (!read.isEmpty()) {
                float[] probabilities = model.predict(Arrays.copyOf(inputs, read.size() * features), read.size());
                for (int i = 0; i < read.size(); i++) {
                    listener.accept(read.get(i), Arrays.copyOfRange(probabilities, i * classes, (i + 1) * classes));
                }
            }
            predicted += read.size();
        }
        if (predicted == 0) {
            throw new DataException("none of " + files.size() + " pictures can be read");
        }
        return predicted;
    }

    /**
     * The pictures among files and in folders, those of a folder by name.
     *
     * @param odd is told what is left out
     * @throws DataException if a folder holds no picture
     */
    public static List<Path> find(List<Path> filesAndFolders, OddImages odd) throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path image : filesAndFolders) {
            if (!Files.isDirectory(image)) {
                files.add(image);
                continue;
            }
            PictureFormats.Others others = new PictureFormats.Others();
            int before = files.size();
            try (Stream<Path> inside = Files.list(image)) {
                for (Path file : inside.filter(Files::isRegularFile).sorted().toList()) {
                    if (PictureFormats.named(file)) {
                        files.add(file);
                    } else {
                        others.add(file);
                    }
                }
            }
            odd.leftOut(image, others);
            if (files.size() == before) {
                throw new DataException(image + " holds no picture (" + PictureFormats.endings() + ")");
            }
        }
        return files;
    }

    /** Frees the model; harmless twice. */
    @Override
    public void close() {
        try (CompressedModel _ = model; PictureReader _ = reader) {
            // The reader first, and the model whatever that throws.
        }
    }
}
