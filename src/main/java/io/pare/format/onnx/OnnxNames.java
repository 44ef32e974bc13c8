package io.pare.format.onnx;

import io.pare.net.Net;
import io.pare.net.Op;
import io.pare.net.TensorOp;

/**
 * What a file calls the input and the output of its graph.
 *
 * @param input of shape [batch, ...], of images [batch, channels, height, width]
 * @param output of shape [batch, ...], mostly [batch, classes]
 */
public record OnnxNames(String input, String output) {
    /**
     * {@return names unless somebody says otherwise: the output is called by what its last operator makes of it}
     *
     * @param net to be written
     */
    public static OnnxNames usual(Net net) {
        boolean probabilities = switch (net.trained().output().op()) {
            case TensorOp.Softmax(int _, boolean logarithm) -> !logarithm;
            case Op.Sigmoid _ -> true;
            case Op _ -> false;
        };
        return new OnnxNames("image", probabilities ? "probabilities" : "logits");
    }
}
