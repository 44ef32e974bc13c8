package io.pare.compress;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.List;
import java.util.SplittableRandom;

/** A small two-layer network on points of four classes, trained by hand-written gradients: fast and deterministic. */
public final class Blobs implements AutoCloseable {
    public static final int INPUTS = 16;
    public static final int HIDDEN = 24;
    public static final int CLASSES = 4;
    private static final int BATCH = 32;

    public final Region region = Region.shared("blobs");
    public final FloatTensor w1 = region.tensor(HIDDEN, INPUTS);
    public final FloatTensor b1 = region.tensor(HIDDEN);
    public final FloatTensor w2 = region.tensor(CLASSES, HIDDEN);
    public final FloatTensor b2 = region.tensor(CLASSES);
    public final GradientTraining training;
    private final float[][] centres = new float[CLASSES][INPUTS];
    public int batches;

    public Blobs() {
        SplittableRandom random = new SplittableRandom(7);
        for (float[] centre : centres) {
            for (int i = 0; i < 6; i++) {
                centre[random.nextInt(INPUTS)] = (float) random.nextDouble(-2, 2);
            }
        }
        for (FloatTensor tensor : List.of(w1, w2)) {
            for (long i = 0; i < tensor.count(); i++) {
                tensor.set(i, (float) (0.3 * random.nextGaussian()));
            }
        }
        training = new GradientTraining(20, this::gradient, this::evaluate).weight("w1.weight", w1).bias("w1.bias", b1)
                .weight("w2.weight", w2).bias("w2.bias", b2).link(new UnitLink("w1.weight", "w1.bias", "w2.weight"));
    }

    /** Trains without any constraint. */
    public Blobs dense(int epochs) {
        training.begin(TrainingOptions.DEFAULTS);
        for (int e = 0; e < epochs; e++) {
            training.epoch(1000 + e, done -> 5e-3, StepHook.NONE);
        }
        return this;
    }

    private int sample(SplittableRandom random, double[] x) {
        int label = random.nextInt(CLASSES);
        for (int i = 0; i < INPUTS; i++) {
            x[i] = centres[label][i] + 0.4 * random.nextGaussian();
        }
        return label;
    }

    private double gradient(long batch, List<Variable> variables) {
        batches++;
        variables.forEach(variable -> variable.gradient().fill(0f));
        SplittableRandom random = new SplittableRandom(batch);
        double loss = 0;
        for (int s = 0; s < BATCH; s++) {
            double[] x = new double[INPUTS];
            int label = sample(random, x);
            double[] h = hidden(x);
            double[] p = softmax(h);
            loss -= Math.log(p[label]) / BATCH;
            double[] dh = new double[HIDDEN];
            for (int c = 0; c < CLASSES; c++) {
                double d = (p[c] - (c == label ? 1 : 0)) / BATCH;
                add(variables.get(3), c, d);
                for (int j = 0; j < HIDDEN; j++) {
                    add(variables.get(2), (long) c * HIDDEN + j, d * h[j]);
                    dh[j] += d * w2.get((long) c * HIDDEN + j);
                }
            }
            for (int j = 0; j < HIDDEN; j++) {
                if (h[j] > 0) {
                    add(variables.get(1), j, dh[j]);
                    for (int i = 0; i < INPUTS; i++) {
                        add(variables.get(0), (long) j * INPUTS + i, dh[j] * x[i]);
                    }
                }
            }
        }
        return loss;
    }

    private static void add(Variable variable, long index, double value) {
        variable.gradient().set(index, (float) (variable.gradient().get(index) + value));
    }

    private double[] hidden(double[] x) {
        double[] h = new double[HIDDEN];
        for (int j = 0; j < HIDDEN; j++) {
            double sum = b1.get(j);
            for (int i = 0; i < INPUTS; i++) {
                sum += w1.get((long) j * INPUTS + i) * x[i];
            }
            h[j] = Math.max(0, sum);
        }
        return h;
    }

    private double[] softmax(double[] h) {
        double[] p = new double[CLASSES];
        double total = 0;
        for (int c = 0; c < CLASSES; c++) {
            double sum = b2.get(c);
            for (int j = 0; j < HIDDEN; j++) {
                sum += w2.get((long) c * HIDDEN + j) * h[j];
            }
            p[c] = Math.exp(Math.min(50, sum));
            total += p[c];
        }
        for (int c = 0; c < CLASSES; c++) {
            p[c] /= total;
        }
        return p;
    }

    private Training.Evaluation evaluate() {
        SplittableRandom random = new SplittableRandom(-1);
        int right = 0;
        double loss = 0;
        int n = 400;
        for (int s = 0; s < n; s++) {
            double[] x = new double[INPUTS];
            int label = sample(random, x);
            double[] p = softmax(hidden(x));
            int best = 0;
            for (int c = 1; c < CLASSES; c++) {
                best = p[c] > p[best] ? c : best;
            }
            right += best == label ? 1 : 0;
            loss -= Math.log(Math.max(1e-30, p[label])) / n;
        }
        return new Training.Evaluation((double) right / n, loss);
    }

    @Override
    public void close() {
        training.close();
        region.close();
    }
}
