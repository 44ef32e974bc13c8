/**
 * Networks as files. {@link io.pare.format.NetworkFile} reads any format by content; a package below holds each of
 * them: {@code pare}, {@code onnx}, {@code safetensors}.
 *
 * <p>Public. Files are untrusted: a malformed one is refused with {@link io.pare.file.FormatException}, in bounded time
 * and memory.
 *
 * <p>May use {@code format.pare}, {@code format.onnx}, {@code format.safetensors}, {@code net}, {@code mem} and
 * {@code file}.
 */
package io.pare.format;
