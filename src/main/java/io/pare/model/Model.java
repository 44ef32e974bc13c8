package io.pare.model;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A network as a declaration: the shape of a sample, the number of classes, and layers that run one after another.
 *
 * <p>The last layer's output are the logits. Construction checks that every layer takes what the one before it gives.
 */
public record Model(String name, ImageShape input, int classes, List<Layer> layers) {
    public Model {
        layers = List.copyOf(layers);
        Set<String> names = new HashSet<>();
        ImageShape shape = input;
        for (Layer layer : layers) {
            if (!names.add(layer.name())) {
                throw new IllegalArgumentException("two layers of " + name + " are named " + layer.name());
            }
            shape = layer.output(shape);
        }
        if (shape.features() != classes) {
            throw new IllegalArgumentException(name + " ends in " + shape + " values for " + classes + " classes");
        }
    }

    /** Weights and biases in layer order. */
    public List<Parameter> parameters() {
        List<Parameter> parameters = new ArrayList<>();
        for (Layer layer : layers) {
            parameters.addAll(layer.parameters());
        }
        return parameters;
    }

    /** Number of weights, biases left out: the figure that compression ratios refer to. */
    public long weightCount() {
        return parameters().stream().filter(Parameter::weight).mapToLong(Parameter::count).sum();
    }

    /** The input shape of each layer, then the output shape of the last. */
    public List<ImageShape> shapes() {
        List<ImageShape> shapes = new ArrayList<>();
        ImageShape shape = input;
        shapes.add(shape);
        for (Layer layer : layers) {
            shape = layer.output(shape);
            shapes.add(shape);
        }
        return shapes;
    }
}
