package io.pare.compress.constraint;

import io.pare.mem.FloatTensor;
import java.util.List;

/**
 * What it costs to store an element rather than a zero, in bits, by how full its row and its column were in the projections
 * before: in a row and a column that live it is cheap, in dead ones dear.
 *
 * <p>Rows are indices of the first dimension, columns those of all others together. The density of a place is the product of
 * its row's and its column's shares; counts are halved with each projection, so that the support does not swing.
 */
final class PositionCost {
    private static final String ROWS = "rows";
    private static final String COLUMNS = "columns";
    /** Stands for elements that were never seen, so that no place is impossible. */
    private static final double UNSEEN = 0.4;
    private static final double LEAST = 1e-7;
    private static final double MOST = 0.7;
    /** Of the value that stands in the place. */
    private static final double VALUE = 2;

    private PositionCost() {}

    /** Whether a projection was remembered. */
    static boolean known(ProjectionState memory) {
        return memory.get(ROWS, 0) != null;
    }

    /**
     * Multiplies the weight of each element of tensor {@code index} that is not zero by its bits to the power of {@code -rate}.
     */
    static void divide(FloatTensor values, FloatTensor weights, int index, double rate, ProjectionState memory) {
        double[] rows = memory.get(ROWS, index);
        double[] columns = memory.get(COLUMNS, index);
        double all = 0;
        for (double row : rows) {
            all += row;
        }
        for (int r = 0; r < rows.length; r++) {
            double ofRow = (rows[r] + UNSEEN) / (all + UNSEEN * rows.length);
            for (int c = 0; c < columns.length; c++) {
                long e = (long) r * columns.length + c;
                if (values.get(e) == 0) {
                    continue;
                }
                double ofColumn = (columns[c] + UNSEEN) / (all + UNSEEN * columns.length);
                double density = Math.clamp((all + 1) * ofRow * ofColumn, LEAST, MOST);
                double bits = StrictMath.log((1 - density) / density) / StrictMath.log(2) + VALUE;
                weights.set(e, (float) (weights.get(e) * StrictMath.pow(bits, -rate)));
            }
        }
    }

    /** Takes in what is not zero in a projection. */
    static void remember(List<FloatTensor> projected, ProjectionState memory) {
        for (int i = 0; i < projected.size(); i++) {
            FloatTensor tensor = projected.get(i);
            int height = Math.toIntExact(tensor.rank() == 0 ? 1 : tensor.size(0));
            double[] rows = new double[height];
            double[] columns = new double[Math.toIntExact(tensor.count() / Math.max(1, height))];
            for (int r = 0; r < rows.length; r++) {
                for (int c = 0; c < columns.length; c++) {
                    if (tensor.get((long) r * columns.length + c) != 0) {
                        rows[r]++;
                        columns[c]++;
                    }
                }
            }
            halve(rows, memory.get(ROWS, i));
            halve(columns, memory.get(COLUMNS, i));
            memory.put(ROWS, i, rows);
            memory.put(COLUMNS, i, columns);
        }
    }

    private static void halve(double[] now, double[] before) {
        for (int i = 0; before != null && i < now.length; i++) {
            now[i] = (now[i] + before[i]) / 2;
        }
    }
}
