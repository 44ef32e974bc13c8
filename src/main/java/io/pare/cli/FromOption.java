package io.pare.cli;

import io.pare.format.onnx.Bindings;
import io.pare.run.ModelSource;
import io.pare.run.StoredWeights;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options for the trained network that a command begins with. */
final class FromOption {
    @Option(names = "--from", paramLabel = "PATH",
            description = "A trained network to begin with: the folder of a run, or a .safetensors, .pth, .npz,"
                    + " .onnx or .pare file."
                    + " Give the run's --seed, so that its validation images stay unseen. Without it, train draws first"
                    + " weights by --seed, and other commands train a network first.")
    private Path from;

    @Option(names = "--names", paramLabel = "MAP",
            description = "File with a line PARAMETER=TENSOR for each parameter that has another name in --from.")
    private Path names;

    @Option(names = "--ignore-extra",
            description = "Leave out what else --from holds, if it is a file of tensors, rather than refuse it.")
    private boolean ignoreExtra;

    @Mixin
    private OnnxOption onnx;

    /** Reads the network to which these options belong: a name, or a file. */
    ModelSource source(String model) throws IOException {
        return ModelSource.of(model, onnx.of(model, this));
    }

    /** What was said of an ONNX file, which is refused where there is none. */
    Bindings bindings(String model) throws IOException {
        return onnx.of(model, this);
    }

    boolean given() {
        if (from == null && names != null) {
            throw new UsageException("--names belongs to --from");
        }
        if (from == null && ignoreExtra) {
            throw new UsageException("--ignore-extra belongs to --from");
        }
        return from != null;
    }

    /** The file named, a folder standing for the weights in it; {@code null} if none was. */
    Path file() {
        return given() ? StoredWeights.find(from) : null;
    }

    /** The weights that were named. */
    StoredWeights weights() throws IOException {
        StoredWeights weights = new StoredWeights(file(), names, ignoreExtra, onnx.ofFrom(file()));
        weights.checkNames();
        return weights;
    }
}
