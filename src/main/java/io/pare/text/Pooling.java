package io.pare.text;

/** How the vectors of a text's tokens become that of the text: what a model was trained with, its card says. */
public enum Pooling {
    /** Their mean, as of all-MiniLM and E5. */
    MEAN,
    /** That of the first token, [CLS], as of BGE. */
    FIRST
}
