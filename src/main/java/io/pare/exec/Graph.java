package io.pare.exec;

import java.util.Arrays;

/**
 * Builds nodes and checks their shapes. A graph holds no memory and computes nothing: {@link Tape} does.
 *
 * <p>Shapes include the batch size, so a graph is built for one batch size. Every method throws
 * {@link IllegalArgumentException} that names the operation and the shapes when they do not fit.
 */
public final class Graph {
    private Graph() {}

    public static Node input(String name, long... shape) {
        return new Node(new Op.Input(name), shape.clone());
    }

    public static Node parameter(String name, long... shape) {
        return new Node(new Op.Parameter(name), shape.clone());
    }

    /** A tensor that its operation changes in training, without a gradient. */
    public static Node state(String name, long... shape) {
        return new Node(new Op.State(name), shape.clone());
    }

    public static Node conv2d(Node x, Node weight, Node bias, int stride, int padding, int dilation, int groups) {
        check(bias.rank() == 1 && weight.rank() == 4 && bias.size(0) == weight.size(0), "conv2d", x, weight, bias);
        return convolution(stride, padding, dilation, groups, x, weight, bias);
    }

    /** Without bias. */
    public static Node conv2d(Node x, Node weight, int stride, int padding, int dilation, int groups) {
        return convolution(stride, padding, dilation, groups, x, weight);
    }

    private static Node convolution(int stride, int padding, int dilation, int groups, Node... inputs) {
        Node x = inputs[0];
        Node weight = inputs[1];
        check(x.rank() == 4 && weight.rank() == 4, "conv2d", inputs);
        check(x.size(1) == weight.size(1) * groups && weight.size(0) % groups == 0, "conv2d", inputs);
        check(stride > 0 && dilation > 0 && padding >= 0, "conv2d", inputs);
        long height = window(x.size(2), (weight.size(2) - 1) * dilation + 1, stride, padding);
        long width = window(x.size(3), (weight.size(3) - 1) * dilation + 1, stride, padding);
        check(height > 0 && width > 0, "conv2d", inputs);
        return new Node(new Op.Conv2d(stride, padding, dilation, groups),
                new long[]{x.size(0), weight.size(0), height, width}, inputs);
    }

    public static Node linear(Node x, Node weight, Node bias) {
        check(x.rank() == 2 && weight.rank() == 2 && bias.rank() == 1, "linear", x, weight, bias);
        check(x.size(1) == weight.size(1) && weight.size(0) == bias.size(0), "linear", x, weight, bias);
        return new Node(new Op.Linear(), new long[]{x.size(0), weight.size(0)}, x, weight, bias);
    }

    public static Node maxPool(Node x, int kernel, int stride, int padding) {
        return new Node(new Op.MaxPool(kernel, stride, padding), pooled(x, kernel, stride, padding), x);
    }

    public static Node avgPool(Node x, int kernel, int stride, int padding) {
        return new Node(new Op.AvgPool(kernel, stride, padding), pooled(x, kernel, stride, padding), x);
    }

    public static Node globalAvgPool(Node x) {
        check(x.rank() == 4, "global average pool", x);
        return new Node(new Op.GlobalAvgPool(), new long[]{x.size(0), x.size(1), 1, 1}, x);
    }

    public static Node batchNorm(Node x, Node scale, Node shift, Node mean, Node variance, float epsilon) {
        check(x.rank() == 4 && mean.op() instanceof Op.State && variance.op() instanceof Op.State, "batch norm", x,
                mean, variance);
        for (Node each : new Node[]{scale, shift, mean, variance}) {
            check(each.rank() == 1 && each.size(0) == x.size(1), "batch norm", x, each);
        }
        return new Node(new Op.BatchNorm(epsilon), x.shape(), x, scale, shift, mean, variance);
    }

    public static Node responseNorm(Node x, int size, float alpha, float beta, float k) {
        check(x.rank() == 4 && size > 0 && size % 2 == 1, "response norm over " + size, x);
        return new Node(new Op.ResponseNorm(size, alpha, beta, k), x.shape(), x);
    }

    public static Node subsample(Node x, int channels, int stride) {
        check(x.rank() == 4 && channels >= x.size(1) && stride > 0, "subsample to " + channels + " channels", x);
        return new Node(new Op.Subsample(stride),
                new long[]{x.size(0), channels, (x.size(2) - 1) / stride + 1, (x.size(3) - 1) / stride + 1}, x);
    }

    public static Node relu(Node x) {
        return new Node(new Op.Relu(), x.shape(), x);
    }

    public static Node dropout(Node x, float rate) {
        check(rate >= 0 && rate < 1, "dropout of rate " + rate, x);
        return new Node(new Op.Dropout(rate), x.shape(), x);
    }

    /** {@code [n, ...]} as {@code [n, features]}. */
    public static Node flatten(Node x) {
        check(x.rank() >= 2, "flatten", x);
        return new Node(new Op.Reshape(), new long[]{x.size(0), x.count() / x.size(0)}, x);
    }

    /** {@code [n, features]} as images {@code [n, features, 1, 1]}, for what works on channels. */
    public static Node image(Node x) {
        check(x.rank() == 2, "image", x);
        return new Node(new Op.Reshape(), new long[]{x.size(0), x.size(1), 1, 1}, x);
    }

    public static Node add(Node left, Node right) {
        check(Arrays.equals(left.shape(), right.shape()), "add", left, right);
        return new Node(new Op.Add(), left.shape(), left, right);
    }

    public static Node softmaxCrossEntropy(Node logits) {
        check(logits.rank() == 2, "softmax cross-entropy", logits);
        return new Node(new Op.SoftmaxCrossEntropy(), new long[]{1}, logits);
    }

    public static Node distillation(Node student, Node teacher, float temperature, float share) {
        check(student.rank() == 2 && Arrays.equals(student.shape(), teacher.shape()), "distillation", student, teacher);
        check(temperature > 0 && share >= 0 && share <= 1,
                "distillation at temperature " + temperature + ", share " + share, student, teacher);
        return new Node(new Op.Distillation(temperature, share), new long[]{1}, student, teacher);
    }

    private static long[] pooled(Node x, int kernel, int stride, int padding) {
        check(x.rank() == 4 && kernel > 0 && stride > 0 && padding >= 0 && padding < kernel, "pooling by " + kernel, x);
        long height = window(x.size(2), kernel, stride, padding);
        long width = window(x.size(3), kernel, stride, padding);
        check(height > 0 && width > 0, "pooling by " + kernel, x);
        return new long[]{x.size(0), x.size(1), height, width};
    }

    private static long window(int size, int kernel, int stride, int padding) {
        int span = size + 2 * padding - kernel;
        return span < 0 ? 0 : span / stride + 1;
    }

    private static void check(boolean fits, String what, Node... nodes) {
        if (!fits) {
            throw new IllegalArgumentException(what + " does not take " + Arrays.toString(nodes));
        }
    }
}
