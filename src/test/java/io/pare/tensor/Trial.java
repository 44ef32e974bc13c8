package io.pare.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.Rounding;
import io.pare.infer.ReferenceNet.Bounded;
import io.pare.infer.TensorReference;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Compares a {@link Computation} with the oracle, and its gradients with central differences of that. */
final class Trial {
    private static final int SAMPLES = 3;
    private static final double STEP = 1e-5;
    private final TensorOp op;
    private final List<Shape> inputs;
    private final int roundings;
    private final int[] sizes;
    private final float[][] values;
    private final int size;
    private final Random random;

    /** @param roundings that a value goes through, forwards or backwards */
    Trial(TensorOp op, List<Shape> inputs, int roundings, long seed) {
        this.op = op;
        this.inputs = inputs;
        this.roundings = roundings;
        this.random = new Random(seed);
        List<float[]> all = new ArrayList<>();
        for (Shape input : inputs) {
            all.add(normal(SAMPLES * input.features(), 1));
        }
        for (Parameter parameter : op.parameters("")) {
            all.add(normal((int) parameter.count(), parameter.fanIn() > 0 ? 1 / Math.sqrt(parameter.fanIn()) : 1));
        }
        this.values = all.toArray(float[][]::new);
        this.sizes = inputs.stream().mapToInt(Shape::features).toArray();
        this.size = op.output(inputs).features();
    }

    private float[] normal(int count, double scale) {
        float[] normal = new float[count];
        for (int i = 0; i < count; i++) {
            normal[i] = (float) (random.nextGaussian() * scale);
        }
        return normal;
    }

    /** Checks outputs, and gradients of {@code probes} elements of each tensor. */
    void check(int probes) {
        Computation computation = Computation.of(op, inputs, Product.JAVA);
        float[] y = new float[SAMPLES * size];
        computation.forward(SAMPLES, heap(values), MemorySegment.ofArray(y),
                scratch(computation.scratchBytes(SAMPLES)));
        double[][] exact = widened();
        Rounding.assertClose(all(exact), y, roundings, op + " forward");
        checkSingleSamples(computation, y);
        checkGradients(computation, exact, y, probes);
    }

    private static MemorySegment scratch(long bytes) {
        float[] dirty = new float[(int) Math.ceilDiv(bytes, Float.BYTES)];
        Arrays.fill(dirty, Float.NaN);
        return MemorySegment.ofArray(dirty);
    }

    private static MemorySegment[] heap(float[][] arrays) {
        MemorySegment[] segments = new MemorySegment[arrays.length];
        for (int i = 0; i < arrays.length; i++) {
            segments[i] = MemorySegment.ofArray(arrays[i]);
        }
        return segments;
    }

    private double[][] widened() {
        double[][] exact = new double[values.length][];
        for (int i = 0; i < exact.length; i++) {
            exact[i] = Rounding.widened(values[i]);
        }
        return exact;
    }

    private double[] all(double[][] x) {
        double[] y = new double[SAMPLES * size];
        for (int s = 0; s < SAMPLES; s++) {
            System.arraycopy(one(x, s), 0, y, s * size, size);
        }
        return y;
    }

    private double[] one(double[][] x, int sample) {
        double[][] one = x.clone();
        for (int i = 0; i < sizes.length; i++) {
            one[i] = Arrays.copyOfRange(x[i], sample * sizes[i], (sample + 1) * sizes[i]);
        }
        double[] result = TensorReference.of(op, inputs, Stream.of(one).map(Bounded::exact).toList()).values();
        assertEquals(size, result.length);
        return result;
    }

    /** Each sample by itself, off the heap, has the same bits. */
    private void checkSingleSamples(Computation computation, float[] y) {
        try (Arena arena = Arena.ofConfined()) {
            for (int s = 0; s < SAMPLES; s++) {
                MemorySegment[] x = new MemorySegment[values.length];
                for (int i = 0; i < x.length; i++) {
                    x[i] = i < sizes.length
                            ? arena.allocateFrom(ValueLayout.JAVA_FLOAT,
                                    Arrays.copyOfRange(values[i], s * sizes[i], (s + 1) * sizes[i]))
                            : arena.allocateFrom(ValueLayout.JAVA_FLOAT, values[i]);
                }
                MemorySegment one = arena.allocate((long) size * Float.BYTES, Float.BYTES);
                computation.forward(1, x, one, arena.allocate(computation.scratchBytes(1), Float.BYTES));
                assertArrayEquals(Arrays.copyOfRange(y, s * size, (s + 1) * size),
                        one.toArray(ValueLayout.JAVA_FLOAT), op + " of a single sample");
            }
        }
    }

    private void checkGradients(Computation computation, double[][] exact, float[] y, int probes) {
        float[] dy = normal(y.length, 1);
        float[][] dx = new float[values.length][];
        MemorySegment[] wanted = new MemorySegment[values.length];
        List<Parameter> parameters = op.parameters("");
        for (int i = 0; i < dx.length; i++) {
            dx[i] = new float[values[i].length];
            Arrays.fill(dx[i], Float.NaN);
            boolean trained = i < sizes.length || parameters.get(i - sizes.length).trained();
            wanted[i] = trained ? MemorySegment.ofArray(dx[i]) : null;
        }
        computation.backward(SAMPLES, heap(values), MemorySegment.ofArray(y), MemorySegment.ofArray(dy), wanted,
                scratch(computation.backwardScratchBytes(SAMPLES)));
        for (int i = 0; i < dx.length; i++) {
            double largest = Rounding.largest(Rounding.widened(dx[i]));
            for (int probe = 0; wanted[i] != null && probe < Math.min(probes, 3 * dx[i].length); probe++) {
                int at = random.nextInt(dx[i].length);
                double difference = (loss(exact, dy, i, at, STEP) - loss(exact, dy, i, at, -STEP)) / (2 * STEP);
                // The differences are of second order.
                assertEquals(difference, dx[i][at], Rounding.bound(roundings, Math.max(largest, 1)) + 1e-7,
                        op + ", gradient of " + i + " at " + at);
            }
        }
    }

    private double loss(double[][] x, float[] dy, int tensor, int at, double change) {
        double[][] moved = x.clone();
        moved[tensor] = x[tensor].clone();
        moved[tensor][at] += change;
        // What belongs to one sample moves no other, and a tensor moves all.
        int from = tensor < sizes.length ? at / sizes[tensor] : 0;
        int to = tensor < sizes.length ? from + 1 : SAMPLES;
        double loss = 0;
        for (int s = from; s < to; s++) {
            double[] y = one(moved, s);
            for (int i = 0; i < size; i++) {
                loss += y[i] * dy[s * size + i];
            }
        }
        return loss;
    }
}
