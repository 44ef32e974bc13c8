package io.pare.tensor;

import io.pare.net.Pairwise;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;

/**
 * {@link TensorOp.LayerNorm} and {@link TensorOp.GroupNorm}: both make runs of neighbouring values of mean 0 and variance 1;
 * they differ in which scale belongs to which value of a run.
 */
final class Normalization implements Computation {
    private final int runs;
    private final int run;
    /** Runs after which scales begin anew. */
    private final int period;
    /** Neighbouring values with one scale. */
    private final int each;
    private final double epsilon;

    Normalization(TensorOp.LayerNorm op, Shape shape) {
        this.run = new Shape(op.sizes()).features();
        this.runs = shape.features() / run;
        this.period = 1;
        this.each = 1;
        this.epsilon = op.epsilon();
    }

    Normalization(TensorOp.GroupNorm op, Shape shape) {
        this.runs = op.groups();
        this.run = shape.features() / runs;
        this.period = runs;
        this.each = shape.features() / op.channels();
        this.epsilon = op.epsilon();
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    /** The scale of value {@code i} of a run. */
    private long scaleOf(long index, int i) {
        return (index % period * run + i) / each;
    }

    /** Values from the {@code at}-th of a run that fit a block and, if they share one, have the same scale. */
    private int part(int at) {
        return Math.min(Blocks.SIZE, each == 1 ? run - at : each - at % each);
    }

    private double mean(MemorySegment x, long start) {
        float[] block = Blocks.mine()[0];
        double sum = 0;
        for (int at = 0; at < run; at += Blocks.SIZE) {
            int count = Math.min(Blocks.SIZE, run - at);
            Blocks.load(x, start + at, block, count);
            sum += Blocks.sum(block, count);
        }
        return sum / run;
    }

    private double factor(MemorySegment x, long start, double mean) {
        float[] block = Blocks.mine()[0];
        double sum = 0;
        for (int at = 0; at < run; at += Blocks.SIZE) {
            int count = Math.min(Blocks.SIZE, run - at);
            Blocks.load(x, start + at, block, count);
            normalize(block, mean, 1, count);
            sum += Blocks.dot(block, block, count);
        }
        return 1 / Math.sqrt(sum / run + epsilon);
    }

    private static void normalize(float[] block, double mean, double factor, int count) {
        for (int i = 0; i < count; i++) {
            block[i] = (float) ((block[i] - mean) * factor);
        }
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        float[] value = Blocks.mine()[0];
        float[] scale = Blocks.mine()[1];
        float[] shift = Blocks.mine()[2];
        for (long r = 0; r < (long) n * runs; r++) {
            long start = r * run;
            double mean = mean(x[0], start);
            double factor = factor(x[0], start, mean);
            for (int at = 0; at < run;) {
                int count = part(at);
                Blocks.load(x[0], start + at, value, count);
                Blocks.load(x[1], scaleOf(r, at), each == 1, scale, count);
                Blocks.load(x[2], scaleOf(r, at), each == 1, shift, count);
                normalize(value, mean, factor, count);
                for (int i = 0; i < count; i++) {
                    value[i] = value[i] * scale[i] + shift[i];
                }
                Blocks.store(value, y, start + at, count);
                at += count;
            }
        }
    }

    /** Replaces normalised values by the gradients of what they were. */
    private static void gradients(float[] normal, float[] gradient, float[] scale, double factor, double mean,
            double slope, int count) {
        for (int i = 0; i < count; i++) {
            normal[i] = (float) (factor * ((double) gradient[i] * scale[i] - mean - normal[i] * slope));
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        float[][] block = Blocks.mine();
        for (int i = 1; i < 3; i++) {
            if (dx[i] != null) {
                Floats.clear(dx[i], (long) period * run / each);
            }
        }
        for (long r = 0; r < (long) n * runs; r++) {
            long start = r * run;
            double mean = mean(x[0], start);
            double factor = factor(x[0], start, mean);
            double sum = 0;
            double product = 0;
            for (int at = 0; at < run;) {
                int count = part(at);
                load(x, dy, r, at, mean, factor, count);
                sum += Blocks.dot(block[1], block[2], count);
                PairwiseLoops.values(Pairwise.MULTIPLY, block[0], block[1], block[3], count);
                product += Blocks.dot(block[3], block[2], count);
                if (dx[1] != null) {
                    Blocks.addTo(dx[1], scaleOf(r, at), each == 1, block[3], block[4], count);
                }
                if (dx[2] != null) {
                    Blocks.addTo(dx[2], scaleOf(r, at), each == 1, block[1], block[4], count);
                }
                at += count;
            }
            for (int at = 0; dx[0] != null && at < run;) {
                int count = part(at);
                load(x, dy, r, at, mean, factor, count);
                gradients(block[0], block[1], block[2], factor, sum / run, product / run, count);
                Blocks.store(block[0], dx[0], start + at, count);
                at += count;
            }
        }
    }

    /** Normalised values, gradients and scales into the first three blocks. */
    private void load(MemorySegment[] x, MemorySegment dy, long r, int at, double mean, double factor, int count) {
        float[][] block = Blocks.mine();
        Blocks.load(x[0], r * run + at, block[0], count);
        normalize(block[0], mean, factor, count);
        Blocks.load(dy, r * run + at, block[1], count);
        Blocks.load(x[1], scaleOf(r, at), each == 1, block[2], count);
    }
}
