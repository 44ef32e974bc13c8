package io.pare.exec;

import io.pare.infer.ReferenceNet.Bounded;
import io.pare.infer.TensorReference;
import io.pare.net.Op;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Evaluates a graph in double precision, by the definition of each operation and with no regard for speed, and
 * differentiates it by central differences.
 */
final class DoubleReference {
    private final Map<String, double[]> tensors;
    private final int[] labels;
    /** The loss of the last gradient, the tensor that it was by, and the values that this one does not move. */
    private Value differentiated;
    private String by;
    private Map<Value, double[]> unmoved;

    DoubleReference(Map<String, double[]> tensors, int[] labels) {
        this.tensors = new HashMap<>(tensors);
        this.labels = labels;
    }

    double[] evaluate(Value node) {
        return evaluate(node, new IdentityHashMap<>());
    }

    /** The gradient of a loss by one element of a tensor, (f(x + h) - f(x - h)) / 2h. */
    double gradient(Value loss, String name, int element, double h) {
        if (loss != differentiated || !name.equals(by)) {
            differentiated = loss;
            by = name;
            unmoved = new IdentityHashMap<>();
            evaluate(loss, unmoved);
            dropMoved(loss, new IdentityHashMap<>());
        }
        double[] tensor = tensors.get(name);
        double kept = tensor[element];
        tensor[element] = kept + h;
        double above = evaluate(loss, new IdentityHashMap<>(unmoved))[0];
        tensor[element] = kept - h;
        double below = evaluate(loss, new IdentityHashMap<>(unmoved))[0];
        tensor[element] = kept;
        return (above - below) / (2 * h);
    }

    /** Leaves of {@link #unmoved} what does not depend on the tensor; says whether a value does. */
    private boolean dropMoved(Value node, Map<Value, Boolean> seen) {
        Boolean known = seen.get(node);
        if (known == null) {
            known = switch (node.op()) {
                case Operation.Input(String name) -> name.equals(by);
                case Operation.Parameter(String name) -> name.equals(by);
                case Operation.State(String name) -> name.equals(by);
                case Operation.Apply _,Operation.Reshape _,Operation.SoftmaxCrossEntropy _,Operation.Distillation _,Operation.BinaryCrossEntropy _,Operation.SquaredError _ ->
                        false;
            };
            for (Value input : node.inputs()) {
                known |= dropMoved(input, seen);
            }
            seen.put(node, known);
            if (known) {
                unmoved.remove(node);
            }
        }
        return known;
    }

    private double[] evaluate(Value node, Map<Value, double[]> done) {
        double[] known = done.get(node);
        if (known == null) {
            double[][] in = new double[node.inputs().size()][];
            for (int i = 0; i < in.length; i++) {
                in[i] = evaluate(node.input(i), done);
            }
            known = apply(node, in);
            done.put(node, known);
        }
        return known;
    }

    private double[] apply(Value node, double[][] in) {
        return switch (node.op()) {
            case Operation.Input(String name) -> tensors.get(name);
            case Operation.Parameter(String name) -> tensors.get(name);
            case Operation.State(String name) -> tensors.get(name);
            case Operation.Apply(Op op) -> apply(node, op, in);
            case Operation.Reshape _ -> in[0];
            case Operation.SoftmaxCrossEntropy op -> {
                int classes = node.input(0).size(1);
                double loss = 0;
                for (int row = 0; row < labels.length; row++) {
                    loss -= Math.log(softmax(in[0], row, classes, 1)[labels[row]]);
                }
                yield new double[]{loss / labels.length};
            }
            case Operation.Distillation(float temperature, float share) -> {
                int classes = node.input(0).size(1);
                double loss = 0;
                for (int row = 0; row < labels.length; row++) {
                    double[] student = softmax(in[0], row, classes, temperature);
                    double[] teacher = softmax(in[1], row, classes, temperature);
                    double distance = 0;
                    for (int c = 0; c < classes; c++) {
                        distance -= teacher[c] * Math.log(student[c]);
                    }
                    loss += share * temperature * temperature * distance
                            - (1 - share) * Math.log(softmax(in[0], row, classes, 1)[labels[row]]);
                }
                yield new double[]{loss / labels.length};
            }
            case Operation.BinaryCrossEntropy _ -> {
                double loss = 0;
                for (int i = 0; i < in[0].length; i++) {
                    double probability = 1 / (1 + Math.exp(-in[0][i]));
                    loss -= in[1][i] * Math.log(probability) + (1 - in[1][i]) * Math.log(1 - probability);
                }
                yield new double[]{loss / in[0].length};
            }
            case Operation.SquaredError _ -> {
                double loss = 0;
                for (int i = 0; i < in[0].length; i++) {
                    loss += (in[0][i] - in[1][i]) * (in[0][i] - in[1][i]);
                }
                yield new double[]{loss / in[0].length};
            }
        };
    }

