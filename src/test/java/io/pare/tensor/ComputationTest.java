package io.pare.tensor;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.blas.Gemm;
import io.pare.infer.ReferenceNet.Bounded;
import io.pare.infer.TensorReference;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.tensor.Computation.Reads;
import io.pare.tensor.TensorCases.Case;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every computation, forward against the oracle and backward against its central differences. */
class ComputationTest {
    private static final int SAMPLES = 3;
    /** Floats behind each tensor that no computation may touch. */
    private static final int GUARD = 3;
    private static final double STEP = 1e-6;
    /** Of gradients, relative to their largest: roundings of floats, and of the differences. */
    private static final double CLOSE = 2e-5;

    /** Memory of a case: samples of inputs, tensors, and room for results. */
    private static final class Run {
        private final Case of;
        private final Shape output;
        private final List<Parameter> tensors;
        private final double[][] values;
        private final Computation computation;
        private final Arena arena;

        Run(Case of, Product product, Arena arena) {
            this.of = of;
            this.arena = arena;
            this.output = of.op().output(of.shapes());
            this.tensors = of.op().parameters("n");
            this.values = new double[of.shapes().size() + tensors.size()][];
            this.computation = Computation.of(of.op(), of.shapes(), product);
            Random random = new Random(of.toString().hashCode());
            for (int i = 0; i < values.length; i++) {
                values[i] = new double[count(i)];
                for (int k = 0; k < values[i].length; k++) {
                    values[i][k] = of.value(i, random);
                }
            }
        }

        private int count(int i) {
            return i < of.shapes().size() ? SAMPLES * of.shapes().get(i).features()
                    : (int) tensors.get(i - of.shapes().size()).count();
        }

        private int size(int i) {
            return i < of.shapes().size() ? of.shapes().get(i).features() : 0;
        }

        /** The output of one sample, by the oracle. */
        private Bounded expected(int sample) {
            List<Bounded> x = IntStream.range(0, values.length).mapToObj(i -> Bounded.exact(size(i) == 0 ? values[i]
                    : Arrays.copyOfRange(values[i], sample * size(i), (sample + 1) * size(i)))).toList();
            return TensorReference.of(of.op(), of.shapes(), x);
        }

        /** The output of all samples, by the oracle. */
        private Bounded expected() {
            int features = output.features();
            Bounded all = new Bounded(new double[SAMPLES * features], new double[SAMPLES * features]);
            for (int s = 0; s < SAMPLES; s++) {
                Bounded one = expected(s);
                System.arraycopy(one.values(), 0, all.values(), s * features, features);
                System.arraycopy(one.errors(), 0, all.errors(), s * features, features);
            }
            return all;
        }

        private MemorySegment segment(int count) {
            MemorySegment segment = arena.allocate(JAVA_FLOAT, count + GUARD);
            return segment.fill((byte) -1);
        }

        private MemorySegment[] inputs() {
            return IntStream.range(0, values.length).mapToObj(i -> {
                MemorySegment segment = segment(values[i].length);
                for (int k = 0; k < values[i].length; k++) {
                    segment.setAtIndex(JAVA_FLOAT, k, (float) values[i][k]);
                }
                return segment;
            }).toArray(MemorySegment[]::new);
        }

        private MemorySegment scratch(long bytes) {
            return segment(Math.toIntExact(bytes / Float.BYTES));
        }

        private MemorySegment forward(MemorySegment[] x) {
            MemorySegment y = segment(SAMPLES * output.features());
            computation.forward(SAMPLES, x, y, scratch(computation.scratchBytes(SAMPLES)));
            guarded(y, SAMPLES * output.features());
            return y;
        }

        private void guarded(MemorySegment segment, int count) {
            for (int i = count; i < count + GUARD; i++) {
                assertTrue(Float.isNaN(segment.getAtIndex(JAVA_FLOAT, i)), () -> of + " writes behind its end");
            }
        }

        /** Gradients of those inputs and tensors that are wanted; null for others. */
        private MemorySegment[] backward(float[] dy, boolean[] wanted) {
            MemorySegment[] x = inputs();
            MemorySegment y = forward(x);
            Reads reads = computation.reads();
            if (reads == Reads.NOTHING || reads == Reads.OUTPUT) {
                for (MemorySegment input : x) {
                    input.fill((byte) -1);
                }
            }
            if (reads == Reads.NOTHING || reads == Reads.INPUTS) {
                y.fill((byte) -1);
            }
            MemorySegment gradient = segment(dy.length);
            MemorySegment.copy(dy, 0, gradient, JAVA_FLOAT, 0, dy.length);
            MemorySegment[] dx =
                    IntStream.range(0, x.length).mapToObj(i -> wanted[i] ? segment(values[i].length) : null)
                            .toArray(MemorySegment[]::new);
            computation.backward(SAMPLES, x, y, gradient, dx,
                    scratch(computation.backwardScratchBytes(SAMPLES)));
            for (int i = 0; i < dx.length; i++) {
                if (dx[i] != null) {
                    guarded(dx[i], values[i].length);
                }
            }
            return dx;
        }

