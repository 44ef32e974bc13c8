/**
 * What files of named tensors have in common: {@link io.pare.format.tensors.NamedTensors} as all are read, types of
 * elements, and tensors that lie somewhere in a file or an archive.
 *
 * <p>Public. An open file is owned by its opener; see there.
 *
 * <p>May use {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.format.tensors;

import org.jspecify.annotations.NullMarked;
