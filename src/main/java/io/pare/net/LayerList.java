package io.pare.net;

import io.pare.net.Layer.BatchNorm;
import io.pare.net.Layer.Conv2d;
import io.pare.net.Layer.Dropout;
import io.pare.net.Layer.Flatten;
import io.pare.net.Layer.Linear;
import io.pare.net.Layer.MaxPool;
import io.pare.net.Layer.Relu;
import io.pare.net.Layer.Residual;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Writes down layers one after another and knows the shape so far, from which they take their input sizes. */
final class LayerList {
    private final List<Layer> layers = new ArrayList<>();
    private ImageShape shape;

    LayerList(ImageShape input) {
        this.shape = input;
    }

    List<Layer> layers() {
        return layers;
    }

    ImageShape shape() {
        return shape;
    }

    LayerList add(Layer layer) {
        shape = layer.output(shape);
        layers.add(layer);
        return this;
    }

    LayerList conv(String name, int out, int kernel, int stride, int padding, boolean bias) {
        return add(Conv2d.of(name, shape.channels(), out, kernel, stride, padding, bias));
    }

    LayerList groupedConv(String name, int out, int kernel, int padding, int groups) {
        return add(new Conv2d(name, shape.channels(), out, kernel, kernel, 1, padding, 1, groups));
    }

    LayerList norm(String name) {
        return add(BatchNorm.of(name, shape.channels()));
    }

    LayerList relu(String name) {
        return add(new Relu(name));
    }

    LayerList maxPool(String name, int kernel, int stride, int padding) {
        return add(new MaxPool(name, kernel, stride, padding));
    }

    LayerList dropout(String name) {
        return add(new Dropout(name, 0.5f));
    }

    LayerList flatten() {
        return add(new Flatten("flatten"));
    }

    LayerList linear(String name, int out) {
        return add(new Linear(name, shape.features(), out));
    }

    LayerList residual(String name, Consumer<LayerList> body, Consumer<LayerList> shortcut) {
        LayerList left = new LayerList(shape);
        LayerList right = new LayerList(shape);
        body.accept(left);
        shortcut.accept(right);
        return add(new Residual(name, left.layers, right.layers));
    }
}
