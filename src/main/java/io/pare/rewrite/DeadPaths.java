package io.pare.rewrite;

import io.pare.mem.FloatTensor;
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
import io.pare.net.Liveness;
import io.pare.net.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Removes from a pruned network the weights that cannot change its output: those that compute what nothing reads, and
 * those that read what is always the same.
 *
 * <p>A unit without weights gives a constant, its bias behind the layers that follow; what a later layer makes of that
 * is added to the later layer's bias, and the weights that read the unit become zero. The outputs stay the same but for
 * the rounding of those sums, so a network is evaluated after this and not before. Never done silently: callers ask for
 * it. To the left of a convolution that pads, only units that give zero are removed. Nothing is followed through
 * normalisations and residual blocks, whose inner layers stay as they are.
 */
public final class DeadPaths {
    /**
     * What was removed.
     *
     * @param weights weights that became zero
     * @param biases biases that became zero
     * @param folded constants other than zero that went into later biases
     */
    public record Removed(int weights, int biases, int folded) {}

    private final Model model;
    private final Map<String, FloatTensor> parameters;
    private int weights;
    private int biases;
    private int folded;

    private DeadPaths(Model model, Map<String, FloatTensor> parameters) {
        this.model = model;
        this.parameters = parameters;
    }

    /** Changes the parameters in place, as often as that lets more be removed. */
    public static Removed remove(Model model, Map<String, FloatTensor> parameters) {
        DeadPaths paths = new DeadPaths(model, parameters);
        int before;
        do {
            before = paths.weights + paths.biases;
            paths.forward();
            paths.backward();
        } while (paths.weights + paths.biases > before);
        return new Removed(paths.weights, paths.biases, paths.folded);
    }

    /**
     * Moves biases into those of the next layer, in place, where nothing but pooling lies between: shifting all inputs
     * of such a layer shifts its outputs by a constant. Returns how many became zero.
     */
    public static int foldBiases(Model model, Map<String, FloatTensor> parameters) {
        return foldBiases(model, parameters, Map.of());
    }

    /** As {@link #foldBiases(Model, Map)}, but of the layers named, biases stay as rounded, and only the rest moves. */
    public static int foldBiases(Model model, Map<String, FloatTensor> parameters, Map<String, ValueForm> kept) {
        DeadPaths paths = new DeadPaths(model, parameters);
        Layer last = null;
        for (int i = 0; i < model.layers().size(); i++) {
            Layer layer = model.layers().get(i);
            if (layer instanceof Linear || layer instanceof Conv2d conv && conv.bias()) {
                if (last != null && !(layer instanceof Conv2d conv && conv.padding() > 0)) {
                    paths.shift(last, layer, model.shapes().get(i), kept.getOrDefault(last.name(), ValueForm.NONE));
                }
                last = layer;
            } else if (!shifts(layer)) {
                last = null;
            }
        }
        return paths.biases;
    }

    /** Whether a constant that is added to a channel comes out of the layer as it went in, on the same channel. */
    private static boolean shifts(Layer layer) {
        return switch (layer) {
            case MaxPool _,GlobalAvgPool _,Flatten _,Dropout _ -> true;
            case AvgPool pool -> pool.padding() == 0;
            case Conv2d _,Linear _,Relu _,BatchNorm _,ResponseNorm _,Subsample _,Residual _ -> false;
        };
    }

    private void shift(Layer from, Layer to, ImageShape in, ValueForm form) {
        float[] shifts = bias(from).toArray();
        form.round(bias(from));
        for (int i = 0; i < shifts.length; i++) {
            biases += shifts[i] != 0 && bias(from).get(i) == 0 ? 1 : 0;
            shifts[i] -= bias(from).get(i);
        }
        if (to instanceof Conv2d conv) {
            int perGroup = conv.in() / conv.groups();
            int taps = conv.kernelHeight() * conv.kernelWidth();
            int group = conv.out() / conv.groups();
            shift(to, spread(shifts, in.channels()), perGroup * taps, (o, k) -> o / group * perGroup + k / taps);
        } else {
            shift(to, spread(shifts, in.features()), in.features(), (_, k) -> k);
        }
    }

    private void shift(Layer layer, float[] shifts, int perRow, Source source) {
        FloatTensor weight = weight(layer);
        FloatTensor bias = bias(layer);
        for (int o = 0; o < bias.count(); o++) {
            double sum = bias.get(o);
            for (int k = 0; k < perRow; k++) {
                sum += (double) weight.get((long) o * perRow + k) * shifts[source.of(o, k)];
            }
            bias.set(o, (float) sum);
        }
    }

    /** Names of the layers whose biases could move into those of a layer whose biases cannot. */
    public static List<String> foldable(Model model) {
        List<String> names = new ArrayList<>();
        Layer last = null;
        boolean lastMoves = false;
        for (Layer layer : model.layers()) {
            if (layer instanceof Linear || layer instanceof Conv2d conv && conv.bias()) {
                boolean moves = last != null && !(layer instanceof Conv2d conv && conv.padding() > 0);
                if (moves) {
                    if (lastMoves) {
                        names.removeLast();
                    }
                    names.add(last.name());
                }
                lastMoves = moves;
                last = layer;
            } else if (!shifts(layer)) {
                last = null;
                lastMoves = false;
            }
        }
        return names;
    }

    private FloatTensor weight(Layer layer) {
        return parameters.get(layer.name() + ".weight");
    }

