package io.pare.reconstruct;

import io.pare.mem.FloatTensor;
import java.util.ArrayList;
import java.util.List;

/**
 * How a weight matrix is divided into parts, each of which has to lie in the constraint's set by itself: a count or a
 * codebook for the whole matrix, for each row, or for each group of neighbours in a row.
 *
 * @param kind what a part is
 * @param size elements of a group; the last of a row may be shorter. 0 for the other kinds
 */
public record Parts(Kind kind, int size) {
    /** What a part is. */
    public enum Kind {
        /** The whole matrix. */
        MATRIX,
        /** Each row. */
        ROWS,
        /** So many neighbours in a row. */
        GROUPS
    }

    /** The whole matrix is one part. */
    public static final Parts MATRIX = new Parts(Kind.MATRIX, 0);
    /** Each row, which makes one output, is a part. */
    public static final Parts ROWS = new Parts(Kind.ROWS, 0);

    /** Checks the size. */
    public Parts {
        if (kind == Kind.GROUPS ? size < 1 : size != 0) {
            throw new IllegalArgumentException(kind + " cannot have parts of " + size + " elements");
        }
    }

    /**
     * {@return each so many neighbours in a row as a part}
     *
     * @param size elements of a part, at least 1
     */
    public static Parts groups(int size) {
        return new Parts(Kind.GROUPS, size);
    }

    /** Views of the parts, row by row. A matrix that is one part keeps its shape; a part of a row has one row. */
    List<FloatTensor> of(FloatTensor matrix) {
        return switch (kind) {
            case MATRIX -> List.of(matrix);
            case ROWS -> groups(matrix, Math.toIntExact(matrix.count() / matrix.size(0)));
            case GROUPS -> groups(matrix, size);
        };
    }

    private static List<FloatTensor> groups(FloatTensor matrix, int size) {
        long columns = matrix.count() / matrix.size(0);
        List<FloatTensor> parts = new ArrayList<>();
        for (long row = 0; row < matrix.size(0); row++) {
            for (long from = 0; from < columns; from += size) {
                long count = Math.min(size, columns - from);
                parts.add(new FloatTensor(
                        matrix.segment().asSlice((row * columns + from) * Float.BYTES, count * Float.BYTES), 1, count));
            }
        }
        return parts;
    }

    /** How many there are. */
    int count(int rows, int columns) {
        return at(rows - 1, columns - 1, columns) + 1;
    }

    /** Elements of a part, but for the last group of a row. */
    long elements(int rows, int columns) {
        return switch (kind) {
            case MATRIX -> (long) rows * columns;
            case ROWS -> columns;
            case GROUPS -> Math.min(size, columns);
        };
    }

    /** The part that an element lies in. */
    int at(int row, int column, int columns) {
        return switch (kind) {
            case MATRIX -> 0;
            case ROWS -> row;
            case GROUPS -> row * Math.ceilDiv(columns, size) + column / size;
        };
    }
}
