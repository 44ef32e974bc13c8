/**
 * The {@code .pare} format: a network and its weights, coded to few bytes. The page {@code docs/format.md} specifies it
 * byte by byte.
 *
 * <p>Public. Begin with {@link io.pare.format.pare.PareFile}.
 *
 * <p>May use {@code net}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.format.pare;

import org.jspecify.annotations.NullMarked;
