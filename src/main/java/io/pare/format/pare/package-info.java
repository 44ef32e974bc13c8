/**
 * The {@code .pare} format: a network and its weights, coded to few bytes. The page {@code docs/format.md} specifies it
 * byte by byte.
 *
 * <p>{@link io.pare.format.pare.PareFile} is public; the coders behind it are internal.
 *
 * <p>May use {@code net}, {@code mem} and {@code file}.
 */
package io.pare.format.pare;
