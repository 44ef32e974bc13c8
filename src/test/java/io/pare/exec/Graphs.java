package io.pare.exec;

import io.pare.net.Op;
import io.pare.net.Window;
import java.util.List;

/** Builds graphs operator by operator, whose sizes follow from those of their tensors. */
public final class Graphs {
    private Graphs() {}

    private static Value of(Op op, Value x, Value... tensors) {
        return Graph.apply(op, List.of(x), List.of(tensors));
    }

    public static Value conv2d(Value x, Value weight, Value bias, int stride, int padding, int dilation, int groups) {
        return conv2d(x, weight, bias, uniform(weight, stride, padding, dilation), groups);
    }

    /** Without bias. */
    public static Value conv2d(Value x, Value weight, int stride, int padding, int dilation, int groups) {
        return of(conv2d(x, weight, uniform(weight, stride, padding, dilation), groups, false), x, weight);
    }

    /** With any window. */
    public static Value conv2d(Value x, Value weight, Value bias, Window window, int groups) {
        return of(conv2d(x, weight, window, groups, true), x, weight, bias);
    }

    private static Window uniform(Value weight, int stride, int padding, int dilation) {
        return Window.uniform(weight.size(2), weight.size(3), stride, padding, dilation);
    }

    private static Op conv2d(Value x, Value weight, Window window, int groups, boolean bias) {
        return new Op.Conv2d(x.size(1), weight.size(0), window, groups, bias);
    }

    /** An operator of one input and no tensors. */
    public static Value apply(Op op, Value x) {
        return of(op, x);
    }

    public static Value linear(Value x, Value weight, Value bias) {
        return of(new Op.Linear(weight.size(1), weight.size(0)), x, weight, bias);
    }

    public static Value maxPool(Value x, int kernel, int stride, int padding) {
        return of(Op.MaxPool.of(kernel, stride, padding), x);
    }

    public static Value avgPool(Value x, int kernel, int stride, int padding) {
        return of(Op.AvgPool.of(kernel, stride, padding), x);
    }

    public static Value globalAvgPool(Value x) {
        return of(new Op.GlobalAvgPool(), x);
    }

    public static Value batchNorm(Value x, Value scale, Value shift, Value mean, Value variance, float epsilon) {
        return of(new Op.BatchNorm(x.size(1), epsilon), x, scale, shift, mean, variance);
    }

    public static Value responseNorm(Value x, int size, float alpha, float beta, float k) {
        return of(new Op.ResponseNorm(size, alpha, beta, k), x);
    }

    public static Value subsample(Value x, int channels, int stride) {
        return of(new Op.Subsample(channels, stride), x);
    }

    public static Value relu(Value x) {
        return of(new Op.Relu(), x);
    }

    public static Value sigmoid(Value x) {
        return of(new Op.Sigmoid(), x);
    }

    public static Value concat(Value... inputs) {
        return Graph.apply(new Op.Concat(inputs.length), List.of(inputs), List.of());
    }

    public static Value dropout(Value x, float rate) {
        return of(new Op.Dropout(rate), x);
    }

    public static Value add(Value left, Value right) {
        return Graph.apply(new Op.Add(), List.of(left, right), List.of());
    }

    /** {@code [n, ...]} as {@code [n, features]}. */
    static Value flatten(Value x) {
        return Graph.vector(x);
    }

    /** {@code [n, features]} as images {@code [n, features, 1, 1]}. */
    static Value image(Value x) {
        return new Value(new Operation.Reshape(), new long[]{x.size(0), x.size(1), 1, 1}, x);
    }
}
