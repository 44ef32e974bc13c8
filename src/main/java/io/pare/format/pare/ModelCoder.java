package io.pare.format.pare;

import io.pare.file.FormatException;
import io.pare.format.pare.BitCoder.Frequencies;
import io.pare.net.ImageShape;
import io.pare.net.Layer;
import io.pare.net.Layer.AvgPool;
import io.pare.net.Layer.BatchNorm;
import io.pare.net.Layer.Conv2d;
import io.pare.net.Layer.Dropout;
import io.pare.net.Layer.Flatten;
import io.pare.net.Layer.GlobalAvgPool;
import io.pare.net.Layer.Linear;
import io.pare.net.Layer.MaxPool;
import io.pare.net.Layer.Relu;
import io.pare.net.Layer.Residual;
import io.pare.net.Layer.ResponseNorm;
import io.pare.net.Layer.Subsample;
import io.pare.net.Model;
import io.pare.net.Models;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Codes the description of a network: by number if it is one of {@link #KNOWN}, else layer by layer. */
final class ModelCoder {
    /** Numbers of known networks, from 1; 0 is a description in the file. Never renumber: files refer to them. */
    static final List<String> KNOWN = List.of("lenet5", "lenet300");

    private static final int MAX_LAYERS = 1 << 12;
    private static final int MAX_NAME = 255;
    private static final int MAX_DEPTH = 16;
    /** Kind that says that another one follows. */
    private static final int EXTENDED = 7;

    private final BitCoder coder;
    private int left = MAX_LAYERS;
    private int depth;
    private final Frequencies letters = new Frequencies(256);
    private final Map<String, Integer> counters = new HashMap<>();

    ModelCoder(BitCoder coder) {
        this.coder = coder;
    }

    /** Codes a model; null when reading. */
    Model code(Model model) {
        int known = coder.number(model == null ? 0 : known(model), 1);
        if (known > KNOWN.size()) {
            throw new FormatException("the file holds model number " + known + ", this version knows " + KNOWN
                    + ": use a newer version of Pare");
        }
        if (known > 0) {
            return Models.byName(KNOWN.get(known - 1));
        }
        try {
            return describe(model);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new FormatException("the file's layers do not fit together: " + e.getMessage(), e);
        }
    }

    /** Dropout does nothing in a finished network, so its rate does not tell networks apart. */
    private static int known(Model model) {
        for (int i = 0; i < KNOWN.size(); i++) {
            Model candidate = Models.byName(KNOWN.get(i));
            if (candidate.name().equals(model.name()) && candidate.input().equals(model.input())
                    && working(candidate).equals(working(model))) {
                return i + 1;
            }
        }
        return 0;
    }

    private static List<Layer> working(Model model) {
        return model.layers().stream().filter(layer -> !(layer instanceof Dropout)).toList();
    }

    private Model describe(Model model) {
        String name = name(model == null ? null : model.name());
        ImageShape input = model == null ? null : model.input();
        ImageShape shape = new ImageShape(size(input == null ? 1 : input.channels()),
                size(input == null ? 1 : input.height()), size(input == null ? 1 : input.width()));
        ImageShape first = shape;
        List<Layer> layers = layers(model == null ? null : model.layers(), shape);
        for (Layer layer : layers) {
            shape = layer.output(shape);
        }
        return new Model(name, first, shape.features(), layers);
    }

    /** Layers that run one after another. */
    private List<Layer> layers(List<Layer> known, ImageShape shape) {
        int count = coder.number(known == null ? 0 : known.size(), 3);
        left -= count;
        if (left < 0) {
            throw new FormatException("the file declares more than " + MAX_LAYERS + " layers: it is damaged");
        }
        List<Layer> layers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Layer layer = layer(known == null ? null : known.get(i), shape);
            shape = layer.output(shape);
            layers.add(layer);
        }
        return layers;
    }

    /** Codes a size of at least 1. */
    private int size(int value) {
        return Math.addExact(coder.number(value - 1, 4), 1);
    }

    private Layer layer(Layer layer, ImageShape input) {
        int kind = coder.bits(switch (layer) {
            case null -> 0;
            case Conv2d conv -> conv.bias() ? 0 : EXTENDED;
            case Linear _ -> 1;
            case MaxPool _ -> 2;
            case AvgPool _ -> 3;
            case Relu _ -> 4;
            case Dropout _ -> 5;
            case Flatten _ -> 6;
            case BatchNorm _,ResponseNorm _,GlobalAvgPool _,Subsample _,Residual _ -> EXTENDED;
        }, 3);
        String name = layer == null ? null : layer.name();
        return switch (kind) {
            case 0 -> convolution((Conv2d) layer, name, input);
            case 1 -> new Linear(usualName("fc", name), input.features(),
                    size(layer == null ? 1 : ((Linear) layer).out()));
            case 2 -> {
                MaxPool pool = (MaxPool) layer;
                int kernel = size(pool == null ? 1 : pool.kernel());
                yield new MaxPool(usualName("pool", name), kernel,
                        stride(pool == null ? 0 : pool.stride(), kernel),
                        coder.number(pool == null ? 0 : pool.padding(), 0));
            }
            case 3 -> {
                AvgPool pool = (AvgPool) layer;
                int kernel = size(pool == null ? 1 : pool.kernel());
                yield new AvgPool(usualName("pool", name), kernel,
                        stride(pool == null ? 0 : pool.stride(), kernel),
                        coder.number(pool == null ? 0 : pool.padding(), 0));
            }
            case 4 -> new Relu(usualName("relu", name));
            case 5 -> new Dropout(usualName("drop", name), decimal(layer == null ? 0 : ((Dropout) layer).rate()));
            case 6 -> new Flatten(usualName("flatten", name));
            default -> extended(layer, name, input);
        };
    }

    /** The kinds for which the first three bits have no room. */
    private Layer extended(Layer layer, String name, ImageShape input) {
        int kind = coder.bits(switch (layer) {
            case BatchNorm _ -> 1;
            case ResponseNorm _ -> 2;
            case GlobalAvgPool _ -> 3;
            case Subsample _ -> 4;
            case Residual _ -> 5;
            case null, default -> 0;
        }, 4);
        return switch (kind) {
            case 0 -> {
                Conv2d conv = convolution((Conv2d) layer, name, input);
                yield new Conv2d(conv.name(), conv.in(), conv.out(), conv.kernelHeight(), conv.kernelWidth(),
                        conv.stride(), conv.padding(), conv.dilation(), conv.groups(), false);
            }
            case 1 -> new BatchNorm(usualName("bn", name), input.channels(),
                    decimal(layer == null ? 0 : ((BatchNorm) layer).epsilon()));
            case 2 -> {
                ResponseNorm norm = (ResponseNorm) layer;
                yield new ResponseNorm(usualName("norm", name), size(norm == null ? 1 : norm.size()),
                        decimal(norm == null ? 0 : norm.alpha()), decimal(norm == null ? 0 : norm.beta()),
                        decimal(norm == null ? 0 : norm.k()));
            }
            case 3 -> new GlobalAvgPool(usualName("pool", name));
            case 4 -> new Subsample(usualName("subsample", name), size(layer == null ? 1 : ((Subsample) layer).out()),
                    size(layer == null ? 1 : ((Subsample) layer).stride()));
            case 5 -> {
                String own = usualName("block", name);
                if (++depth > MAX_DEPTH) {
                    throw new FormatException("the file's layers lie in one another more than " + MAX_DEPTH
                            + " deep: it is damaged");
                }
                List<Layer> body = layers(layer == null ? null : ((Residual) layer).body(), input);
                List<Layer> shortcut = layers(layer == null ? null : ((Residual) layer).shortcut(), input);
                depth--;
                yield new Residual(own, body, shortcut);
            }
            default -> throw new FormatException("the file holds a layer of kind " + EXTENDED + "." + kind
                    + ", which this version does not know: use a newer version of Pare");
        };
    }

    private float decimal(float value) {
        return Float.intBitsToFloat(coder.bits(Float.floatToRawIntBits(value), 32));
    }

    /** A pool's stride, mostly its window. */
    private int stride(int stride, int kernel) {
        return coder.flag(stride == kernel) ? kernel : size(Math.max(1, stride));
    }

    private Conv2d convolution(Conv2d conv, String name, ImageShape input) {
        int out = size(conv == null ? 1 : conv.out());
        int height = size(conv == null ? 1 : conv.kernelHeight());
        boolean plain = coder.flag(conv != null && conv.kernelWidth() == height && conv.stride() == 1
                && conv.padding() == 0 && conv.dilation() == 1 && conv.groups() == 1);
        String named = usualName("conv", name);
        if (plain) {
            return Conv2d.of(named, input.channels(), out, height);
        }
        int width = size(conv == null ? 1 : conv.kernelWidth());
        int stride = size(conv == null ? 1 : conv.stride());
        int padding = coder.number(conv == null ? 0 : conv.padding(), 1);
        int dilation = size(conv == null ? 1 : conv.dilation());
        int groups = size(conv == null ? 1 : conv.groups());
        return new Conv2d(named, input.channels(), out, height, width, stride, padding, dilation, groups);
    }

    /** A layer's name: one bit if it is the kind's prefix and number ("flatten" alone for the first of its kind). */
    private String usualName(String prefix, String name) {
        int number = counters.merge(prefix, 1, Integer::sum);
        String usual = prefix.equals("flatten") && number == 1 ? prefix : prefix + number;
        return coder.flag(usual.equals(name)) ? usual : name(name);
    }

    private String name(String name) {
        byte[] known = name == null ? new byte[0] : name.getBytes(StandardCharsets.UTF_8);
        if (known.length > MAX_NAME) {
            throw new IllegalArgumentException("a name of " + known.length + " bytes; at most " + MAX_NAME
                    + " can be stored");
        }
        int length = coder.number(known.length, 3);
        if (length > MAX_NAME) {
            throw new FormatException("the file declares a name of " + length + " bytes: it is damaged");
        }
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) letters.tree(coder, name == null ? 0 : known[i] & 0xff, 8);
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
