package io.pare.kernel;

import java.util.Arrays;

/**
 * A matrix in the order in which {@link MatrixKernels} read it: panels of neighbouring columns, each row by row. Columns have
 * biases.
 *
 * <p>A matrix may be filled anew, with other sizes. Its arrays grow and never shrink. Safe for several threads as long as
 * none fills it.
 */
public final class PackedMatrix {
    /** Rows whose transposition stays in the first-level cache. */
    private static final int BLOCK = 64;

    private final int panel;
    private final int lanes;
    private int depth;
    private int columns;
    private float[] values = new float[0];
    private float[] biases = new float[0];

    /**
     * An empty matrix.
     *
     * @param kernels that will read it
     */
    public PackedMatrix(MatrixKernels kernels) {
        this.panel = kernels.panel();
        this.lanes = kernels.lanes();
    }

    /**
     * Takes the transpose of a row-major matrix: weights {@code [out, in]}, or keys.
     *
     * @param from row-major; its rows become columns
     * @param at its first value
     * @param stride values from one of its rows to the next
     * @param newColumns rows of {@code from}
     * @param newDepth values of each of them
     * @return this
     */
    public PackedMatrix transpose(float[] from, int at, int stride, int newColumns, int newDepth) {
        resize(newColumns, newDepth);
        for (int p = 0; p < panels(); p++) {
            int width = width(p);
            int own = Math.min(width, columns - p * panel);
            for (int first = 0; first < depth; first += BLOCK) {
                transpose(from, at + p * panel * stride + first, stride, own, Math.min(BLOCK, depth - first), values,
                        start(p) + first * width, width);
            }
            clear(p, own);
        }
        return this;
    }

    /** A block by a call of its own, so that the first ones alone run interpreted. */
    private static void transpose(float[] from, int at, int stride, int rows, int columns, float[] into, int place,
            int width) {
        for (int j = 0; j < rows; j++) {
            int source = at + j * stride;
            int target = place + j;
            for (int k = 0; k < columns; k++) {
                into[target + k * width] = from[source + k];
            }
        }
    }

    /**
     * Takes a row-major matrix.
     *
     * @param from row-major
     * @param at its first value
     * @param stride values from one row to the next
     * @param newDepth number of rows
     * @param newColumns values of each of them
     * @return this
     */
    public PackedMatrix copy(float[] from, int at, int stride, int newDepth, int newColumns) {
        resize(newColumns, newDepth);
        for (int p = 0; p < panels(); p++) {
            int width = width(p);
            int own = Math.min(width, columns - p * panel);
            for (int k = 0; k < depth; k++) {
                System.arraycopy(from, at + k * stride + p * panel, values, start(p) + k * width, own);
            }
            clear(p, own);
        }
        return this;
    }

    /**
     * Gives columns biases, which are 0 otherwise.
     *
     * @param from one for each column
     * @return this
     */
    public PackedMatrix bias(float[] from) {
        System.arraycopy(from, 0, biases, 0, columns);
        return this;
    }

    private void resize(int newColumns, int newDepth) {
        if (newColumns < 1 || newDepth < 1) {
            throw new IllegalArgumentException("a matrix of " + newDepth + " rows and " + newColumns + " columns");
        }
        columns = newColumns;
        depth = newDepth;
        int padded = (panels() - 1) * panel + width(panels() - 1);
        int size = Math.multiplyExact(padded, depth);
        values = values.length < size ? new float[size] : values;
        biases = biases.length < padded ? new float[padded] : biases;
        Arrays.fill(biases, 0);
    }

    /** What stands in columns that pad a panel would be computed too, and slowly where it is subnormal. */
    private void clear(int p, int own) {
        int width = width(p);
        for (int k = 0; own < width && k < depth; k++) {
            Arrays.fill(values, start(p) + k * width + own, start(p) + (k + 1) * width, 0);
        }
    }

    /** {@return the number of rows} */
    public int depth() {
        return depth;
    }

    /** {@return the number of columns} */
    public int columns() {
        return columns;
    }

    /** {@return the number of panels} */
    public int panels() {
        return Math.ceilDiv(columns, panel);
    }

    /**
     * {@return the columns of a panel, with those that pad it}
     *
     * @param p number of the panel, from 0
     */
    public int width(int p) {
        return Math.min(panel, Math.ceilDiv(columns - p * panel, lanes) * lanes);
    }

    /**
     * {@return the place of a panel's first value in {@link #values}}
     *
     * @param p number of the panel, from 0
     */
    public int start(int p) {
        return p * panel * depth;
    }

    /**
     * {@return the number of a panel's first column}
     *
     * @param p number of the panel, from 0
     */
    public int column(int p) {
        return p * panel;
    }

    /** {@return the panels, one after another, each row by row; not to be changed} */
    public float[] values() {
        return values;
    }

    /** {@return the biases of columns, and zeros behind them; not to be changed} */
    public float[] biases() {
        return biases;
    }
}
