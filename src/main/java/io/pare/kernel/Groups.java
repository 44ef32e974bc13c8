package io.pare.kernel;

/**
 * A partition of a row-major matrix into equal blocks; each block is a group that is kept or pruned as a whole.
 *
 * <p>Groups are numbered row by row. Blocks at the right and lower edges may be smaller.
 *
 * @param rows of the matrix
 * @param columns of the matrix
 * @param blockRows rows of a block, at least 1
 * @param blockColumns columns of a block, at least 1
 */
public record Groups(long rows, long columns, long blockRows, long blockColumns) {
    /** Checks the sizes. */
    public Groups {
        if (blockRows < 1 || blockColumns < 1) {
            throw new IllegalArgumentException("a block cannot have " + blockRows + " x " + blockColumns
                    + " elements");
        }
        Ranges.product(rows, columns);
    }

    /**
     * {@return the filters of a convolution [filters, perFilter...], or the rows of a matrix}
     *
     * @param filters rows of the matrix: output channels, or outputs
     * @param perFilter elements of each: input channels times kernel height times width
     */
    public static Groups filters(long filters, long perFilter) {
        return new Groups(filters, perFilter, 1, Math.max(1, perFilter));
    }

    /**
     * {@return the input channels of a convolution [filters, channels, kernel height * width]; with kernel 1 also the
     * columns of a matrix}
     *
     * @param filters output channels
     * @param channels input channels
     * @param kernel kernel height times width
     */
    public static Groups channels(long filters, long channels, long kernel) {
        return new Groups(filters, Ranges.product(channels, kernel), Math.max(1, filters), kernel);
    }

    /** {@return the elements of the matrix} */
    public long elements() {
        return rows * columns;
    }

    /** {@return the groups in a row of blocks} */
    public long across() {
        return Math.ceilDiv(columns, blockColumns);
    }

    /** {@return the number of groups} */
    public long count() {
        return Math.ceilDiv(rows, blockRows) * across();
    }
}
