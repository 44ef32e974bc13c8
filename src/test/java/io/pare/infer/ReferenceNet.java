package io.pare.infer;

import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Op.Add;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.Concat;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.Dropout;
import io.pare.net.Op.Flatten;
import io.pare.net.Op.GlobalAvgPool;
import io.pare.net.Op.Linear;
import io.pare.net.Op.MaxPool;
import io.pare.net.Op.Relu;
import io.pare.net.Op.ResponseNorm;
import io.pare.net.Op.Sigmoid;
import io.pare.net.Op.Subsample;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A network computed plainly and in double precision, the oracle, together with what floats may make of it.
 *
 * <p>The bound follows from the computation, step by step and to first order (Higham, Accuracy and Stability of Numerical
 * Algorithms, sections 3.1 and 3.3): a sum of n products is off by what its inputs are off, weighted as they are, and by n
 * + {@value #SPARE} roundings of the sum of magnitudes, in whatever order it is added up. The spare roundings cover
 * factors that were multiplied into weights and constants that were moved into biases beforehand.
 */
public final class ReferenceNet {
    /** Unit roundoff of floats. */
    static final double ROUNDING = 0x1p-24;
    private static final int SPARE = 6;
    /** Roundings of a power, which oneDNN and Java compute in their own ways. */
    static final int POWER = 24;

    private final CompressedWeights weights;
    private final Map<String, float[]> dense = new HashMap<>();

    /**
     * Values and how far each may be off where they are computed in floats.
     *
     * @param errors absolute
     */
    public record Bounded(double[] values, double[] errors) {
        Bounded(int count) {
            this(new double[count], new double[count]);
        }

        /** Values that are as they should be. */
        public static Bounded exact(double[] values) {
            return new Bounded(values, new double[values.length]);
        }

        static Bounded exact(float[] values) {
            Bounded exact = new Bounded(values.length);
            for (int i = 0; i < values.length; i++) {
                exact.values[i] = values[i];
            }
            return exact;
        }

        private void add(int at, double factor, Bounded x, int from) {
            values[at] += factor * x.values[from];
            errors[at] += Math.abs(factor) * x.errors[from];
        }

        void set(int at, Bounded x, int from) {
            values[at] = x.values[from];
            errors[at] = x.errors[from];
        }
    }

    public ReferenceNet(CompressedWeights weights) {
        this.weights = weights;
        weights.tensors().forEach((name, tensor) -> dense.put(name, tensor.toArray()));
    }

    /** The logits of one image in CHW order. */
    public double[] logits(float[] image) {
        return bounded(image).values();
    }

    /** The logits of one image in CHW order, with their bounds. */
    public Bounded bounded(float[] image) {
        Net net = weights.model();
        Bounded[] values = new Bounded[net.nodes().size()];
        values[0] = Bounded.exact(image);
        for (Node node : net.layers()) {
            List<Bounded> inputs = node.inputs().stream().map(place -> values[place]).toList();
            values[node.place()] = node.op() instanceof TensorOp op
                    ? TensorReference.of(op, net.inputs(node), Stream.concat(inputs.stream(), tensors(node)).toList())
                    : run(net, node, inputs);
        }
        return values[values.length - 1];
    }

    private float[] tensor(Node node, String part) {
        return dense.get(node.name() + part);
    }

    private Stream<Bounded> tensors(Node node) {
        return node.parameters().stream().map(parameter -> Bounded.exact(dense.get(parameter.name())));
    }

    private Bounded run(Net net, Node node, List<Bounded> inputs) {
        Shape in = net.inputs(node).getFirst();
        Shape out = node.output();
        Bounded x = inputs.getFirst();
        Bounded y = new Bounded(out.features());
        int area = in.height() * in.width();
        switch (node.op()) {
            case Conv2d conv -> convolve(node, conv, in, out, x, y);
            case Linear linear -> {
                float[] w = tensor(node, ".weight");
                float[] b = tensor(node, ".bias");
                for (int o = 0; o < linear.out(); o++) {
                    Sum sum = new Sum(b[o]);
                    for (int i = 0; i < linear.in(); i++) {
                        sum.add(w[o * linear.in() + i], x, i);
                    }
                    sum.into(y, o);
                }
            }
            case MaxPool(Window window) -> pool(in, out, x, y, window, null);
            case AvgPool pool -> pool(in, out, x, y, pool.window(), pool);
            case Relu _ -> {
                for (int i = 0; i < y.values.length; i++) {
                    y.values[i] = Math.max(0, x.values[i]);
                    y.errors[i] = x.errors[i];
                }
            }
            case Concat _ -> {
                int at = 0;
                for (Bounded input : inputs) {
                    for (int i = 0; i < input.values.length; i++) {
                        y.set(at++, input, i);
                    }
                }
            }
            case Sigmoid _ -> {
                for (int i = 0; i < y.values.length; i++) {
                    y.values[i] = 1 / (1 + Math.exp(-x.values[i]));
                    // It is nowhere steeper than 1/4.
                    y.errors[i] = x.errors[i] / 4 + ROUNDING * y.values[i];
                }
            }
            case GlobalAvgPool _ -> {
                for (int c = 0; c < out.channels(); c++) {
                    Sum sum = new Sum(0);
                    for (int i = c * area; i < (c + 1) * area; i++) {
                        sum.add(1.0 / area, x, i);
                    }
                    sum.into(y, c);
                }
            }
            case BatchNorm norm -> {
                float[] w = tensor(node, ".weight");
                float[] b = tensor(node, ".bias");
                float[] mean = tensor(node, ".running_mean");
                float[] variance = tensor(node, ".running_var");
                for (int i = 0; i < y.values.length; i++) {
                    int c = i / area;
                    double factor = w[c] / Math.sqrt(variance[c] + (double) norm.epsilon());
                    Sum sum = new Sum(b[c]);
                    sum.add(factor, x, i);
                    sum.add(-factor * mean[c]);
                    sum.into(y, i);
                }
            }
            case ResponseNorm norm -> {
                for (int i = 0; i < y.values.length; i++) {
                    respond(norm, x, i, area, y);
                }
            }
            case Subsample subsample -> {
                int before = (out.channels() - in.channels()) / 2;
                for (int c = 0; c < in.channels(); c++) {
                    for (int row = 0; row < out.height(); row++) {
                        for (int column = 0; column < out.width(); column++) {
                            y.set(((before + c) * out.height() + row) * out.width() + column, x, (c * in.height()
                                    + row * subsample.stride()) * in.width() + column * subsample.stride());
                        }
                    }
                }
            }
            case Add _ -> {
                for (int i = 0; i < y.values.length; i++) {
                    y.add(i, 1, x, i);
                    y.add(i, 1, inputs.getLast(), i);
                    y.errors[i] += ROUNDING * Math.abs(y.values[i]);
                }
            }
            case Dropout _,Flatten _ -> {
                return x;
            }
            case TensorOp _,Op.Input _ -> throw new AssertionError(node + " is computed elsewhere or given");
        }
        return y;
    }

    /** A sum of products, its error and the magnitude that its roundings are relative to. */
    static final class Sum {
        private double value;
        private double error;
        private double magnitude;
        private int terms;

        Sum(double start) {
            add(start);
        }

        void add(double constant) {
            value += constant;
            magnitude += Math.abs(constant);
            terms++;
        }

        void add(double factor, Bounded x, int at) {
            if (factor != 0) {
                add(factor * x.values[at]);
                error += Math.abs(factor) * x.errors[at];
            }
        }

        void add(Bounded left, int leftAt, Bounded right, int rightAt) {
            double a = left.values[leftAt];
            double b = right.values[rightAt];
            add(a * b);
            error += product(Math.abs(a) + left.errors[leftAt], right.errors[rightAt])
                    + product(Math.abs(b), left.errors[leftAt]);
        }

        /** 0 if one is, even if the other is infinite. */
        private static double product(double size, double error) {
            return size == 0 || error == 0 ? 0 : size * error;
        }

        void into(Bounded y, int at) {
            y.values[at] = value;
            y.errors[at] = error + (terms + SPARE) * ROUNDING * magnitude;
        }
    }

    /** y = x d^-beta, d = k + alpha / size * sum of squares; its derivatives say what errors of the inputs become. */
    private static void respond(ResponseNorm norm, Bounded x, int at, int area, Bounded y) {
        double squares = 0;
        double doubled = 0;
        for (int shift = -norm.size() / 2; shift <= norm.size() / 2; shift++) {
            int near = at + shift * area;
            if (near >= 0 && near < x.values.length) {
                squares += x.values[near] * x.values[near];
                doubled += 2 * Math.abs(x.values[near]) * x.errors[near];
            }
        }
        double share = norm.alpha() / norm.size();
        double d = norm.k() + share * squares;
        double power = Math.pow(d, -norm.beta());
        y.values[at] = x.values[at] * power;
        y.errors[at] = x.errors[at] * power
                + Math.abs(x.values[at] * norm.beta() * power / d * share) * doubled
                + (norm.size() + POWER) * ROUNDING * Math.abs(y.values[at]);
    }

    private void convolve(Node node, Conv2d c, Shape in, Shape out, Bounded x, Bounded y) {
        float[] w = tensor(node, ".weight");
        float[] b = c.bias() ? tensor(node, ".bias") : new float[c.out()];
        int perGroup = c.in() / c.groups();
        Window window = c.window();
        for (int o = 0; o < c.out(); o++) {
            for (int oy = 0; oy < out.height(); oy++) {
                for (int ox = 0; ox < out.width(); ox++) {
                    Sum sum = new Sum(b[o]);
                    for (int i = 0; i < perGroup; i++) {
                        int channel = o / (c.out() / c.groups()) * perGroup + i;
                        for (int ky = 0; ky < window.kernelHeight(); ky++) {
                            for (int kx = 0; kx < window.kernelWidth(); kx++) {
                                int iy = oy * window.strideHeight() + ky * window.dilationHeight() - window.top();
                                int ix = ox * window.strideWidth() + kx * window.dilationWidth() - window.left();
                                if (iy >= 0 && iy < in.height() && ix >= 0 && ix < in.width()) {
                                    sum.add(w[((o * perGroup + i) * window.kernelHeight() + ky) * window.kernelWidth()
                                            + kx], x,
                                            (channel * in.height() + iy) * in.width() + ix);
                                }
                            }
                        }
                    }
                    sum.into(y, (o * out.height() + oy) * out.width() + ox);
                }
            }
        }
    }

    /** @param mean null for a maximum */
    private static void pool(Shape in, Shape out, Bounded x, Bounded y, Window w, AvgPool mean) {
        for (int c = 0; c < out.channels(); c++) {
            for (int oy = 0; oy < out.height(); oy++) {
                for (int ox = 0; ox < out.width(); ox++) {
                    int[] read = new int[w.kernelHeight() * w.kernelWidth()];
                    int reads = 0;
                    int counted = 0;
                    for (int ky = 0; ky < w.kernelHeight(); ky++) {
                        for (int kx = 0; kx < w.kernelWidth(); kx++) {
                            int iy = oy * w.strideHeight() + ky * w.dilationHeight() - w.top();
                            int ix = ox * w.strideWidth() + kx * w.dilationWidth() - w.left();
                            if (iy >= 0 && iy < in.height() && ix >= 0 && ix < in.width()) {
                                read[reads++] = (c * in.height() + iy) * in.width() + ix;
                                counted++;
                            } else if (mean != null && mean.countsPadding()
                                    && iy < in.height() + w.bottom() - mean.uncountedBottom()
                                    && ix < in.width() + w.right() - mean.uncountedRight()) {
                                counted++;
                            }
                        }
                    }
                    int at = (c * out.height() + oy) * out.width() + ox;
                    if (mean == null) {
                        y.values[at] = Double.NEGATIVE_INFINITY;
                        for (int i = 0; i < reads; i++) {
                            y.values[at] = Math.max(y.values[at], x.values[read[i]]);
                            y.errors[at] = Math.max(y.errors[at], x.errors[read[i]]);
                        }
                        continue;
                    }
                    Sum sum = new Sum(0);
                    for (int i = 0; i < reads; i++) {
                        sum.add(1.0 / counted, x, read[i]);
                    }
                    sum.into(y, at);
                }
            }
        }
    }
}
