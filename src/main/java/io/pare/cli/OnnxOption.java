package io.pare.cli;

import io.pare.format.NetworkFile;
import io.pare.format.onnx.Bindings;
import io.pare.net.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Option;

/** The options for what an ONNX file leaves open. */
final class OnnxOption {
    @Option(names = "--dim", paramLabel = "NAME=SIZE",
            description = "Size of a dimension that an ONNX file leaves free, by its name or as INPUT:AXIS. May be given more"
                    + " than once.")
    private Map<String, Integer> sizes = Map.of();

    @Option(names = "--output-name", paramLabel = "NAME",
            description = "The output that is taken of an ONNX file with several; what it does not need is left out.")
    private String output;

    /** Whether one of them was given. */
    boolean given() {
        return !sizes.isEmpty() || output != null;
    }

    /** What was given. */
    private Bindings bindings() {
        return new Bindings(sizes, Map.of(), output);
    }

    /** What was given for the only file that a command takes. */
    Bindings of(Path file) throws IOException {
        return given() && !isOnnx(file) ? refused(file.toString()) : bindings();
    }

    /** What was given for the network of a command that may take first weights from another file. */
    Bindings of(String model, FromOption from) throws IOException {
        if (!given() || isOnnx(model)) {
            return bindings();
        }
        return from.given() && isOnnx(from.file()) ? Bindings.NONE : refused(model);
    }

    /** What was given for a network that a name or a file stands for. */
    Bindings of(String model) throws IOException {
        return given() && !isOnnx(model) ? refused(model) : bindings();
    }

    /** What was given, for a file of first weights. */
    Bindings ofFrom(Path file) throws IOException {
        return given() && isOnnx(file) ? bindings() : Bindings.NONE;
    }

    private static Bindings refused(String what) {
        throw new UsageException("--dim and --output-name are for ONNX files; " + what + " is none");
    }

    private static boolean isOnnx(String model) throws IOException {
        String lower = model.toLowerCase(Locale.ROOT);
        // What is no file at all is refused by who reads it.
        return !Models.names().contains(model) && !lower.endsWith(".yaml") && !lower.endsWith(".yml")
                && isOnnx(Path.of(model));
    }

    private static boolean isOnnx(Path file) throws IOException {
        return !Files.exists(file)
                || !Files.isDirectory(file) && NetworkFile.format(file) == NetworkFile.Format.ONNX;
    }
}
