/**
 * Text for networks, and vectors for text.
 *
 * <p>Public. Begin with {@link io.pare.text.SentenceEncoder}, which gives sentences vectors by a network of BERT's kind.
 * {@link io.pare.text.WordPiece} reads the {@code tokenizer.json} beside the network.
 *
 * <p>JSON is read by a few lines of this package, because predicting needs no other library.
 *
 * <p>May use {@code format}, {@code format.pare}, {@code format.onnx}, {@code net}, {@code tensor}, {@code kernel} and
 * {@code file}.
 */
@NullMarked
package io.pare.text;

import org.jspecify.annotations.NullMarked;
