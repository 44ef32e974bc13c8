/**
 * Text for networks: the tokens that a network's vocabulary has for it.
 *
 * <p>Public. Begin with {@link io.pare.text.WordPiece}, which reads the {@code tokenizer.json} beside a model.
 *
 * <p>JSON is read by a few lines of this package, because predicting needs no other library.
 *
 * <p>May use {@code file}.
 */
@NullMarked
package io.pare.text;

import org.jspecify.annotations.NullMarked;
