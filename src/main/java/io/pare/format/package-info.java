/**
 * Networks as files: {@code .pare}, safetensors and ONNX, and the rewrites that make such files small.
 *
 * <p>{@link io.pare.format.CompressedWeights} is a network with weights as positions and values, the form that all
 * formats share. {@link io.pare.format.NetworkFile} reads any of them by content; {@link io.pare.format.PareFile},
 * {@link io.pare.format.Safetensors} and {@link io.pare.format.OnnxFile} hold one format each. The page
 * {@code docs/format.md} specifies {@code .pare} byte by byte.
 *
 * <p>Public. Files are untrusted: a malformed one is refused with {@link io.pare.format.FormatException}, in bounded time
 * and memory. {@link io.pare.format.CompressedWeights} and {@link io.pare.format.CompressedTensor} are immutable.
 *
 * <p>May use {@code model}, {@code mem} and {@code file}.
 */
package io.pare.format;
