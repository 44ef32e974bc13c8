package io.pare.run;

import io.pare.data.DataException;
import io.pare.data.ImageFolder;
import io.pare.data.OddImages;
import io.pare.data.PictureFormats;
import io.pare.data.PictureReader;
import io.pare.infer.CompressedModel;
import io.pare.net.CompressedWeights;
import io.pare.net.Ending;
import io.pare.net.Net;
import io.pare.net.Shape;
import io.pare.net.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Says what a network sees in pictures, which are read as for evaluation: probabilities of classes or of labels, or numbers.
 * Owns its model until {@link #close}. One thread at a time.
 */
public final class PicturePredictor implements AutoCloseable {
    private final CompressedModel model;
    private final PictureReader reader;
    private final Task task;
    private final Ending ending;

    /** Takes what a network says of a picture. */
    @FunctionalInterface
    public interface Listener {
        /**
         * Takes an answer.
         *
         * @param file the picture
         * @param answer probabilities of all classes or labels, or numbers
         * @return whether there shall be more
         */
        boolean take(Path file, float[] answer);
    }

    /**
     * Makes a predictor for one network.
     *
     * @param weights of the network; any thread may use them beside this
     * @param task what the network says of a picture
     * @param inverted whether dark is ink, for networks of light digits on dark
     * @param odd what becomes of pictures that cannot be read or are of other colours
     * @param notes takes a line for pictures of another size than the network's, which are brought to it
     * @throws RunException if the network takes no pictures, gives no vector, or is not for that task
     */
    public PicturePredictor(CompressedWeights weights, Task task, boolean inverted, OddImages odd,
            Consumer<String> notes) {
        this.task = task;
        this.ending = Ending.of(weights.model());
        if (task == Task.MULTILABEL) {
            DataSets.checkLabels(ending);
        }
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
     * @param files pictures, in their order
     * @param batch pictures that the network is given at once, at least 1
     * @param listener takes each picture that could be read, until it wants no more
     * @return how many the listener took
     * @throws DataException if none can be read, one that cannot is refused, or numbers grow beyond floats
     * @throws IOException if a file cannot be read
     */
    public int predict(List<Path> files, int batch, Listener listener) throws IOException {
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
                    checkFinite(file, "inputs", inputs, read.size() * features, features);
                    read.add(file);
                }
            }
            float[] answers = read.isEmpty() ? new float[0] : answers(inputs, read.size());
            for (int i = 0; i < read.size(); i++) {
                checkFinite(read.get(i), "outputs", answers, i * classes, classes);
                predicted++;
                if (!listener.take(read.get(i), Arrays.copyOfRange(answers, i * classes, (i + 1) * classes))) {
                    return predicted;
                }
            }
        }
        if (predicted == 0) {
            throw new DataException("none of " + files.size() + " pictures can be read");
        }
        return predicted;
    }

    private float[] answers(float[] inputs, int count) {
        float[] answers = new float[Math.multiplyExact(count, model.model().classes())];
        switch (task) {
            case CLASSIFY -> model.predict(inputs, count, answers);
            case MULTILABEL -> {
                model.logits(inputs, count, answers);
                for (int i = 0; ending != Ending.SIGMOID && i < answers.length; i++) {
                    answers[i] = Ending.sigmoid(answers[i]);
                }
            }
            case REGRESS -> model.logits(inputs, count, answers);
        }
        return answers;
    }

    private void checkFinite(Path file, String what, float[] values, int from, int count) {
        for (int i = from; i < from + count; i++) {
            if (!Float.isFinite(values[i])) {
                throw new DataException(file + ": one of its " + what + " is " + values[i] + " with the scale "
                        + Scales.text(model.scale()) + ": give --scale as in training");
            }
        }
    }

    /**
     * {@return what a network is for if nothing says it: labels behind a sigmoid, a number where there is only one
     * output, else classes}
     *
     * @param model network whose outputs count
     */
    public static Task usualTask(Net model) {
        return switch (Ending.of(model)) {
            case SIGMOID -> Task.MULTILABEL;
            case NONE -> model.classes() == 1 ? Task.REGRESS : Task.CLASSIFY;
            case SOFTMAX, LOG_SOFTMAX -> Task.CLASSIFY;
        };
    }

    /**
     * {@return the pictures among files and in folders, those of a folder by name}
     *
     * @param filesAndFolders in their order
     * @param odd is told what is left out
     * @throws DataException if a folder holds no picture
     * @throws IOException if a folder cannot be read
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
