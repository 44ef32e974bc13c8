package io.pare.cli;

import io.pare.format.onnx.Bindings;
import io.pare.net.CompressedWeights;
import io.pare.net.StoredNetwork;
import io.pare.run.ModelSource;
import io.pare.run.Scales;
import io.pare.run.StoredWeights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A network in a file of any kind that Pare knows. */
final class NetworkSource {
    @Parameters(paramLabel = "FILE",
            description = "A .pare, .safetensors, .pth, .npz or .onnx file, or the folder of a finished run.")
    private Path file;

    @Option(names = "--model", paramLabel = "MODEL",
            description = "The network, for files that do not say whose weights they hold: a name, see models, or a file.")
    private String model;

    @Option(names = "--names", paramLabel = "MAP",
            description = "File with a line PARAMETER=TENSOR for each parameter that has another name in FILE.")
    private Path names;

    @Option(names = "--ignore-extra",
            description = "Leave out what else a file of tensors holds, rather than refuse it.")
    private boolean ignoreExtra;

    @Mixin
    private OnnxOption onnx;

    /** The file itself: a folder stands for the weights in it. */
    Path file() {
        return StoredWeights.find(file);
    }

    /** The folder of a run, or {@code null} if a file was given. */
    Path folder() {
        return Files.isDirectory(file) ? file : null;
    }

    /** What was said of FILE, an ONNX file. */
    Bindings bindings() throws IOException {
        return onnx.of(file());
    }

    /** Refuses what says whose weights FILE holds, for an ONNX file that is run as it is. */
    void checkPlain() {
        String option = model != null ? "--model" : names != null ? "--names" : ignoreExtra ? "--ignore-extra" : null;
        if (option != null) {
            throw new UsageException(option + " is for files of tensors; " + file
                    + " is an ONNX file, which runs as it is: leave it out");
        }
    }

    /** The network, with what is assumed where its file does not say how pixels become inputs. */
    CompressedWeights read(Consumer<String> notes) throws IOException {
        return contents(notes).weights();
    }

    /** The network with the scale that was asked for, the file's, or a usual one, of which {@code notes} is told. */
    CompressedWeights read(ScaleOption scale, Consumer<String> notes) throws IOException {
        return Scales.choose(file, contents(notes), scale.text(), notes);
    }

    StoredNetwork contents(Consumer<String> notes) throws IOException {
        StoredWeights stored = new StoredWeights(file(), names, ignoreExtra,
                model == null ? onnx.of(file()) : onnx.ofFrom(file()));
        if (model == null) {
            return stored.read(null, notes);
        }
        ModelSource source = ModelSource.of(model, stored.bindings().equals(Bindings.NONE)
                ? onnx.of(model)
                : Bindings.NONE);
        stored.checkModel(source.name());
        return stored.read(source.usual(), notes);
    }
}
