package io.pare.run;

import io.pare.format.NetworkFile;
import io.pare.format.onnx.Bindings;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.yaml.NetworkDescription;
import io.pare.net.CompressedWeights;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Shape;
import io.pare.net.StoredNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * Where a network comes from: a name that Pare knows, a file that holds one with its weights, or a YAML file that declares
 * its layers. Immutable.
 */
public sealed interface ModelSource {
    /** {@return what names the network in folders and reports} */
    String name();

    /** {@return what {@link #of} takes to give it again, from any working folder} */
    String reference();

    /** {@return the network for the data that it is usually for, to find and read that data by} */
    Net usual();

    /**
     * {@return the network of logits for such images}
     *
     * @param images shape of one
     * @param classes of the data; a network of a file keeps its own
     */
    Net net(Shape images, int classes);

    /** {@return the trained weights that come with it} */
    default Optional<StoredWeights> weights() {
        return Optional.empty();
    }

    /** {@return the scale of pixels with which it was trained, if its file says so} */
    default Optional<InputScale> scale() {
        return Optional.empty();
    }

    /** {@return whether it is in an ONNX file} */
    default boolean isOnnx() {
        return false;
    }

    /**
     * Writes weights of this network, whose file is an ONNX file, as another one: with the same names of input and output,
     * and with codes and codebooks where tensors have them.
     *
     * @param into the other file, replaced in one step
     * @param weights of this network
     * @throws IOException if a file cannot be read or written
     */
    default void writeOnnx(Path into, CompressedWeights weights) throws IOException {
        throw new IllegalStateException(name() + " is in no ONNX file");
    }

    /** {@return what its file makes of its logits} */
    default Ending ending() {
        return Ending.NONE;
    }

    /**
     * {@return the network for which a name or a file stands, which is read}
     *
     * @param text a name, or a .onnx, .pare, .safetensors or .yaml file, or the folder of a finished run
     * @throws RunException if it is neither
     * @throws io.pare.file.FormatException if the file is damaged, declares no network, or holds what Pare cannot
     *            compute
     * @throws IOException if the file cannot be read
     */
    static ModelSource of(String text) throws IOException {
        return of(text, Bindings.NONE);
    }

    /**
     * Finds a network as {@link #of(String)} does.
     *
     * @param text a name, a file or a folder
     * @param bindings what an ONNX file leaves open; other files leave nothing open
     * @return the network
     * @throws RunException if it is neither
     * @throws io.pare.file.FormatException if the file is damaged, declares no network, or holds what Pare cannot
     *            compute
     * @throws IOException if the file cannot be read
     */
    static ModelSource of(String text, Bindings bindings) throws IOException {
        if (Models.names().contains(text)) {
            return new Known(text);
        }
        Path file = Path.of(text);
        if (!Files.exists(file)) {
            boolean looksLikeFile = text.matches(".*([/\\\\].*|\\.[A-Za-z]+)");
            throw new RunException(looksLikeFile
                    ? text + ", the file of a network, does not exist: put it there, or give another"
                    : "unknown model '" + text + "'; known are " + String.join(", ", Models.names())
                            + ", and there is no file of that name");
        }
        String lower = text.toLowerCase(Locale.ROOT);
        return lower.endsWith(".yaml") || lower.endsWith(".yml")
                ? new Declared(named(file), reference(file), NetworkDescription.read(file))
                : Stored.of(file, bindings);
    }

    /**
     * {@return the {@link #reference()} of what a name or a file stands for; nothing is read}
     *
     * @param text a name, a file or a folder
     */
    static String reference(String text) {
        return Models.names().contains(text) ? text : reference(Path.of(text));
    }

    private static String reference(Path file) {
        return file.toAbsolutePath().normalize().toString();
    }

    /**
     * {@return what a network is called by its file: the file's name without its ending and without what no folder is
     * called}
     *
     * @param file of a network
     */
    static String named(Path file) {
        return folderName(file.toAbsolutePath().normalize().getFileName().toString()
                .replaceFirst("(?<=.)\\.[A-Za-z]+$", ""));
    }

    /** A name without what no folder is called. */
    private static String folderName(String text) {
        String name = text.replaceAll("[^A-Za-z0-9._-]", "-").replaceFirst("^\\.+", "");
        return name.isEmpty() ? "model" : name.substring(0, Math.min(100, name.length()));
    }

    /**
     * One of {@link Models}.
     *
     * @param name as in {@link Models#byName}
     */
    record Known(String name) implements ModelSource {
        @Override
        public String reference() {
            return name;
        }

        @Override
        public Net usual() {
            return Models.byName(name);
        }

        @Override
        public Net net(Shape images, int classes) {
            return Models.byName(name, images, classes);
        }
    }

    /**
     * Layers in a file.
     *
     * @param name of the network
     * @param reference file, absolute
     * @param description layers, without weights
     */
    record Declared(String name, String reference, NetworkDescription description) implements ModelSource {
        private static final int USUAL_CLASSES = 10;

        @Override
        public Net usual() {
            return description.net(name, USUAL_CLASSES);
        }

        @Override
        public Net net(Shape images, int classes) {
            return description.net(name, classes);
        }
    }

    /**
     * A network with its weights.
     *
     * @param name of the network
     * @param reference file or folder, absolute
     * @param usual without its ending
     * @param file with the weights
     * @param scale that the file says, if it does
     * @param ending of the network in its file
     * @param isOnnx whether it is an ONNX file
     */
    record Stored(String name, String reference, Net usual, StoredWeights file, Optional<InputScale> scale,
            Ending ending,
            boolean isOnnx)
            implements ModelSource {
        private static Stored of(Path path, Bindings bindings) throws IOException {
            StoredWeights file = new StoredWeights(StoredWeights.find(path), null, false, bindings);
            StoredNetwork contents = file.read(null);
            CompressedWeights weights = contents.weights();
            Net net = Ending.without(weights.model());
            // Names of ONNX graphs are those of the program that wrote them.
            boolean onnx = NetworkFile.format(file.file()) == NetworkFile.Format.ONNX;
            Net own =
                    !onnx || Models.names().contains(net.name()) ? net : new Net(ModelSource.named(path), net.nodes());
            return new Stored(folderName(own.name()), ModelSource.reference(path), own, file,
                    contents.scaled() ? Optional.of(weights.scale()) : Optional.empty(), Ending.of(weights.model()),
                    onnx);
        }

        @Override
        public Net net(Shape images, int classes) {
            return usual;
        }

        @Override
        public Optional<StoredWeights> weights() {
            return Optional.of(file);
        }

        @Override
        public void writeOnnx(Path into, CompressedWeights weights) throws IOException {
            OnnxFile.write(into, weights, OnnxWeights.AS_THEY_ARE, OnnxFile.names(file.file(), file.bindings()));
        }
    }
}
