/**
 * Protocol buffers: the encoding that files of ONNX and of TensorBoard have in common.
 *
 * <p>Internal: may change at any time. Messages and their fields are known to those who read and write them.
 *
 * <p>May use {@code file}.
 */
package io.pare.format.protobuf;
