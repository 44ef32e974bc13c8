/**
 * Files of PyTorch: {@link io.pare.format.pytorch.PyTorchFile} reads the tensors of a state dict. Its pickle makes tensors,
 * numbers, texts and containers; no code is loaded or called.
 *
 * <p>Public. An open file is owned by its opener; see there.
 *
 * <p>May use {@code format.tensors}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.format.pytorch;

import org.jspecify.annotations.NullMarked;