    private FloatTensor bias(Layer layer) {
        return parameters.get(layer.name() + ".bias");
    }

    /** Follows constants from layer to layer: NaN stands for what is not constant. */
    private void forward() {
        List<ImageShape> shapes = model.shapes();
        float[] constants = new float[shapes.getFirst().channels()];
        Arrays.fill(constants, Float.NaN);
        for (int i = 0; i < model.layers().size(); i++) {
            ImageShape in = shapes.get(i);
            switch (model.layers().get(i)) {
                case Conv2d conv -> {
                    int perGroup = conv.in() / conv.groups();
                    int taps = conv.kernelHeight() * conv.kernelWidth();
                    int group = conv.out() / conv.groups();
                    constants = fold(conv, spread(constants, in.channels()), perGroup * taps, conv.padding() > 0,
                            (o, k) -> o / group * perGroup + k / taps);
                }
                case Linear linear ->
                        constants = fold(linear, spread(constants, linear.in()), linear.in(), false, (_, k) -> k);
                case Relu _ -> {
                    for (int c = 0; c < constants.length; c++) {
                        constants[c] = Math.max(0, constants[c]);
                    }
                }
                case AvgPool pool when pool.padding() > 0 -> keepZeros(constants);
                case MaxPool _ -> {
                    // The maximum of a constant is the constant; padding never wins.
                }
                case Subsample subsample -> {
                    float[] placed = new float[subsample.out()];
                    System.arraycopy(constants, 0, placed, subsample.before(in.channels()), in.channels());
                    constants = placed;
                }
                case BatchNorm _,ResponseNorm _,Residual _ -> {
                    constants = new float[shapes.get(i + 1).channels()];
                    Arrays.fill(constants, Float.NaN);
                }
                case Dropout _,Flatten _,AvgPool _,GlobalAvgPool _ ->
                        constants = spread(constants, shapes.get(i + 1).channels());
            }
        }
    }

    private static void keepZeros(float[] constants) {
        for (int c = 0; c < constants.length; c++) {
            constants[c] = constants[c] == 0 ? 0 : Float.NaN;
        }
    }

    /** Constants of channels as constants of features, where a layer sees features. */
    private static float[] spread(float[] constants, int features) {
        if (constants.length == features) {
            return constants;
        }
        float[] spread = new float[features];
        for (int i = 0; i < features; i++) {
            spread[i] = constants[(int) ((long) i * constants.length / features)];
        }
        return spread;
    }

    private interface Source {
        int of(int output, int weight);
    }

    private float[] fold(Layer layer, float[] inputs, int perRow, boolean zerosOnly, Source source) {
        FloatTensor weight = weight(layer);
        FloatTensor bias = bias(layer);
        float[] outputs = new float[(int) weight.size(0)];
        if (bias == null) {
            // Without a bias there is nowhere to put a constant.
            Arrays.fill(outputs, Float.NaN);
            return outputs;
        }
        for (int o = 0; o < outputs.length; o++) {
            double sum = bias.get(o);
            boolean added = false;
            boolean constant = true;
            for (int k = 0; k < perRow; k++) {
                long at = (long) o * perRow + k;
                float value = weight.get(at);
                if (value != 0) {
                    float input = inputs[source.of(o, k)];
                    if (Float.isNaN(input) || zerosOnly && input != 0) {
                        constant = false;
                    } else {
                        sum += (double) value * input;
                        weight.set(at, 0);
                        weights++;
                        added |= input != 0;
                        folded += input != 0 ? 1 : 0;
                    }
                }
            }
            if (added) {
                bias.set(o, (float) sum);
            }
            outputs[o] = constant ? bias.get(o) : Float.NaN;
        }
        return outputs;
    }

    /** Follows from the output back what is read at all. */
    private void backward() {
        List<ImageShape> shapes = model.shapes();
        boolean[] needed = new boolean[shapes.getLast().features()];
        Arrays.fill(needed, true);
        for (int i = model.layers().size() - 1; i >= 0; i--) {
            Layer layer = model.layers().get(i);
            needed = Liveness.perChannel(needed, shapes.get(i + 1).channels());
            if (layer instanceof Conv2d conv) {
                int perGroup = conv.in() / conv.groups();
                int taps = conv.kernelHeight() * conv.kernelWidth();
                int group = conv.out() / conv.groups();
                needed = clear(layer, needed, conv.in(), perGroup * taps, (o, k) -> o / group * perGroup + k / taps);
            } else if (layer instanceof Linear linear) {
                needed = clear(layer, needed, linear.in(), linear.in(), (_, k) -> k);
            } else {
                needed = Liveness.before(layer, shapes.get(i), needed);
            }
        }
    }

    private boolean[] clear(Layer layer, boolean[] needed, int inputs, int perRow, Source source) {
        FloatTensor weight = weight(layer);
        FloatTensor bias = bias(layer);
        boolean[] read = new boolean[inputs];
        for (int o = 0; o < needed.length; o++) {
            if (!needed[o] && bias != null && bias.get(o) != 0) {
                bias.set(o, 0);
                biases++;
            }
            for (int k = 0; k < perRow; k++) {
                long at = (long) o * perRow + k;
                if (weight.get(at) != 0) {
                    if (needed[o]) {
                        read[source.of(o, k)] = true;
                    } else {
                        weight.set(at, 0);
                        weights++;
                    }
                }
            }
        }
        return read;
    }
}
