package io.pare.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.GradientCollector;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Parameter;
import io.pare.net.Pointwise;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** A network of ours on libtorch through DJL: the same layers, in the same order, by libtorch's own operators. */
final class TorchNetwork implements AutoCloseable {
    private final Net model;
    private final Engine engine;
    private final NDManager manager;
    private final Map<String, NDArray> tensors = new LinkedHashMap<>();
    private final NDArray images;
    private final NDArray labels;
    private final Loss loss = Loss.softmaxCrossEntropyLoss();
    private final Optimizer sgd = Optimizer.sgd().setLearningRateTracker(Tracker.fixed(1e-4f)).optMomentum(0.9f)
            .optWeightDecays(5e-4f).build();

    /** In fp32. Must be the first use of libtorch in the process: it reads the number of threads once. */
    TorchNetwork(Net model, int threads, int batch) {
        this(model, threads, batch, DataType.FLOAT32);
    }

    /** With images, weights and biases, and so all activations, of that type; normalisations and the loss are fp32. */
    TorchNetwork(Net model, int threads, int batch, DataType type) {
        this.model = model;
        System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(threads));
        System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
        engine = Engine.getEngine("PyTorch");
        engine.setRandomSeed(1);
        manager = engine.newBaseManager();
        Set<String> norms = model.layers().stream().filter(node -> node.op() instanceof Op.BatchNorm).map(Node::name)
                .collect(Collectors.toSet());
        for (Parameter parameter : model.parameters()) {
            Shape shape = new Shape(parameter.shape());
            NDArray value = switch (parameter.kind()) {
                case WEIGHT -> manager.randomNormal(0, (float) Math.sqrt(2.0 / parameter.fanIn()), shape,
                        DataType.FLOAT32);
                case BIAS, MEAN, CONSTANT -> manager.zeros(shape);
                case SCALE, VARIANCE -> manager.ones(shape);
            };
            String layer = parameter.name().substring(0, parameter.name().lastIndexOf('.'));
            value = norms.contains(layer) ? value : value.toType(type, false);
            value.setRequiresGradient(parameter.trained());
            tensors.put(parameter.name(), value);
        }
        images = manager.randomNormal(
                new Shape(batch, model.input().channels(), model.input().height(), model.input().width()))
                .toType(type, false);
        labels = manager.randomInteger(0, model.classes(), new Shape(batch), DataType.INT64);
    }

    /** Forward and backward; returns the loss. */
    float forwardBackward() {
        try (NDManager step = manager.newSubManager(); GradientCollector gradients = engine.newGradientCollector()) {
            NDArray x = images.duplicate();
            x.attach(step);
            NDArray value = loss.evaluate(new NDList(labels),
                    new NDList(logits(x).toType(DataType.FLOAT32, false)));
            gradients.backward(value);
            return value.getFloat();
        }
    }

    /** {@link #forwardBackward()}, then DJL's SGD with momentum. */
    float step() {
        float value = forwardBackward();
        for (Parameter parameter : model.parameters()) {
            if (parameter.trained()) {
                NDArray weight = tensors.get(parameter.name());
                try (NDArray gradient = weight.getGradient()) {
                    sgd.update(parameter.name(), weight, gradient);
                    gradient.subi(gradient);
                }
            }
        }
        return value;
    }

    private NDArray logits(NDArray images) {
        NDArray[] values = new NDArray[model.nodes().size()];
        values[0] = images;
        for (Node node : model.layers()) {
            values[node.place()] = apply(node, values[node.input()], values[node.inputs().getLast()]);
        }
        return values[values.length - 1];
    }

    private NDArray tensor(Node node, String what) {
        return tensors.get(node.name() + "." + what);
    }

    private NDArray apply(Node node, NDArray x, NDArray last) {
        return switch (node.op()) {
            case Op.Conv2d c -> Conv2d.conv2d(x, tensor(node, "weight"), tensor(node, "bias"),
                    strides(c.window()), padding(c.window()),
                    new Shape(c.window().dilationHeight(), c.window().dilationWidth()), c.groups()).singletonOrThrow();
            case Op.Linear _ -> Linear.linear(x, tensor(node, "weight"), tensor(node, "bias")).singletonOrThrow();
            case Op.BatchNorm b -> BatchNorm.batchNorm(x, tensor(node, "running_mean"), tensor(node, "running_var"),
                    tensor(node, "weight"), tensor(node, "bias"), 1, 0.1f, b.epsilon(), true).singletonOrThrow();
            case Op.MaxPool(Window w) when !w.isDilated() -> Pool.maxPool2d(x,
                    new Shape(w.kernelHeight(), w.kernelWidth()), strides(w), padding(w), false);
            case Op.GlobalAvgPool _ -> Pool.globalAvgPool2d(x);
            case Op.Relu _ -> Activation.relu(x);
            case Op.Sigmoid _ -> Activation.sigmoid(x);
            case Op.Dropout d -> Dropout.dropout(x, d.rate(), true).singletonOrThrow();
            case Op.Flatten _ -> x.reshape(x.getShape().get(0), -1);
            case Op.Add _ -> x.add(last);
            case TensorOp.Map(Pointwise function, float least, float most) when function == Pointwise.CLIP ->
                    x.clip(least,
                            most);
            case TensorOp _,Op.Concat _,Op.MaxPool _,Op.AvgPool _,Op.ResponseNorm _,Op.Subsample _,Op.Input _ ->
                    throw new IllegalArgumentException("no peer for " + node);
        };
    }

    private static Shape strides(Window window) {
        return new Shape(window.strideHeight(), window.strideWidth());
    }

    private static Shape padding(Window window) {
        if (window.top() != window.bottom() || window.left() != window.right()) {
            throw new IllegalArgumentException("no peer for " + window);
        }
        return new Shape(window.top(), window.left());
    }

    @Override
    public void close() {
        manager.close();
    }
}
