package io.pare.format.onnx;

import io.pare.kernel.BlockGrid;
import io.pare.net.CompressedTensor;
import org.jspecify.annotations.Nullable;

/**
 * A matrix on grids: codes, and for each block of neighbours in a row a step and the code of zero.
 *
 * @param bits of a code
 * @param block neighbours in a row; the last block of a row may be shorter
 * @param rows of the matrix
 * @param columns of the matrix
 * @param codes row-major
 * @param steps of blocks, row by row
 * @param zeros the same
 */
record OnnxBlocks(int bits, int block, int rows, int columns, byte[] codes, float[] steps, byte[] zeros) {
    /** Smaller matrices save nothing. */
    static final int LEAST = 1 << 14;
    /** The grids that are looked for: the smallest file first. */
    private static final OnnxWeights[] KNOWN = {OnnxWeights.blocks(4, 128), OnnxWeights.blocks(4, 64),
        OnnxWeights.blocks(4, 32), OnnxWeights.blocks(4, 16), OnnxWeights.blocks(8, 128), OnnxWeights.blocks(8, 64),
        OnnxWeights.blocks(8, 32), OnnxWeights.blocks(8, 16)};
    /** The grids of a tensor in such a form; null if it is no matrix, or lies on none where none is asked for. */
    static @Nullable OnnxBlocks of(CompressedTensor tensor, OnnxWeights form) {
        if (tensor.shape().length != 2) {
            return null;
        }
        int rows = (int) tensor.shape()[0];
        int columns = (int) tensor.shape()[1];
        return switch (form.kind()) {
            case FLOATS -> null;
            case BLOCKS -> of(tensor.elements(), rows, columns, form);
            case AS_THEY_ARE ->
                    tensor.isCoded() || tensor.count() < LEAST ? null : known(tensor.elements(), rows, columns);
        };
    }

    private static @Nullable OnnxBlocks known(float[] all, int rows, int columns) {
        for (OnnxWeights form : KNOWN) {
            if (columns >= form.block() && lies(all, rows, columns, form)) {
                return of(all, rows, columns, form);
            }
        }
        return null;
    }

    private static boolean lies(float[] all, int rows, int columns, OnnxWeights form) {
        BlockGrid grid = new BlockGrid(form.bits());
        for (int row = 0; row < rows; row++) {
            for (int from = 0; from < columns; from += form.block()) {
                if (!grid.find(all, row * columns + from, Math.min(form.block(), columns - from))) {
                    return false;
                }
            }
        }
        return true;
    }

    private static OnnxBlocks of(float[] all, int rows, int columns, OnnxWeights form) {
        int blocks = Math.ceilDiv(columns, form.block());
        OnnxBlocks made = new OnnxBlocks(form.bits(), form.block(), rows, columns, new byte[all.length],
                new float[rows * blocks], new byte[rows * blocks]);
        BlockGrid grid = new BlockGrid(form.bits());
        for (int part = 0; part < made.steps.length; part++) {
            int from = part % blocks * form.block();
            int at = part / blocks * columns + from;
            int end = at + Math.min(form.block(), columns - from);
            grid.fit(all, null, at, end - at);
            made.steps[part] = grid.step();
            made.zeros[part] = (byte) grid.zero();
            for (int i = at; i < end; i++) {
                made.codes[i] = (byte) grid.code(all[i]);
            }
        }
        return made;
    }

    int blocks() {
        return Math.ceilDiv(columns, block);
    }

    /** With rows as columns: codes, steps and zeros all alike. */
    OnnxBlocks turned() {
        byte[] turnedCodes = new byte[codes.length];
        turn(codes, rows, columns, turnedCodes);
        byte[] turnedZeros = new byte[zeros.length];
        turn(zeros, rows, blocks(), turnedZeros);
        float[] turnedSteps = new float[steps.length];
        for (int i = 0; i < steps.length; i++) {
            turnedSteps[i % blocks() * rows + i / blocks()] = steps[i];
        }
        return new OnnxBlocks(bits, block, rows, columns, turnedCodes, turnedSteps, turnedZeros);
    }

    private static void turn(byte[] from, int rows, int columns, byte[] to) {
        for (int i = 0; i < from.length; i++) {
            to[i % columns * rows + i / columns] = from[i];
        }
    }
}
