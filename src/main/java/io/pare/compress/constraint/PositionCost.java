package io.pare.compress.constraint;

import io.pare.mem.FloatTensor;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

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
    private static final double LOG2 = StrictMath.log(2);

    private PositionCost() {}

    /** How many non-zeros each row and each column has, or had on average, and what a place costs by that. */
    static final class Counts {
        final double[] rows;
        final double[] columns;
        private double all;

        Counts(double[] rows, double[] columns) {
            this.rows = rows;
            this.columns = columns;
            for (double row : rows) {
                all += row;
            }
        }

        /** No element of a tensor yet. */
        static Counts none(FloatTensor tensor) {
            int height = Math.toIntExact(tensor.rank() == 0 ? 1 : tensor.size(0));
            return new Counts(new double[height], new double[Math.toIntExact(tensor.count() / Math.max(1, height))]);
        }

        static Counts of(FloatTensor tensor) {
            Counts counts = none(tensor);
            for (long e = 0; e < tensor.count(); e++) {
                if (tensor.get(e) != 0) {
                    counts.add(e);
                }
            }
            return counts;
        }

        void add(long element) {
            rows[(int) (element / columns.length)]++;
            columns[(int) (element % columns.length)]++;
            all++;
        }

        private double shareOfRow(double count) {
            return (count + UNSEEN) / (all + UNSEEN * rows.length);
        }

        private double density(double ofRow, double column) {
            double ofColumn = (column + UNSEEN) / (all + UNSEEN * columns.length);
            return Math.clamp((all + 1) * ofRow * ofColumn, LEAST, MOST);
        }

        /** Bits by which a value in that place costs more than none, without the value's own. */
        double bits(long element) {
            double density = density(shareOfRow(rows[(int) (element / columns.length)]),
                    columns[(int) (element % columns.length)]);
            return StrictMath.log((1 - density) / density) / LOG2;
        }

        /** Bits of all places if none had a value. Places of equally full rows and columns are counted together. */
        double empty() {
            Map<Double, Integer> ofRows = histogram(rows);
            Map<Double, Integer> ofColumns = histogram(columns);
            double sum = 0;
            for (Map.Entry<Double, Integer> row : ofRows.entrySet()) {
                double ofRow = shareOfRow(row.getKey());
                for (Map.Entry<Double, Integer> column : ofColumns.entrySet()) {
                    sum -= (double) row.getValue() * column.getValue()
                            * StrictMath.log1p(-density(ofRow, column.getKey()));
                }
            }
            return sum / LOG2;
        }

        private static Map<Double, Integer> histogram(double[] counts) {
            Map<Double, Integer> histogram = new TreeMap<>();
            for (double count : counts) {
                histogram.merge(count, 1, Integer::sum);
            }
            return histogram;
        }
    }

    /** Whether a projection was remembered. */
    static boolean known(ProjectionState memory) {
        return memory.get(ROWS, 0) != null;
    }

    /** The counts of the projections before, of tensor {@code index}. */
    static Counts remembered(ProjectionState memory, int index) {
        return new Counts(memory.get(ROWS, index), memory.get(COLUMNS, index));
    }

    /**
     * Multiplies the weight of each element of tensor {@code index} that is not zero by its bits to the power of {@code -rate}.
     */
    static void divide(FloatTensor values, FloatTensor weights, int index, double rate, ProjectionState memory) {
        Counts counts = remembered(memory, index);
        for (long e = 0; e < values.count(); e++) {
            if (values.get(e) != 0) {
                weights.set(e, (float) (weights.get(e) * StrictMath.pow(counts.bits(e) + VALUE, -rate)));
            }
        }
    }

    /** Bits of the places of a tensor's non-zeros, in a code that knows how many are in each row and column. */
    static double length(FloatTensor tensor) {
        Counts counts = Counts.of(tensor);
        double bits = counts.empty();
        for (long e = 0; e < tensor.count(); e++) {
            if (tensor.get(e) != 0) {
                bits += counts.bits(e);
            }
        }
        return bits;
    }

    /** Takes in what is not zero in a projection. */
    static void remember(List<FloatTensor> projected, ProjectionState memory) {
        for (int i = 0; i < projected.size(); i++) {
            Counts now = Counts.of(projected.get(i));
            halve(now.rows, memory.get(ROWS, i));
            halve(now.columns, memory.get(COLUMNS, i));
            memory.put(ROWS, i, now.rows);
            memory.put(COLUMNS, i, now.columns);
        }
    }

    private static void halve(double[] now, double[] before) {
        for (int i = 0; before != null && i < now.length; i++) {
            now[i] = (now[i] + before[i]) / 2;
        }
    }
}
