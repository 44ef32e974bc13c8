package io.pare.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.GradientCollector;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Adam;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.LinkedHashMap;
import java.util.Map;

/** LeNet-5 on libtorch through DJL, the peer: the same layers, the same batch, the same optimiser. */
final class TorchLeNet5 implements AutoCloseable {
    private final Engine engine;
    private final NDManager manager;
    private final Map<String, NDArray> parameters = new LinkedHashMap<>();
    private final Map<String, NDArray> z = new LinkedHashMap<>();
    private final Map<String, NDArray> u = new LinkedHashMap<>();
    private final NDArray images;
    private final NDArray labels;
    private final Loss loss = Loss.softmaxCrossEntropyLoss();
    private final Adam adam = Optimizer.adam().optLearningRateTracker(Tracker.fixed(1e-4f)).build();

    /** Must be the first use of libtorch in the process: it reads the number of threads once. */
    TorchLeNet5(int threads, int batch) {
        engine = TorchThreads.engine(threads);
        engine.setRandomSeed(1);
        manager = engine.newBaseManager();
        parameter("conv1", 25, 20, 1, 5, 5);
        parameter("conv2", 500, 50, 20, 5, 5);
        parameter("fc1", 800, 500, 800);
        parameter("fc2", 500, 10, 500);
        images = manager.randomNormal(new Shape(batch, 1, 28, 28));
        labels = manager.randomInteger(0, 10, new Shape(batch), ai.djl.ndarray.types.DataType.INT64);
    }

    private void parameter(String name, int fanIn, long... shape) {
        float bound = (float) (1 / Math.sqrt(fanIn));
        for (String kind : new String[]{"weight", "bias"}) {
            Shape size = kind.equals("weight") ? new Shape(shape) : new Shape(shape[0]);
            NDArray value = manager.randomUniform(-bound, bound, size);
            value.setRequiresGradient(true);
            parameters.put(name + "." + kind, value);
        }
    }

    /**
     * Forward and backward. Gradients add up from step to step: zeroing them is work that the peer is spared.
     *
     * @return the loss
     */
    float forwardBackward() {
        try (NDManager step = manager.newSubManager(); GradientCollector gradients = engine.newGradientCollector()) {
            NDArray x = images.duplicate();
            x.attach(step);
            Shape two = new Shape(2, 2);
            Shape none = new Shape(0, 0);
            x = Conv2d.conv2d(x, get("conv1.weight"), get("conv1.bias")).singletonOrThrow();
            x = Pool.maxPool2d(x, two, two, none, false);
            x = Conv2d.conv2d(x, get("conv2.weight"), get("conv2.bias")).singletonOrThrow();
            x = Pool.maxPool2d(x, two, two, none, false);
            x = x.reshape(x.getShape().get(0), 800);
            x = Linear.linear(x, get("fc1.weight"), get("fc1.bias")).singletonOrThrow();
            x = Dropout.dropout(Activation.relu(x), 0.5f, true).singletonOrThrow();
            x = Linear.linear(x, get("fc2.weight"), get("fc2.bias")).singletonOrThrow();
            NDArray value = loss.evaluate(new NDList(labels), new NDList(x));
            gradients.backward(value);
            return value.getFloat();
        }
    }

    /** {@link #forwardBackward()}, then DJL's Adam. */
    float step() {
        float value = forwardBackward();
        parameters.forEach((name, weight) -> {
            try (NDArray gradient = weight.getGradient()) {
                adam.update(name, weight, gradient);
            }
        });
        return value;
    }

    /** Sets Z to the weights and U to zero. */
    void startAdmm() {
        parameters.forEach((name, weight) -> {
            if (name.endsWith(".weight")) {
                z.put(name, weight.duplicate());
                u.put(name, manager.zeros(weight.getShape()));
            }
        });
    }

    /** {@link #step()} with ADMM's penalty, {@code rho * (w - z + u)}, added to the gradients of weights. */
    float admmStep(float rho) {
        float value = forwardBackward();
        parameters.forEach((name, weight) -> {
            try (NDArray gradient = weight.getGradient()) {
                if (z.containsKey(name)) {
                    try (NDArray off = weight.sub(z.get(name)); NDArray both = off.addi(u.get(name)).muli(rho);
                            NDArray sum = gradient.add(both)) {
                        adam.update(name, weight, sum);
                    }
                } else {
                    adam.update(name, weight, gradient);
                }
            }
        });
        return value;
    }

    /** Z = top-k of W + U by magnitude, U = U + W - Z. */
    void admmUpdate(Map<String, Integer> kept) {
        kept.forEach((name, count) -> {
            try (NDManager scratch = manager.newSubManager()) {
                NDArray v = parameters.get(name).add(u.get(name));
                v.attach(scratch);
                NDList top = v.abs().flatten().topK(count, 0, true, true);
                NDArray least = top.get(0).get(count - 1);
                NDArray next = v.mul(v.abs().gte(least).toType(ai.djl.ndarray.types.DataType.FLOAT32, false));
                z.get(name).subi(z.get(name)).addi(next);
                u.get(name).subi(u.get(name)).addi(v.sub(next));
            }
        });
    }

    private NDArray get(String name) {
        return parameters.get(name);
    }

    @Override
    public void close() {
        manager.close();
    }
}
