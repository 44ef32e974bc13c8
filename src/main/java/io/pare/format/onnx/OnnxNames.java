package io.pare.format.onnx;

/**
 * What a file calls the input and the output of its graph.
 *
 * @param input of shape [batch, ...], of images [batch, channels, height, width]
 * @param output of shape [batch, ...], mostly [batch, classes]
 */
public record OnnxNames(String input, String output) {
    /** Unless somebody says otherwise. */
    public static final OnnxNames USUAL = new OnnxNames("image", "logits");
}
