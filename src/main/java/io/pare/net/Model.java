package io.pare.net;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A network as a declaration: the shape of a sample, the number of classes, and layers that run one after another, some of
 * which have layers of their own ({@link Layer.Residual}).
 *
 * <p>The last layer's output are the logits. Construction checks that every layer takes what the one before it gives.
 */
public record Model(String name, ImageShape input, int classes, List<Layer> layers) {
    public Model {
        layers = List.copyOf(layers);
        checkName(name);
        Set<String> names = new HashSet<>();
        ImageShape shape = input;
        for (Layer layer : layers) {
            shape = layer.output(shape);
        }
        for (Step step : steps(input, layers, new ArrayList<>())) {
            checkName(step.layer().name());
            if (!names.add(step.layer().name())) {
                throw new IllegalArgumentException("two layers of " + name + " are named " + step.layer().name());
            }
        }
        if (shape.features() != classes) {
            throw new IllegalArgumentException(name + " ends in " + shape + " values for " + classes + " classes");
        }
    }

    /** Names are printed: none may hold what moves a terminal's cursor or makes a line of its own. */
    private static void checkName(String name) {
        if (!name.codePoints().allMatch(Model::prints)) {
            throw new IllegalArgumentException("the name '" + name.codePoints()
                    .mapToObj(c -> prints(c) ? Character.toString(c) : String.format("\\u%04x", c))
                    .collect(Collectors.joining()) + "' holds characters that cannot be printed");
        }
    }

    private static boolean prints(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }

    /**
     * A layer and what it does to one sample.
     *
     * @param input shape of what it takes
     * @param output shape of what it gives
     */
    public record Step(Layer layer, ImageShape input, ImageShape output) {
        /** Elements of all its tensors but statistics; those of inner layers are counted there. */
        public long trainedCount() {
            return layer instanceof Layer.Residual ? 0 : layer.parameters().stream().filter(Parameter::trained)
                    .mapToLong(Parameter::count).sum();
        }

        public long multiplyAdds() {
            return layer.multiplyAdds(input);
        }
    }

    /** Every layer in the order in which they run; a residual one follows its inner layers. */
    public List<Step> steps() {
        return steps(input, layers, new ArrayList<>());
    }

    private static List<Step> steps(ImageShape shape, List<Layer> layers, List<Step> into) {
        for (Layer layer : layers) {
            if (layer instanceof Layer.Residual residual) {
                steps(shape, residual.body(), into);
                steps(shape, residual.shortcut(), into);
            }
            ImageShape output = layer.output(shape);
            into.add(new Step(layer, shape, output));
            shape = output;
        }
        return into;
    }

    /**
     * Two layers, by their place in {@link #layers}: the second alone reads what the first's filters or rows give, input
     * channels or runs of features in their order, and nothing between them depends on that order.
     */
    public record Link(int producer, int consumer) {}

    /** The links between neighbouring layers with weights; a producer has a bias, a consumer but one group. */
    public List<Link> links() {
        List<Link> links = new ArrayList<>();
        int last = -1;
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            boolean grouped = layer instanceof Layer.Conv2d conv && conv.groups() > 1;
            boolean linked = layer instanceof Layer.Linear || layer instanceof Layer.Conv2d conv && conv.bias();
            if (linked && last >= 0 && !grouped) {
                links.add(new Link(last, i));
            }
            if (linked) {
                last = i;
            } else if (layer.flow() != Layer.Flow.KEPT || !layer.parameters().isEmpty()) {
                // Channels are mixed or moved, or have tensors of their own.
                last = -1;
            }
        }
        return links;
    }

    /** Multiply-adds of convolutions and products for one sample. */
    public long multiplyAdds() {
        return steps().stream().mapToLong(Step::multiplyAdds).sum();
    }

    /** Elements of all tensors that are trained: what papers call the number of parameters. */
    public long trainedCount() {
        return parameters().stream().filter(Parameter::trained).mapToLong(Parameter::count).sum();
    }

    /** Elements of all tensors, statistics too: what a file or a copy of the network holds. */
    public long elementCount() {
        return parameters().stream().mapToLong(Parameter::count).sum();
    }

    /** Every tensor in layer order. */
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
