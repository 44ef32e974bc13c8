package io.pare.net;

import io.pare.net.Layer.Conv2d;
import io.pare.net.Layer.Linear;
import io.pare.net.Layer.Residual;
import io.pare.net.Layer.Subsample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Follows from a network's outputs back which channels of each layer anything behind it uses; of a vector, which
 * features.
 */
public final class Liveness {
    private Liveness() {}

    /**
     * A layer on the way back through a chain of layers.
     *
     * @param layers the chain
     * @param shapes input shape of each of its layers, then the output shape of the last
     * @param at which of them it is
     * @param needed channels of its output that are used
     */
    public record Place(List<Layer> layers, List<ImageShape> shapes, int at, boolean[] needed) {
        public Layer layer() {
            return layers.get(at);
        }
    }

    /** Told of every layer, those behind it first; a residual one before its inner layers. */
    public interface Visitor {
        /** Gives the layer's weight, or {@code null} if it is no convolution or linear layer. */
        CompressedTensor visit(Place place);
    }

    /** Visits all layers of a network whose outputs are all used. */
    public static void walk(Model model, Visitor visitor) {
        boolean[] all = new boolean[model.classes()];
        Arrays.fill(all, true);
        walk(model.layers(), model.input(), all, visitor);
    }

    private static boolean[] walk(List<Layer> layers, ImageShape input, boolean[] used, Visitor visitor) {
        List<ImageShape> shapes = new ArrayList<>(List.of(input));
        layers.forEach(layer -> shapes.add(layer.output(shapes.getLast())));
        boolean[] needed = used;
        for (int i = layers.size() - 1; i >= 0; i--) {
            ImageShape in = shapes.get(i);
            needed = perChannel(needed, shapes.get(i + 1).channels());
            CompressedTensor weight = visitor.visit(new Place(layers, shapes, i, needed));
            switch (layers.get(i)) {
                case Conv2d conv -> needed = read(conv, weight);
                case Linear linear -> needed = read(linear, weight);
                case Residual residual -> {
                    boolean[] body = perChannel(walk(residual.body(), in, needed, visitor), in.channels());
                    boolean[] shortcut = perChannel(walk(residual.shortcut(), in, needed, visitor), in.channels());
                    needed = new boolean[in.channels()];
                    for (int c = 0; c < needed.length; c++) {
                        needed[c] = body[c] || shortcut[c];
                    }
                }
                case Layer other -> needed = before(other, in, needed);
            }
        }
        return needed;
    }

    /** Which channels of its input a layer uses that has no weights, or uses them in a way that nobody looks into. */
    public static boolean[] before(Layer layer, ImageShape input, boolean[] needed) {
        return switch (layer.flow()) {
            case KEPT -> perChannel(needed, input.channels());
            case PLACED -> {
                int before = ((Subsample) layer).before(input.channels());
                yield Arrays.copyOfRange(needed, before, before + input.channels());
            }
            case MIXED -> {
                boolean[] all = new boolean[input.channels()];
                Arrays.fill(all, true);
                yield all;
            }
        };
    }

    /** The channels that filters read. */
    private static boolean[] read(Conv2d conv, CompressedTensor weight) {
        int taps = conv.kernelHeight() * conv.kernelWidth();
        int perGroup = conv.in() / conv.groups();
        boolean[] read = new boolean[conv.in()];
        for (int k = 0; k < weight.nonzeros(); k++) {
            int row = weight.position(k) / (perGroup * taps);
            int group = row / (conv.out() / conv.groups());
            read[group * perGroup + weight.position(k) % (perGroup * taps) / taps] = true;
        }
        return read;
    }

    /** The inputs that rows read. */
    public static boolean[] read(Linear linear, CompressedTensor weight) {
        boolean[] read = new boolean[linear.in()];
        for (int k = 0; k < weight.nonzeros(); k++) {
            read[weight.position(k) % linear.in()] = true;
        }
        return read;
    }

    /** Flags of features, channels outermost, as flags of channels: one that is set sets its channel's. */
    public static boolean[] perChannel(boolean[] features, int channels) {
        if (features.length == channels) {
            return features;
        }
        boolean[] flags = new boolean[channels];
        for (int i = 0; i < features.length; i++) {
            flags[(int) ((long) i * channels / features.length)] |= features[i];
        }
        return flags;
    }
}
