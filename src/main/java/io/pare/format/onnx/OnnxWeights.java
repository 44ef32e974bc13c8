package io.pare.format.onnx;

/**
 * How an ONNX file holds the weights of layers.
 *
 * @param kind of form
 * @param bits of a weight on a grid; 0 for other kinds
 * @param block neighbours in a row that share a grid; 0 for other kinds
 */
public record OnnxWeights(Kind kind, int bits, int block) {
    /** Kinds of forms. */
    public enum Kind {
        /** As floats. */
        FLOATS,
        /** As a table and numbers of 8 bits where a tensor has a codebook. Matrices that lie on grids keep these. */
        AS_THEY_ARE,
        /** Matrices as integers with a step and a zero for each block; those that lie on no grid are rounded. */
        BLOCKS
    }

    /** All weights as floats. */
    public static final OnnxWeights FLOATS = new OnnxWeights(Kind.FLOATS, 0, 0);
    /** Codebooks and grids where weights have them. */
    public static final OnnxWeights AS_THEY_ARE = new OnnxWeights(Kind.AS_THEY_ARE, 0, 0);

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException for a grid that ONNX Runtime does not run
     */
    public OnnxWeights {
        boolean runs = (bits == 4 || bits == 8) && block >= 16 && block <= 256 && Integer.bitCount(block) == 1;
        if (kind == Kind.BLOCKS ? !runs : bits != 0 || block != 0) {
            throw new IllegalArgumentException("weights of " + bits + " bits in blocks of " + block
                    + " are not written: 4 or 8 bits and blocks of 16, 32, 64, 128 or 256 are");
        }
    }

    /**
     * {@return matrices as integers, with a step and a zero for each block}
     *
     * @param bits 4 or 8
     * @param block 16, 32, 64, 128 or 256 neighbours in a row
     */
    public static OnnxWeights blocks(int bits, int block) {
        return new OnnxWeights(Kind.BLOCKS, bits, block);
    }
}