    private double[] apply(Value node, Op operator, double[][] in) {
        return switch (operator) {
            case Op.Conv2d op -> convolve(node, op, in[0], in[1], op.bias() ? in[2] : new double[node.size(1)]);
            case Op.MaxPool op -> pool(node, op.window(), null, in[0]);
            case Op.AvgPool op -> pool(node, op.window(), op, in[0]);
            case Op.GlobalAvgPool op -> {
                Window whole = Window.of(node.input(0).size(2), node.input(0).size(3));
                yield pool(node, whole, new Op.AvgPool(whole, false), in[0]);
            }
            case Op.BatchNorm op -> normalize(node, op.epsilon(), in);
            case Op.ResponseNorm op -> {
                int area = node.size(2) * node.size(3);
                int channels = node.size(1);
                double[] y = new double[in[0].length];
                for (int i = 0; i < y.length; i++) {
                    double squares = 0;
                    for (int shift = -op.size() / 2; shift <= op.size() / 2; shift++) {
                        int channel = i / area % channels + shift;
                        if (channel >= 0 && channel < channels) {
                            squares += in[0][i + shift * area] * in[0][i + shift * area];
                        }
                    }
                    y[i] = in[0][i] / Math.pow(op.k() + op.alpha() * squares / op.size(), op.beta());
                }
                yield y;
            }
            case Op.Subsample op -> {
                int stride = op.stride();
                Value input = node.input(0);
                int before = (node.size(1) - input.size(1)) / 2;
                double[] y = new double[(int) node.count()];
                for (int i = 0; i < y.length; i++) {
                    int x = i % node.size(3) * stride;
                    int row = i / node.size(3) % node.size(2) * stride;
                    int plane = i / node.size(3) / node.size(2);
                    int channel = plane % node.size(1) - before;
                    if (channel >= 0 && channel < input.size(1)) {
                        y[i] = in[0][((plane / node.size(1) * input.size(1) + channel) * input.size(2) + row)
                                * input.size(3) + x];
                    }
                }
                yield y;
            }
            case Op.Linear op -> linear(node, in[0], in[1], in[2]);
            case Op.Relu op -> {
                double[] y = in[0].clone();
                for (int i = 0; i < y.length; i++) {
                    y[i] = Math.max(0, y[i]);
                }
                yield y;
            }
            case Op.Concat _ -> {
                double[] y = new double[(int) node.count()];
                int at = 0;
                for (int n = 0; n < node.size(0); n++) {
                    for (double[] x : in) {
                        int features = x.length / node.size(0);
                        System.arraycopy(x, n * features, y, at, features);
                        at += features;
                    }
                }
                yield y;
            }
            case Op.Sigmoid _ -> {
                double[] y = in[0].clone();
                for (int i = 0; i < y.length; i++) {
                    y[i] = 1 / (1 + Math.exp(-y[i]));
                }
                yield y;
            }
            case TensorOp op -> tensors(node, op, in);
            case Op.Dropout(float rate) -> {
                if (rate != 0) {
                    throw new UnsupportedOperationException("the zeros of dropout are the kernel's");
                }
                yield in[0];
            }
            case Op.Add op -> {
                double[] y = in[0].clone();
                for (int i = 0; i < y.length; i++) {
                    y[i] += in[1][i];
                }
                yield y;
            }
            case Op.Flatten _,Op.Input _ -> throw new AssertionError(operator + " is built as another operation");
        };
    }

    private static double[] tensors(Value node, TensorOp op, double[][] in) {
        List<Shape> shapes = IntStream.range(0, op.arity()).mapToObj(node::input)
                .map(value -> Shape.of(IntStream.range(1, value.rank()).map(value::size).toArray())).toList();
        double[] y = new double[(int) node.count()];
        int features = y.length / node.size(0);
        for (int n = 0; n < node.size(0); n++) {
            List<Bounded> x = new ArrayList<>();
            for (int i = 0; i < in.length; i++) {
                int size = i < op.arity() ? shapes.get(i).features() : 0;
                x.add(Bounded.exact(size > 0 ? Arrays.copyOfRange(in[i], n * size, (n + 1) * size) : in[i]));
            }
            System.arraycopy(TensorReference.of(op, shapes, x).values(), 0, y, n * features, features);
        }
        return y;
    }

