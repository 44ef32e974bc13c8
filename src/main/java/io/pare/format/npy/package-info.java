/**
 * Arrays of NumPy: {@link io.pare.format.npy.NpyFile} for one, {@link io.pare.format.npy.NpzFile} for several by name.
 *
 * <p>Public. An open file is owned by its opener; see there.
 *
 * <p>May use {@code format.tensors}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.format.npy;

import org.jspecify.annotations.NullMarked;
