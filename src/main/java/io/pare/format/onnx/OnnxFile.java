package io.pare.format.onnx;

import io.pare.file.AtomicFile;
import io.pare.file.FormatException;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.StoredNetwork;
import java.nio.file.Path;
import java.util.Map;

/**
 * Writes networks as ONNX (github.com/onnx/onnx, IR version {@value #IR_VERSION}, opset {@value #OPSET}) and reads
 * those whose operators Pare knows.
 *
 * <p>Weights are written dense, or as a codebook and one byte for each weight, which a Gather puts together when the
 * network runs. The same weights give the same bytes.
 */
public final class OnnxFile {
    /** Version of the ONNX representation that is written. */
    public static final int IR_VERSION = 7;
    /** Version of the operator set that is written. */
    public static final int OPSET = 13;
    /** Name of the input, shape [batch, channels, height, width]. */
    public static final String INPUT = "image";
    /** Name of the output, shape [batch, classes]: logits. */
    public static final String OUTPUT = "logits";

    /** Properties that say how pixels become inputs. */
    static final String MEAN = "pare.mean";
    static final String DEVIATION = "pare.deviation";

    private OnnxFile() {}

    /** Writes the whole file or nothing; {@code codebooks} asks for codes and codebooks where a tensor has them. */
    public static void write(Path path, CompressedWeights weights, boolean codebooks) {
        AtomicFile.write(path, encode(weights, codebooks));
    }

    /** The bytes of a file. */
    public static byte[] encode(CompressedWeights weights, boolean codebooks) {
        return new OnnxExporter(weights, codebooks).run();
    }

    /** What a file's bytes hold: layers, under the names of a known network if it has the same layers. */
    public static CompressedWeights decode(byte[] file) {
        return contents(file).weights();
    }

    /** What a file's bytes hold, and whether they say how pixels become inputs. */
    public static StoredNetwork contents(byte[] file) {
        OnnxGraph graph = new OnnxGraph(file);
        InputScale scale = scale(graph.properties());
        try {
            return new StoredNetwork(new OnnxImporter(graph).run(scale), scale != null);
        } catch (IllegalArgumentException e) {
            throw new FormatException("the layers do not fit together: " + e.getMessage(), e);
        } catch (ArithmeticException e) {
            throw new FormatException("the sizes of a layer are too large: " + e.getMessage(), e);
        }
    }

    /** The scale that the file gives, or null. */
    private static InputScale scale(Map<String, String> properties) {
        if (!properties.containsKey(MEAN) && !properties.containsKey(DEVIATION)) {
            return null;
        }
        try {
            return InputScale.parse(properties.getOrDefault(MEAN, InputScale.UNIT.means()),
                    properties.getOrDefault(DEVIATION, InputScale.UNIT.deviations()));
        } catch (IllegalArgumentException e) {
            throw new FormatException("properties " + MEAN + " and " + DEVIATION + ": " + e.getMessage(), e);
        }
    }
}
