package io.pare.reconstruct;

import io.pare.blas.Gemm;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The sum of x^T x over the inputs x of a layer: how much a change of its weights changes its outputs.
 *
 * <p>Blocks of rows are multiplied in float and added up in double, so that the number of rows costs no precision. The
 * memory, 8 d^2 + 4 d^2 bytes for d inputs, belongs to the region that is given. One thread at a time.
 */
public final class Hessian {
    /** Rows of a product in float: the error of its sums grows with their number. */
    private static final int BLOCK = 256;

    private final int inputs;
    /** Upper triangle, d by d. */
    private final MemorySegment sums;
    private final MemorySegment product;
    private long rows;

    /**
     * Starts at zero.
     *
     * @param region owns the memory; any thread may use that of a shared one
     * @param inputs of the layer
     */
    public Hessian(Region region, int inputs) {
        if (inputs < 1) {
            throw new IllegalArgumentException("a layer cannot have " + inputs + " inputs");
        }
        this.inputs = inputs;
        this.sums = region.allocate((long) inputs * inputs * Double.BYTES);
        this.product = region.allocate((long) inputs * inputs * Float.BYTES);
    }

    /**
     * Adds rows of inputs; call it as often as there are batches.
     *
     * @param x of shape [rows, inputs], row-major; it is only read
     * @throws IllegalArgumentException if the shape does not fit, or a value is NaN or infinite; then nothing is added
     */
    public void add(FloatTensor x) {
        if (x.rank() != 2 || x.size(1) != inputs) {
            throw new IllegalArgumentException(x + " is no list of rows of " + inputs + " inputs");
        }
        for (long at = 0; at < x.count(); at++) {
            if (!Float.isFinite(x.get(at))) {
                throw new IllegalArgumentException(
                        "row " + (rows + at / inputs) + " of the calibration has " + x.get(at)
                                + " as input " + at % inputs + ": leave it out, or look for where it comes from");
            }
        }
        for (long first = 0; first < x.size(0); first += BLOCK) {
            addBlock(x.rows(first, Math.min(x.size(0), first + BLOCK)));
        }
        rows += x.size(0);
    }

    private void addBlock(FloatTensor x) {
        Gemm.sgemm(true, false, inputs, inputs, (int) x.size(0), 1, x.segment(), inputs, x.segment(), inputs, 0,
                product,
                inputs);
        for (int i = 0; i < inputs; i++) {
            for (long at = (long) i * inputs + i; at < (i + 1L) * inputs; at++) {
                sums.setAtIndex(ValueLayout.JAVA_DOUBLE, at, sums.getAtIndex(ValueLayout.JAVA_DOUBLE, at)
                        + product.getAtIndex(ValueLayout.JAVA_FLOAT, at));
            }
        }
    }

    /** {@return the number of inputs, d} */
    public int inputs() {
        return inputs;
    }

    /** {@return the rows added so far} */
    public long rows() {
        return rows;
    }

    /**
     * {@return an element of the sum; the matrix is symmetric}
     *
     * @param i row, from 0
     * @param j column, from 0
     */
    public double at(int i, int j) {
        return sums.getAtIndex(ValueLayout.JAVA_DOUBLE, (long) Math.min(i, j) * inputs + Math.max(i, j));
    }

    /**
     * {@return the sum of the squared outputs that weights give for the rows added so far}
     *
     * @param weights a row for each output, of as many elements as there are inputs
     */
    public double squares(FloatTensor weights) {
        int outputs = Math.toIntExact(weights.count() / inputs);
        try (Region region = Region.shared("outputs")) {
            FloatTensor full = region.tensor(inputs, inputs);
            for (int i = 0; i < inputs; i++) {
                for (int j = 0; j < inputs; j++) {
                    full.set((long) i * inputs + j, (float) at(i, j));
                }
            }
            FloatTensor given = region.tensor(outputs, inputs);
            Gemm.sgemm(false, false, outputs, inputs, inputs, 1, weights.segment(), inputs, full.segment(), inputs, 0,
                    given.segment(), inputs);
            double sum = 0;
            for (long i = 0; i < given.count(); i++) {
                sum += (double) weights.get(i) * given.get(i);
            }
            return sum;
        }
    }

    /**
     * {@return for each input what errors of its weights add to the squared outputs, an error of 1 so much, where weights are
     * rounded one input after another and those that follow make each error good} These are the conditional variances of
     * LDLQ (Chee et al. 2023, QuIP), to which GPTQ is equal. Without that an input adds its diagonal element.
     *
     * @param damping added to the diagonal, as a multiple of its mean
     * @throws ArithmeticException if inputs depend on each other so much that there is no factor without damping
     */
    public double[] leftByFeedback(double damping) {
        try (Region region = Region.shared("feedback")) {
            Layer layer = new Layer(region.tensor(1, inputs), this, damping, region);
            FloatTensor factor = layer.inverse(0);
            layer.factor(factor);
            double[] left = new double[inputs];
            for (int i = 0; i < inputs; i++) {
                double each = layer.scale[i] / factor.get((long) i * inputs + i);
                left[i] = each * each;
            }
            return left;
        }
    }

    /** {@return the mean of the diagonal, by which damping is measured} */
    public double meanDiagonal() {
        double sum = 0;
        for (int i = 0; i < inputs; i++) {
            sum += at(i, i);
        }
        return sum / inputs;
    }

    /**
     * Refuses fewer rows than inputs: their products have too small a rank to say which weights matter.
     *
     * @throws IllegalStateException saying how many rows are needed
     */
    void requireRank() {
        if (rows < inputs) {
            throw new IllegalStateException("calibration of " + rows + " rows is too small for " + inputs
                    + " inputs: their rank needs " + (inputs - rows) + " rows more");
        }
    }
}
