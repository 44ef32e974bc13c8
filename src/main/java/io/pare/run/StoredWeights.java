package io.pare.run;

import io.pare.format.NetworkFile;
import io.pare.format.onnx.Bindings;
import io.pare.format.safetensors.Safetensors;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.StoredNetwork;
import io.pare.train.Checkpoint;
import io.pare.train.Network;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a trained network in a file of any kind that Pare knows. Immutable; nothing is read before it is asked
 * for.
 *
 * @param file the file itself
 * @param names file with a line {@code PARAMETER=TENSOR} for each parameter that has another name in {@code file}, or
 *            {@code null}
 * @param ignoreExtra whether a file may hold tensors that the network has no parameter for
 * @param bindings what an ONNX file leaves open: sizes of free dimensions, which output is wanted
 */
public record StoredWeights(Path file, @Nullable Path names, boolean ignoreExtra, Bindings bindings) {
    /**
     * Names a file that leaves nothing open.
     *
     * @param file with weights
     * @param names map of tensors' names, or {@code null}
     * @param ignoreExtra whether the file may hold more tensors
     */
    public StoredWeights(Path file, @Nullable Path names, boolean ignoreExtra) {
        this(file, names, ignoreExtra, Bindings.NONE);
    }

    /**
     * {@return the weights in a file, or of a finished run in its folder}
     *
     * @param fileOrFolder that exists
     * @throws RunException if there are none
     */
    public static StoredWeights of(Path fileOrFolder) {
        return new StoredWeights(find(fileOrFolder), null, false);
    }

    /**
     * {@return the file itself: the folder of a run stands for the weights in it}
     *
     * @param fileOrFolder that exists
     * @throws RunException if there is no such file, or the run is not finished
     */
    public static Path find(Path fileOrFolder) {
        if (!Files.exists(fileOrFolder)) {
            throw new RunException(fileOrFolder + " does not exist");
        }
        if (!Files.isDirectory(fileOrFolder)) {
            return fileOrFolder;
        }
        Path weights = fileOrFolder.resolve(Checkpoint.WEIGHTS);
        if (!Files.exists(weights)) {
            boolean begun = Files.exists(fileOrFolder.resolve(Checkpoint.FILE));
            throw new RunException(weights + " does not exist: " + (begun
                    ? "the run in " + fileOrFolder + " is not finished, see train --resume"
                    : "give the folder of a run, or a file with weights"));
        }
        return weights;
    }

    /**
     * Refuses a file that says it holds another network, unless a map of names says that it is meant.
     *
     * @param model name of the network that is wanted
     * @throws RunException naming both
     * @throws io.pare.file.FormatException if the file is damaged
     * @throws IOException if the file cannot be read
     */
    public void checkModel(String model) throws IOException {
        if (names == null && NetworkFile.format(file) == NetworkFile.Format.SAFETENSORS) {
            try (Safetensors tensors = Safetensors.open(file)) {
                String named = tensors.metadata().get(NetworkFile.MODEL);
                if (named != null && !named.equals(model)) {
                    throw new RunException(file + " holds a network " + named + ", not " + model);
                }
            }
        }
    }

    /**
     * Refuses names, and leave to hold more, for a file of a network: its tensors have its names.
     *
     * @throws RunException saying what to do
     * @throws IOException if the file cannot be read
     */
    public void checkNames() throws IOException {
        if (names == null && !ignoreExtra) {
            return;
        }
        switch (NetworkFile.format(file)) {
            case PARE, ONNX -> throw new RunException((names != null ? "--names" : "--ignore-extra")
                    + " is for files of tensors, such as safetensors; " + file
                    + " holds a network, whose tensors have its names: leave it out");
            case SAFETENSORS, PYTORCH, NPZ -> {
                // Tensors by name.
            }
        }
    }

    /**
     * Reads the network.
     *
     * @param model whose weights they are, or {@code null} to trust the file
     * @return weights, scale and ending
     * @throws io.pare.file.FormatException if the file is damaged or holds another network
     * @throws IOException if the file cannot be read
     */
    public StoredNetwork read(@Nullable Net model) throws IOException {
        if (names != null && !Files.isRegularFile(names)) {
            throw new RunException(names + " is no file: --names takes one with lines PARAMETER=TENSOR");
        }
        checkNames();
        return NetworkFile.contents(file, model, names == null ? Map.of() : NetworkFile.readNames(names),
                ignoreExtra, bindings);
    }

    /**
     * Reads the network as {@link #read(Net)} does.
     *
     * @param model whose weights they are, or {@code null} to trust the file
     * @param notes is told what a user should know of the file's network, and if its tensors have names of their own
     *            and were taken in the file's order
     * @return weights, scale and ending
     * @throws io.pare.file.FormatException if the file is damaged or holds another network
     * @throws IOException if the file cannot be read
     */
    public StoredNetwork read(@Nullable Net model, Consumer<String> notes) throws IOException {
        StoredNetwork contents = read(model);
        if (contents.byOrder()) {
            notes.accept("pare: " + file + " has other names than " + contents.weights().model().name()
                    + " for its tensors: they are taken in the file's order, in which all kinds and shapes agree;"
                    + " --names says otherwise");
        }
        contents.notes().forEach(note -> notes.accept("pare: " + file + ": " + note));
        return contents;
    }

    /**
     * Copies the weights into a network of the same model.
     *
     * @param network that takes the weights
     * @param scale of the data that the network is for
     * @param notes is told if the file's scale is another
     * @throws RunException if the file holds another network
     * @throws io.pare.file.FormatException if the file is damaged
     * @throws IOException if the file cannot be read
     */
    public void copyTo(Network network, InputScale scale, Consumer<String> notes) throws IOException {
        Net model = network.model();
        checkModel(model.name());
        StoredNetwork contents = read(model, notes);
        InputScale own = contents.weights().scale();
        if (contents.scaled() && !own.equals(scale)) {
            notes.accept("pare: " + file + " is for pixels of scale " + Scales.text(own) + ", here they have "
                    + Scales.text(scale) + ": --scale " + Scales.text(own) + " keeps the file's");
        }
        network.copyFrom(contents.weights());
    }
}
