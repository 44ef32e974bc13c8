/**
 * Networks made smaller without another answer: dead weights removed, normalisations folded, units sorted, values
 * rounded to those that code well.
 *
 * <p>Public. Begin with {@link io.pare.rewrite.DeadPaths}. A rewrite changes outputs by rounding only, so evaluate a
 * network after it. Nothing is done silently: callers ask for each.
 *
 * <p>May use {@code format.pare}, {@code net} and {@code mem}.
 */
@NullMarked
package io.pare.rewrite;

import org.jspecify.annotations.NullMarked;
