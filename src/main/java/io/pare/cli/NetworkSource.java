package io.pare.cli;

import io.pare.format.NetworkFile;
import io.pare.format.safetensors.Safetensors;
import io.pare.net.CompressedWeights;
import io.pare.net.Model;
import io.pare.net.Models;
import io.pare.net.StoredNetwork;
import io.pare.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A network in a file of any kind that Pare knows. */
final class NetworkSource {
    @Parameters(paramLabel = "FILE",
            description = "A .pare, .safetensors or .onnx file, or the folder of a finished run.")
    private Path file;

    @Option(names = "--model", paramLabel = "MODEL",
            description = "Name of a network, for files that do not say whose weights they hold: see models.")
    private String model;

    @Option(names = "--names", paramLabel = "MAP",
            description = "File with a line PARAMETER=TENSOR for each parameter that has another name in FILE.")
    private Path names;

    @Option(names = "--ignore-extra",
            description = "Leave out what else a safetensors file holds, rather than refuse it.")
    private boolean ignoreExtra;

    /** The file itself: a folder stands for the weights in it. */
    Path file() {
        return file(file);
    }

    /** The folder of a run, or {@code null} if a file was given. */
    Path folder() {
        return Files.isDirectory(file) ? file : null;
    }

    /** The network, with what is assumed where its file does not say how pixels become inputs. */
    CompressedWeights read() throws IOException {
        return contents().weights();
    }

    /** The network with the scale that was asked for, the file's, or a usual one, of which {@code notes} is told. */
    CompressedWeights read(ScaleOption scale, Consumer<String> notes) throws IOException {
        return Scales.choose(file, contents(), scale.text(), notes);
    }

    StoredNetwork contents() throws IOException {
        Path found = file();
        if (model != null) {
            checkModel(found, model, names);
        }
        return contents(found, model == null ? null : Models.byName(model), names, ignoreExtra);
    }

    /** The file itself: the folder of a run stands for the weights in it. */
    static Path file(Path fileOrFolder) {
        if (!Files.exists(fileOrFolder)) {
            throw new UsageException(fileOrFolder + " does not exist");
        }
        if (!Files.isDirectory(fileOrFolder)) {
            return fileOrFolder;
        }
        Path weights = fileOrFolder.resolve(Checkpoint.WEIGHTS);
        if (!Files.exists(weights)) {
            boolean begun = Files.exists(fileOrFolder.resolve(Checkpoint.FILE));
            throw new UsageException(weights + " does not exist: " + (begun
                    ? "the run in " + fileOrFolder + " is not finished, see train --resume"
                    : "give the folder of a run, or a file with weights"));
        }
        return weights;
    }

    /** Refuses a file that says it holds another network, unless a map of names says that it is meant. */
    static void checkModel(Path file, String model, Path names) throws IOException {
        if (names == null && NetworkFile.kind(file) == NetworkFile.Kind.SAFETENSORS) {
            try (Safetensors tensors = Safetensors.open(file)) {
                String named = tensors.metadata().get(NetworkFile.MODEL);
                if (named != null && !named.equals(model)) {
                    throw new UsageException(file + " holds a network " + named + ", not " + model);
                }
            }
        }
    }

    /**
     * Reads a network.
     *
     * @param model whose weights they are, or {@code null} to trust the file
     * @param names file that maps parameters to tensors, or {@code null}
     * @param ignoreExtra whether the file may hold tensors that the network has no parameter for
     */
    static StoredNetwork contents(Path file, Model model, Path names, boolean ignoreExtra)
            throws IOException {
        if (names != null && !Files.isRegularFile(names)) {
            throw new UsageException(names + " is no file: --names takes one with lines PARAMETER=TENSOR");
        }
        return NetworkFile.contents(file, model, names == null ? Map.of() : NetworkFile.readNames(names),
                ignoreExtra);
    }
}
