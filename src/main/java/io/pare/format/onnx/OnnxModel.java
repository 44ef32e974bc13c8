package io.pare.format.onnx;

import io.pare.net.CompressedWeights;
import java.util.List;

/**
 * What an ONNX file computes, as a network.
 *
 * <p>A network has one input and one output. With one value each, these have the shapes of one sample in ONNX. Several
 * inputs are one vector, and so are several outputs: the values stand one after another in it.
 *
 * @param weights the network
 * @param scaled whether the file says how pixels become inputs
 * @param inputs what the graph takes, in the order of the file; without those that nothing reads
 * @param outputs what the graph gives, in the order of the file
 * @param notes what a user should know about the network, a line each: where it is not to the bit what the file says
 */
public record OnnxModel(CompressedWeights weights, boolean scaled, List<Port> inputs, List<Port> outputs,
        List<String> notes) {
    /** Copies the lists. */
    public OnnxModel {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        notes = List.copyOf(notes);
    }
}