    private static double[] softmax(double[] logits, int row, int classes, double temperature) {
        double[] p = new double[classes];
        double sum = 0;
        for (int c = 0; c < classes; c++) {
            p[c] = Math.exp(logits[row * classes + c] / temperature);
            sum += p[c];
        }
        for (int c = 0; c < classes; c++) {
            p[c] /= sum;
        }
        return p;
    }

    private static double[] linear(Value node, double[] x, double[] weight, double[] bias) {
        int rows = node.size(0);
        int out = node.size(1);
        int in = node.input(1).size(1);
        double[] y = new double[rows * out];
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < out; o++) {
                double sum = bias[o];
                for (int i = 0; i < in; i++) {
                    sum += x[r * in + i] * weight[o * in + i];
                }
                y[r * out + o] = sum;
            }
        }
        return y;
    }

    private static double[] convolve(Value node, Op.Conv2d op, double[] x, double[] weight, double[] bias) {
        Value input = node.input(0);
        Value filter = node.input(1);
        int perGroup = filter.size(1);
        int outPerGroup = node.size(1) / op.groups();
        Window w = op.window();
        double[] y = new double[(int) node.count()];
        int at = 0;
        for (int n = 0; n < node.size(0); n++) {
            for (int oc = 0; oc < node.size(1); oc++) {
                for (int oy = 0; oy < node.size(2); oy++) {
                    for (int ox = 0; ox < node.size(3); ox++) {
                        double sum = bias[oc];
                        for (int ic = 0; ic < perGroup; ic++) {
                            int channel = oc / outPerGroup * perGroup + ic;
                            for (int ky = 0; ky < filter.size(2); ky++) {
                                for (int kx = 0; kx < filter.size(3); kx++) {
                                    int iy = oy * w.strideHeight() + ky * w.dilationHeight() - w.top();
                                    int ix = ox * w.strideWidth() + kx * w.dilationWidth() - w.left();
                                    if (iy >= 0 && iy < input.size(2) && ix >= 0 && ix < input.size(3)) {
                                        sum += x[((n * input.size(1) + channel) * input.size(2) + iy) * input.size(3)
                                                + ix]
                                                * weight[((oc * perGroup + ic) * filter.size(2) + ky) * filter.size(3)
                                                        + kx];
                                    }
                                }
                            }
                        }
                        y[at++] = sum;
                    }
                }
            }
        }
        return y;
    }

    /** By the batch's statistics: what training computes. */
    private static double[] normalize(Value node, double epsilon, double[][] in) {
        int area = node.size(2) * node.size(3);
        int channels = node.size(1);
        double count = (double) node.count() / channels;
        double[] mean = new double[channels];
        double[] variance = new double[channels];
        double[] y = in[0].clone();
        for (int i = 0; i < y.length; i++) {
            mean[i / area % channels] += y[i] / count;
        }
        for (int i = 0; i < y.length; i++) {
            double off = y[i] - mean[i / area % channels];
            variance[i / area % channels] += off * off / count;
        }
        for (int i = 0; i < y.length; i++) {
            int c = i / area % channels;
            y[i] = in[1][c] * (y[i] - mean[c]) / Math.sqrt(variance[c] + epsilon) + in[2][c];
        }
        return y;
    }

    /** @param mean null for a maximum */
    private static double[] pool(Value node, Window w, Op.AvgPool mean, double[] x) {
        Value input = node.input(0);
        int height = input.size(2);
        int width = input.size(3);
        double[] y = new double[(int) node.count()];
        int at = 0;
        for (int plane = 0; plane < node.size(0) * node.size(1); plane++) {
            for (int oy = 0; oy < node.size(2); oy++) {
                for (int ox = 0; ox < node.size(3); ox++) {
                    double best = Double.NEGATIVE_INFINITY;
                    double sum = 0;
                    int counted = 0;
                    for (int ky = 0; ky < w.kernelHeight(); ky++) {
                        for (int kx = 0; kx < w.kernelWidth(); kx++) {
                            int iy = oy * w.strideHeight() + ky * w.dilationHeight() - w.top();
                            int ix = ox * w.strideWidth() + kx * w.dilationWidth() - w.left();
                            if (iy >= 0 && iy < height && ix >= 0 && ix < width) {
                                double value = x[(plane * height + iy) * width + ix];
                                best = Math.max(best, value);
                                sum += value;
                                counted++;
                            } else if (mean != null && mean.countsPadding()
                                    && iy < height + w.bottom() - mean.uncountedBottom()
                                    && ix < width + w.right() - mean.uncountedRight()) {
                                counted++;
                            }
                        }
                    }
                    y[at++] = mean == null ? best : sum / counted;
                }
            }
        }
        return y;
    }
}
