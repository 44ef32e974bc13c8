package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * {@link TensorOp.Attention}: some rows of queries at a time, whose scores stay in the caches and are all that there are. The
 * backward pass computes them again.
 *
 * <p>Exponents are taken less the largest score of their row. Their sum divides the rows of the output rather than those
 * of the scores, which are mostly longer.
 */
final class Attention implements Computation {
    /** Scores of so many rows are about a quarter of a second-level cache. */
    private static final int SCORES = 1 << 16;
    /** Fewer rows would make the packing of keys in a product cost as much as the product. */
    private static final int LEAST_ROWS = 16;

    private static final int QUERIES = 0;
    private static final int KEYS = 1;
    private static final int VALUES = 2;
    private static final int MASK = 3;
    private static final int OUTPUT = 4;

    private final Product product;
    private final float scale;
    private final boolean masked;
    private final Walk walk;
    private final int rows;
    private final int columns;
    private final int features;
    private final int width;
    private final int blockRows;
    /** Of each input, the mask and the output: values of a sample, from one head to the next in order, and from row to row. */
    private final Matrices[] matrices = new Matrices[OUTPUT + 1];
    private final boolean maskHasRows;
    private final boolean maskHasColumns;

    /**
     * Matrices of all heads of a sample.
     *
     * @param features values of a sample
     * @param last how many heads the last axis of heads counts
     * @param headStep floats from one of them to the next
     * @param outerStep floats from all of them to the next
     * @param rowStep floats from row to row
     */
    private record Matrices(int features, int last, int headStep, int outerStep, int rowStep) {
        static Matrices of(TensorOp.Attention op, Shape shape) {
            int width = shape.fromEnd(1);
            if (op.rowsFirst()) {
                int heads = shape.fromEnd(2);
                return new Matrices(shape.features(), heads, width, shape.fromEnd(3) * heads * width, heads * width);
            }
            int size = shape.fromEnd(2) * width;
            return new Matrices(shape.features(), 1, 0, size, width);
        }

        /** The floats of a matrix from a row on. */
        MemorySegment of(MemorySegment all, long sample, int head, int row) {
            return Floats.from(all, sample * features + (long) head / last * outerStep + (long) head % last * headStep
                    + (long) row * rowStep);
        }
    }

    Attention(TensorOp.Attention op, List<Shape> inputs, Product product) {
        Shape scores = op.scores(inputs);
        Shape output = op.output(inputs);
        Shape outer = TensorOp.MatMul.outer(scores);
        this.product = product;
        this.scale = op.scale();
        this.masked = op.masked();
        this.rows = scores.fromEnd(2);
        this.columns = scores.fromEnd(1);
        this.features = inputs.getFirst().fromEnd(1);
        this.width = output.fromEnd(1);
        this.blockRows = Math.clamp(SCORES / columns, Math.min(LEAST_ROWS, rows), Math.min(Blocks.SIZE, rows));
        List<int[][]> distances = new ArrayList<>();
        for (int i = QUERIES; i <= VALUES; i++) {
            Shape own = TensorOp.MatMul.outer(op.headsFirst(inputs.get(i)));
            matrices[i] = Matrices.of(op, inputs.get(i));
            distances.add(Walk.broadcast(own, outer));
        }
        Shape mask = masked ? inputs.get(MASK) : new Shape(List.of());
        this.maskHasRows = mask.rank() > 1 && mask.fromEnd(2) > 1;
        this.maskHasColumns = columns == 1 || mask.rank() > 0 && mask.fromEnd(1) > 1;
        int maskRow = mask.rank() > 0 ? mask.fromEnd(1) : 1;
        int maskSize = mask.rank() > 1 ? mask.fromEnd(2) * maskRow : maskRow;
        matrices[MASK] = new Matrices(mask.features(), 1, 0, maskSize, maskHasRows ? maskRow : 0);
        distances.add(Walk.broadcast(mask.rank() > 1 ? TensorOp.MatMul.outer(mask) : new Shape(List.of()), outer));
        matrices[OUTPUT] = Matrices.of(op, output);
        this.walk = new Walk(outer, distances.toArray(int[][][]::new));
    }

    /** The scores would be larger than the inputs: they are computed again. */
    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public long scratchBytes(int n) {
        return (long) blockRows * columns * Float.BYTES;
    }