        /** The sum of outputs times factors, over the samples {@code from} to {@code to}. */
        private double loss(float[] dy, int from, int to) {
            double sum = 0;
            for (int s = from; s < to; s++) {
                double[] y = expected(s).values();
                for (int i = 0; i < y.length; i++) {
                    sum += dy[s * y.length + i] * y[i];
                }
            }
            return sum;
        }

        private double[] differences(int input, float[] dy) {
            double[] gradient = new double[values[input].length];
            for (int k = 0; k < gradient.length; k++) {
                // What belongs to one sample moves no other, and a tensor moves all.
                int from = size(input) == 0 ? 0 : k / size(input);
                int to = size(input) == 0 ? SAMPLES : from + 1;
                double kept = values[input][k];
                values[input][k] = kept + STEP;
                double above = loss(dy, from, to);
                values[input][k] = kept - STEP;
                double below = loss(dy, from, to);
                values[input][k] = kept;
                gradient[k] = (above - below) / (2 * STEP);
            }
            return gradient;
        }

        /** What the gradient of each must be; null for those that are not trained. */
        private double[][] gradients(float[] dy) {
            double[][] gradients = new double[values.length][];
            for (int i = 0; i < gradients.length; i++) {
                if (isTrained(i)) {
                    gradients[i] = differentiable(i) ? differences(i, dy) : new double[values[i].length];
                }
            }
            return gradients;
        }

        private boolean isTrained(int input) {
            return input < of.shapes().size() || tensors.get(input - of.shapes().size()).trained();
        }

        private boolean differentiable(int input) {
            return !of.counts(input) && !(of.op() instanceof TensorOp.Choose && input == 0);
        }
    }

    private static float[] floats(MemorySegment segment, int count) {
        float[] floats = new float[count];
        MemorySegment.copy(segment, JAVA_FLOAT, 0, floats, 0, count);
        return floats;
    }

    @ParameterizedTest
    @MethodSource("io.pare.tensor.TensorCases#all")
    void outputsAreThoseOfTheOracle(Case of) {
        for (Product product : List.of(Product.JAVA, (Product) Gemm::sgemm)) {
            try (Arena arena = Arena.ofConfined()) {
                Run run = new Run(of, product, arena);
                Bounded expected = run.expected();
                float[] actual = floats(run.forward(run.inputs()), expected.values().length);
                for (int i = 0; i < actual.length; i++) {
                    assertEquals(expected.values()[i], actual[i], expected.errors()[i] + Float.MIN_VALUE,
                            of + " at " + i);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.pare.tensor.TensorCases#all")
    void gradientsAreCentralDifferences(Case of) {
        if (of.op() instanceof TensorOp.Constant) {
            return;
        }
        double[][] gradients = null;
        for (Product product : List.of(Product.JAVA, (Product) Gemm::sgemm)) {
            try (Arena arena = Arena.ofConfined()) {
                Run run = new Run(of, product, arena);
                Random random = new Random(5);
                float[] dy = new float[SAMPLES * run.output.features()];
                for (int i = 0; i < dy.length; i++) {
                    dy[i] = (float) random.nextGaussian();
                }
                // The oracle knows nothing of products.
                gradients = gradients == null ? run.gradients(dy) : gradients;
                boolean[] all = new boolean[run.values.length];
                for (int i = 0; i < all.length; i++) {
                    all[i] = run.isTrained(i);
                }
                MemorySegment[] together = run.backward(dy, all);
                for (int i = 0; i < all.length; i++) {
                    if (!all[i]) {
                        continue;
                    }
                    int count = run.values[i].length;
                    double[] expected = gradients[i];
                    double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
                    float[] actual = floats(together[i], count);
                    for (int k = 0; k < count; k++) {
                        assertEquals(expected[k], actual[k], CLOSE * Math.max(1, largest),
                                of + ", gradient of input " + i + " at " + k);
                    }
                    boolean[] one = new boolean[all.length];
                    one[i] = true;
                    assertEquals(Arrays.toString(actual), Arrays.toString(floats(run.backward(dy, one)[i], count)),
                            of + ", gradient of input " + i + " alone");
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("indexed")
    void numbersThatAreNoIndicesAreRefused(Case of) {
        try (Arena arena = Arena.ofConfined()) {
            for (float bad : new float[]{of.limit(), -of.limit() - 1, 0.5f, Float.NaN, 1e30f}) {
                Run run = new Run(of, Product.JAVA, arena);
                MemorySegment[] x = run.inputs();
                x[of.op() instanceof TensorOp.Gather ? 1 : 0].setAtIndex(JAVA_FLOAT, 1, bad);
                String message = assertThrows(IllegalArgumentException.class, () -> run.forward(x)).getMessage();
                assertTrue(message.contains(Float.toString(bad)), message);
            }
        }
    }

    static Stream<Case> indexed() {
        return TensorCases.all()
                .filter(of -> of.op() instanceof TensorOp.Embedding || of.op() instanceof TensorOp.Gather);
    }
}
