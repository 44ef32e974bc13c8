package io.pare.tensor;

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

    private int scaleOf(long index, int i) {
        return (int) (index % period * run + i) / each;
    }

    private double mean(MemorySegment x, long start) {
        double sum = 0;
        for (int i = 0; i < run; i++) {
            sum += Floats.get(x, start + i);
        }
        return sum / run;
    }

    private double factor(MemorySegment x, long start, double mean) {
        double sum = 0;
        for (int i = 0; i < run; i++) {
            double off = Floats.get(x, start + i) - mean;
            sum += off * off;
        }
        return 1 / Math.sqrt(sum / run + epsilon);
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (long r = 0; r < (long) n * runs; r++) {
            long start = r * run;
            double mean = mean(x[0], start);
            double factor = factor(x[0], start, mean);
            for (int i = 0; i < run; i++) {
                int scale = scaleOf(r, i);
                Floats.set(y, start + i, (Floats.get(x[0], start + i) - mean) * factor * Floats.get(x[1], scale)
                        + Floats.get(x[2], scale));
            }
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        double[] scales = new double[period * run / each];
        double[] shifts = new double[scales.length];
        for (long r = 0; r < (long) n * runs; r++) {
            long start = r * run;
            double mean = mean(x[0], start);
            double factor = factor(x[0], start, mean);
            double sum = 0;
            double product = 0;
            for (int i = 0; i < run; i++) {
                int scale = scaleOf(r, i);
                double normal = (Floats.get(x[0], start + i) - mean) * factor;
                double gradient = Floats.get(dy, start + i);
                scales[scale] += gradient * normal;
                shifts[scale] += gradient;
                sum += gradient * Floats.get(x[1], scale);
                product += gradient * Floats.get(x[1], scale) * normal;
            }
            for (int i = 0; dx[0] != null && i < run; i++) {
                double normal = (Floats.get(x[0], start + i) - mean) * factor;
                double own = (double) Floats.get(dy, start + i) * Floats.get(x[1], scaleOf(r, i));
                Floats.set(dx[0], start + i, factor * (own - sum / run - normal * product / run));
            }
        }
        for (int i = 0; i < scales.length; i++) {
            if (dx[1] != null) {
                Floats.set(dx[1], i, scales[i]);
            }
            if (dx[2] != null) {
                Floats.set(dx[2], i, shifts[i]);
            }
        }
    }
}
