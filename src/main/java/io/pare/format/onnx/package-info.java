/**
 * ONNX files: {@link io.pare.format.onnx.OnnxFile} writes networks and reads those whose operators Pare knows.
 *
 * <p>Public. Begin with {@link io.pare.format.onnx.OnnxFile}. What a file leaves open is said by
 * {@link io.pare.format.onnx.Bindings}.
 *
 * <p>May use {@code format.pare}, {@code format.protobuf}, {@code tensor}, {@code net}, {@code kernel}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.format.onnx;

import org.jspecify.annotations.NullMarked;
