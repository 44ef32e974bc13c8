package io.pare.train;

import io.pare.data.Checksum;
import io.pare.descent.RunState;
import io.pare.file.FormatException;
import io.pare.format.NetworkFile;
import io.pare.format.safetensors.Safetensors;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Map;

/**
 * The files of a training: {@code checkpoint.safetensors} holds all that a run needs to go on with the same bits, and
 * {@code weights.safetensors} a network alone.
 *
 * <p>A checkpoint holds every parameter under {@code value/}, the optimiser's tensors under their own names, the best
 * weights under {@code best/}; counters are in the metadata. Both files are replaced in one step, so a process that is
 * killed leaves the last whole one.
 */
public final class Checkpoint {
    /** Name of the file that a run goes on from. */
    public static final String FILE = "checkpoint.safetensors";
    /** Name of the file that holds a network. */
    public static final String WEIGHTS = "weights.safetensors";

    private static final RunState.Kind KIND = new RunState.Kind("pare.checkpoint", "1",
            "is not a checkpoint of a training; give the folder that --out named");

    private Checkpoint() {}

    /**
     * Writes a run's whole state into {@code folder}.
     *
     * @param run between two steps, by the thread that runs it
     * @param folder that exists; its {@link #FILE} is replaced
     * @throws IOException if the file cannot be written; the last one stays
     */
    public static void save(TrainingRun run, Path folder) throws IOException {
        RunState.Writer state = new RunState.Writer(KIND);
        run.visit(state);
        state.write(folder.resolve(FILE));
    }

    /**
     * Puts a new run into the state that a checkpoint holds.
     *
     * @param run new, of the same model, data and settings; half restored where this throws
     * @param folder that holds the {@link #FILE}
     * @throws FormatException if the file is no checkpoint, is damaged, or is that of another model or of a run with
     *            other settings
     * @throws IOException if the file cannot be read
     */
    public static void restore(TrainingRun run, Path folder) throws IOException {
        try (RunState.Reader state = new RunState.Reader(folder.resolve(FILE), KIND)) {
            run.visit(state);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /**
     * Writes the parameters of a network, with the model's name and shape, how pixels are scaled, and any metadata.
     *
     * @param network whose values are written
     * @param scale that its inputs need, for whoever reads the file
     * @param path of the safetensors file, replaced in one step
     * @param metadata further entries of the file's header
     * @throws IOException if the file cannot be written
     */
    public static void saveWeights(Network network, InputScale scale, Path path, Map<String, String> metadata)
            throws IOException {
        saveWeights(network, Ending.NONE, scale, path, metadata);
    }

    /**
     * The same of a network that is written with an ending.
     *
     * @param network whose values are written
     * @param ending appended to the network's layers in the file
     * @param scale that its inputs need, for whoever reads the file
     * @param path of the safetensors file, replaced in one step
     * @param metadata further entries of the file's header
     * @throws IOException if the file cannot be written
     */
    public static void saveWeights(Network network, Ending ending, InputScale scale, Path path,
            Map<String, String> metadata) throws IOException {
        Safetensors.Writer writer = NetworkFile.writer(ending.on(network.model()), scale);
        metadata.forEach(writer::metadata);
        for (Weight weight : network.weights()) {
            writer.add(weight.name(), weight.value());
        }
        writer.write(path);
    }

    /**
     * Reads the parameters of a network, of which every one must be there with its shape; gives the metadata.
     *
     * @param network that takes the values
     * @param path of a safetensors file
     * @return the file's metadata
     * @throws FormatException if the file is of another model, or lacks a parameter or has another shape for it
     * @throws IOException if the file cannot be read
     */
    public static Map<String, String> loadWeights(Network network, Path path) throws IOException {
        try (Safetensors file = Safetensors.open(path)) {
            String model = file.metadata().get("model");
            if (model != null && !model.equals(network.model().name())) {
                throw new FormatException(
                        path + " was made with model " + model + ", this run has " + network.model().name());
            }
            for (Weight weight : network.weights()) {
                file.floats(weight.name(), weight.value());
            }
            return file.metadata();
        }
    }

    /**
     * Tells networks of one model apart: a digest of all values in their order.
     *
     * @param network whose values are read
     * @return the digest in hexadecimal digits; equal values give the same on every machine
     */
    public static String fingerprint(Network network) {
        MessageDigest digest = Checksum.digest();
        for (Weight weight : network.weights()) {
            digest.update(weight.value().segment().asByteBuffer());
        }
        return Checksum.brief(digest);
    }
}