    /** The shares of columns, and their gradients. */
    @Override
    public long backwardScratchBytes(int n) {
        return 2 * scratchBytes(n);
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int s = 0; s < n; s++) {
            long sample = s;
            walk.run((head, from) -> {
                for (int row = 0; row < rows; row += blockRows) {
                    forward(x, sample, head, from, row, Math.min(blockRows, rows - row), y, scratch);
                }
            });
        }
    }

    private void forward(MemorySegment[] x, long sample, int head, int[] from, int row, int some, MemorySegment y,
            MemorySegment scores) {
        double[] sums = Blocks.doubles()[0];
        powers(x, sample, from, row, some, scores, sums);
        MemorySegment result = matrices[OUTPUT].of(y, sample, head, row);
        int step = matrices[OUTPUT].rowStep();
        product.sgemm(false, false, some, width, columns, 1, scores, columns,
                matrices[VALUES].of(x[VALUES], sample, from[VALUES], 0), matrices[VALUES].rowStep(), 0, result, step);
        for (int r = 0; r < some; r++) {
            divide(result, (long) r * step, width, sums[r]);
        }
    }

    /**
     * Powers of e of rows of scores, and their sums.
     *
     * @param into given the powers
     * @param sums given the sums; 1 for a row of zeros
     */
    private void powers(MemorySegment[] x, long sample, int[] from, int row, int some, MemorySegment into,
            double... sums) {
        product.sgemm(false, true, some, columns, features, scale,
                matrices[QUERIES].of(x[QUERIES], sample, from[QUERIES], row), matrices[QUERIES].rowStep(),
                matrices[KEYS].of(x[KEYS], sample, from[KEYS], 0), matrices[KEYS].rowStep(), 0, into, columns);
        for (int r = 0; r < some; r++) {
            sums[r] = powers(into, (long) r * columns, x, sample, from[MASK], row + r);
        }
    }

    private double powers(MemorySegment into, long start, MemorySegment[] x, long sample, int head, int row) {
        float[] block = Blocks.mine()[0];
        float[] added = Blocks.mine()[1];
        MemorySegment mask = masked ? matrices[MASK].of(x[MASK], sample, head, row) : null;
        float largest = Float.NEGATIVE_INFINITY;
        for (int at = 0; at < columns; at += Blocks.SIZE) {
            int count = Math.min(Blocks.SIZE, columns - at);
            Blocks.load(into, start + at, block, count);
            if (masked) {
                Blocks.load(mask, maskHasColumns ? at : 0, maskHasColumns, added, count);
                add(block, added, count);
                if (columns > Blocks.SIZE) {
                    Blocks.store(block, into, start + at, count);
                }
            }
            largest = Math.max(largest, Blocks.largest(block, count));
        }
        if (largest == Float.NEGATIVE_INFINITY) {
            Floats.clear(Floats.from(into, start), columns);
            return 1;
        }
        double sum = 0;
        for (int at = 0; at < columns; at += Blocks.SIZE) {
            int count = Math.min(Blocks.SIZE, columns - at);
            if (columns > Blocks.SIZE) {
                Blocks.load(into, start + at, block, count);
            }
            powers(block, largest, count);
            sum += Blocks.sum(block, count);
            Blocks.store(block, into, start + at, count);
        }
        return sum;
    }

    private static void add(float[] block, float[] added, int count) {
        for (int i = 0; i < count; i++) {
            block[i] += added[i];
        }
    }

    private static void powers(float[] block, float largest, int count) {
        for (int i = 0; i < count; i++) {
            block[i] = (float) Functions.exp((double) block[i] - largest);
        }
    }

    private static void divide(MemorySegment values, long start, int count, double by) {
        float[] block = Blocks.mine()[0];
        double factor = 1 / by;
        for (int at = 0; at < count; at += Blocks.SIZE) {
            int some = Math.min(Blocks.SIZE, count - at);
            Blocks.load(values, start + at, block, some);
            for (int i = 0; i < some; i++) {
                block[i] = (float) (block[i] * factor);
            }
            Blocks.store(block, values, start + at, some);
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        for (int i = 0; i < dx.length; i++) {
            if (dx[i] != null) {
                Floats.clear(dx[i], (long) n * matrices[i].features());
            }
        }
        for (int s = 0; s < n; s++) {
            long sample = s;
            walk.run((head, from) -> {
                for (int row = 0; row < rows; row += blockRows) {
                    backward(x, sample, head, from, row, Math.min(blockRows, rows - row), dy, dx, scratch);
                }
            });
        }
    }

    private void backward(MemorySegment[] x, long sample, int head, int[] from, int row, int some, MemorySegment dy,
            MemorySegment[] dx, MemorySegment shares) {
        double[] sums = Blocks.doubles()[0];
        powers(x, sample, from, row, some, shares, sums);
        for (int r = 0; r < some; r++) {
            divide(shares, (long) r * columns, columns, sums[r]);
        }
        MemorySegment gradient = matrices[OUTPUT].of(dy, sample, head, row);
        int step = matrices[OUTPUT].rowStep();
        if (dx[VALUES] != null) {
            product.sgemm(true, false, columns, width, some, 1, shares, columns, gradient, step, 1,
                    matrices[VALUES].of(dx[VALUES], sample, from[VALUES], 0), matrices[VALUES].rowStep());
        }
        if (dx[QUERIES] == null && dx[KEYS] == null && (!masked || dx[MASK] == null)) {
            return;
        }
        MemorySegment scores = Floats.from(shares, (long) blockRows * columns);
        product.sgemm(false, true, some, columns, width, 1, gradient, step,
                matrices[VALUES].of(x[VALUES], sample, from[VALUES], 0), matrices[VALUES].rowStep(), 0, scores,
                columns);
        for (int r = 0; r < some; r++) {
            throughSoftmax(shares, scores, (long) r * columns);
        }
        if (masked && dx[MASK] != null) {
            for (int r = 0; r < some; r++) {
                addToMask(scores, (long) r * columns, matrices[MASK].of(dx[MASK], sample, from[MASK], row + r));
            }
        }
        if (dx[QUERIES] != null) {
            product.sgemm(false, false, some, features, columns, scale, scores, columns,
                    matrices[KEYS].of(x[KEYS], sample, from[KEYS], 0), matrices[KEYS].rowStep(), 1,
                    matrices[QUERIES].of(dx[QUERIES], sample, from[QUERIES], row), matrices[QUERIES].rowStep());
        }
        if (dx[KEYS] != null) {
            product.sgemm(true, false, columns, features, some, scale, scores, columns,
                    matrices[QUERIES].of(x[QUERIES], sample, from[QUERIES], row), matrices[QUERIES].rowStep(), 1,
                    matrices[KEYS].of(dx[KEYS], sample, from[KEYS], 0), matrices[KEYS].rowStep());
        }
    }

    /** Makes gradients of a row's shares those of its scores. */
    private void throughSoftmax(MemorySegment shares, MemorySegment gradients, long start) {
        float[] share = Blocks.mine()[0];
        float[] gradient = Blocks.mine()[1];
        double mean = 0;
        for (int at = 0; at < columns; at += Blocks.SIZE) {
            int count = Math.min(Blocks.SIZE, columns - at);
            Blocks.load(shares, start + at, share, count);
            Blocks.load(gradients, start + at, gradient, count);
            mean += Blocks.dot(share, gradient, count);
        }
        for (int at = 0; at < columns; at += Blocks.SIZE) {
            int count = Math.min(Blocks.SIZE, columns - at);
            Blocks.load(shares, start + at, share, count);
            Blocks.load(gradients, start + at, gradient, count);
            for (int i = 0; i < count; i++) {
                gradient[i] = (float) (share[i] * (gradient[i] - mean));
            }
            Blocks.store(gradient, gradients, start + at, count);
        }
    }

    private void addToMask(MemorySegment gradients, long start, MemorySegment mask) {
        float[] gradient = Blocks.mine()[0];
        for (int at = 0; at < columns; at += Blocks.SIZE) {
            int count = Math.min(Blocks.SIZE, columns - at);
            Blocks.load(gradients, start + at, gradient, count);
            Blocks.addTo(mask, maskHasColumns ? at : 0, maskHasColumns, gradient, Blocks.mine()[1], count);
        }
    }
}
