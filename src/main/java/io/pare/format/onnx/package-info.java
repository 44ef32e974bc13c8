/**
 * ONNX files: {@link io.pare.format.onnx.OnnxFile} writes networks and reads those whose operators Pare knows.
 *
 * <p>{@code OnnxFile}, {@code OnnxModel} with its {@code Port}s, {@code Bindings} and {@code OnnxConstant} are public; the
 * reader of protobuf messages and the importer are internal.
 *
 * <p>May use {@code format.pare}, {@code tensor}, {@code net}, {@code mem} and {@code file}.
 */
package io.pare.format.onnx;
