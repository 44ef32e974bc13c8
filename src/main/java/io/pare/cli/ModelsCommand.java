package io.pare.cli;

import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Shape;
import io.pare.run.ModelSource;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Lists the networks, or the layers of one. */
@Command(name = "models", mixinStandardHelpOptions = true, sortOptions = false,
        header = "List the networks, or the layers of one.",
        description = "Parameters are all that is trained. MACs are multiply-adds of convolutions and products for one"
                + " image; activations are the float32 outputs of all layers for one image.",
        optionListHeading = "%nOptions:%n", footer = {"", "Examples:", "  pare models", "  pare models resnet20",
            "  pare models vgg16 --input 3x64x64 --classes 200"})
final class ModelsCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "MODEL",
            description = "A network: a name, or an .onnx, .pare or .yaml file; all names are listed without.")
    private String name;

    @Option(names = "--input", paramLabel = "CxHxW", converter = ShapeConverter.class,
            description = "Shape of an image (default: that of the data the network was made for).")
    private Shape input;

    @Option(names = "--classes", paramLabel = "N",
            description = "Number of classes (default: that of the data the network was made for).")
    private Integer classes;

    @Mixin
    private OnnxOption onnx;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (classes != null && classes < 1) {
            throw new UsageException("--classes is " + classes + ", must be at least 1");
        }
        if (name == null) {
            if (input != null || classes != null || onnx.given()) {
                throw new UsageException("options need a network, such as resnet20");
            }
            list(out);
        } else {
            table(out, model());
        }
        out.flush();
        return Commands.OK;
    }

    private Net model() throws IOException {
        ModelSource source = ModelSource.of(name, onnx.of(name));
        try {
            if (source instanceof ModelSource.Known) {
                return source.net(input, classes == null ? 0 : classes);
            }
            if (input != null) {
                throw new UsageException("--input belongs to a name; " + name + " says its input itself");
            }
            if (classes != null && source.weights().isPresent()) {
                throw new UsageException("--classes belongs to a name or a .yaml file; " + name
                        + " says its classes itself: leave it out");
            }
            Net net = classes == null ? source.usual() : source.net(null, classes);
            if (classes != null && net.classes() != classes) {
                throw new UsageException("--classes " + classes + " changes nothing, for " + name + " gives "
                        + net.classes() + " outputs whatever the classes: write 'out: classes' in its last layer");
            }
            return net;
        } catch (IllegalArgumentException e) {
            throw new UsageException(e.getMessage());
        }
    }

    private static void list(PrintWriter out) {
        out.printf("%-20s %-11s %7s %6s %13s %15s %13s%n", "network", "input", "classes", "layers", "parameters",
                "MACs",
                "activations");
        for (String known : Models.names()) {
            Net model = Models.byName(known);
            List<Node> layers = model.layers();
            out.printf(Locale.ROOT, "%-20s %-11s %7d %6d %,13d %,15d %10.2f MB%n", known, model.input(),
                    model.classes(), layers.size(), model.trainedCount(), model.multiplyAdds(), megabytes(layers));
        }
    }

    private static void table(PrintWriter out, Net model) {
        List<Node> layers = model.layers();
        out.printf("%s on %s, %d classes%n%n", model.name(), model.input(), model.classes());
        out.printf("%-24s %-15s %-12s %13s %15s %13s%n", "layer", "kind", "output", "parameters", "MACs",
                "activations");
        for (Node layer : layers) {
            out.printf(Locale.ROOT, "%-24s %-15s %-12s %,13d %,15d %10.3f MB%n", layer.name(),
                    layer.op().getClass().getSimpleName(), layer.output(), layer.trainedCount(),
                    model.multiplyAdds(layer),
                    megabytes(List.of(layer)));
        }
        out.printf(Locale.ROOT, "%-24s %-15s %-12s %,13d %,15d %10.3f MB%n", "all", layers.size() + " layers", "",
                model.trainedCount(), model.multiplyAdds(), megabytes(layers));
        out.printf(Locale.ROOT, "%nweights %,d, that is without biases and normalisation%n", model.weightCount());
    }

    private static double megabytes(List<Node> layers) {
        return layers.stream().mapToLong(layer -> (long) layer.output().features() * Float.BYTES).sum() / 1e6;
    }

    /** Reads shapes such as 3x224x224. */
    static final class ShapeConverter implements ITypeConverter<Shape> {
        @Override
        public Shape convert(String text) {
            try {
                if (text.split("x").length == 3) {
                    return Shape.parse(text);
                }
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException("'" + text + "' is no shape such as 3x224x224: " + e.getMessage());
            }
            throw new TypeConversionException("'" + text + "' is no shape such as 3x224x224");
        }
    }
}
