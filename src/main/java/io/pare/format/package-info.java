/**
 * Networks as files. {@link io.pare.format.NetworkFile} reads any format by content; a package below holds each of
 * them: {@code pare}, {@code onnx}, and files of tensors by name, {@code safetensors}, {@code pytorch}, {@code npy}.
 *
 * <p>Public. Begin with {@link io.pare.format.NetworkFile}. Files are untrusted: a malformed one is refused with
 * {@link io.pare.file.FormatException}, in bounded time and memory.
 *
 * <p>May use {@code format.pare}, {@code format.onnx}, {@code format.safetensors}, {@code format.pytorch},
 * {@code format.npy}, {@code format.tensors}, {@code net}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.format;

import org.jspecify.annotations.NullMarked;
