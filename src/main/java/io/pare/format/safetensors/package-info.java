/**
 * The safetensors format: named tensors behind a header of JSON. {@link io.pare.format.safetensors.Safetensors} reads
 * and writes files that know nothing of networks.
 *
 * <p>Public. An open file is owned by its opener; see there.
 *
 * <p>May use {@code format.tensors}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.format.safetensors;

import org.jspecify.annotations.NullMarked;
