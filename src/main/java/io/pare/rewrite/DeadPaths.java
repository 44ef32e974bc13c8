package io.pare.rewrite;

import io.pare.mem.FloatTensor;
import io.pare.net.Flow;
import io.pare.net.Liveness;
import io.pare.net.Net;
import io.pare.net.Node;
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

    private final Net model;
    private final Map<String, FloatTensor> parameters;
    private int weights;
    private int biases;
    private int folded;

    private DeadPaths(Net model, Map<String, FloatTensor> parameters) {
        this.model = model;
        this.parameters = parameters;
    }

    /**
     * Changes the parameters in place, as often as that lets more be removed.
     *
     * @param model layers of the network
     * @param parameters by name, changed in place
     * @return what became zero
     */
    public static Removed remove(Net model, Map<String, FloatTensor> parameters) {
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
     * Moves biases into those of the next layer, in place, where nothing but pooling lies between: shifting all
     * inputs of such a layer shifts its outputs by a constant.
     *
     * @param model layers of the network
     * @param parameters by name, changed in place
     * @return how many biases became zero
     */
    public static int foldBiases(Net model, Map<String, FloatTensor> parameters) {
        return foldBiases(model, parameters, Map.of());
    }

    /**
     * As {@link #foldBiases(Net, Map)}, but of the layers named, biases stay as rounded, and only the rest moves.
     *
     * @param model layers of the network
     * @param parameters by name, changed in place
     * @param kept how biases of layers are rounded, by layer
     * @return how many biases became zero
     */
    public static int foldBiases(Net model, Map<String, FloatTensor> parameters, Map<String, ValueForm> kept) {
        DeadPaths paths = new DeadPaths(model, parameters);
        Node last = null;
        for (Node node : model.trunk()) {
            if (isBiased(model, node)) {
                if (last != null && moves(model, node)) {
                    paths.shift(last, node, kept.getOrDefault(last.name(), ValueForm.NONE));
                }
                last = node;
            } else if (!shifts(model, node)) {
                last = null;
            }
        }
        return paths.biases;
    }

    /** Whether a node sums over units and adds a bias. */
    private static boolean isBiased(Net model, Node node) {
        return model.flow(node) instanceof Flow.Mix && node.parameters().size() > 1;
    }

    /** Whether biases of what a node reads may move into its own: zeros around its input have none. */
    private static boolean moves(Net model, Node node) {
        return model.flow(node) instanceof Flow.Mix mix && !mix.pads();
    }

    /** Whether a constant that is added to a unit comes out of the node as it went in, on the same unit. */
    private static boolean shifts(Net model, Node node) {
        return model.flow(node) instanceof Flow.Keep keep && keep.shiftPasses();
    }

    private void shift(Node from, Node to, ValueForm form) {
        FloatTensor own = bias(from);
        float[] shifts = own.toArray();
        form.round(own);
        for (int i = 0; i < shifts.length; i++) {
            biases += shifts[i] != 0 && own.get(i) == 0 ? 1 : 0;
            shifts[i] -= own.get(i);
        }
        Flow.Mix mix = mix(to);
        float[] spread = spread(shifts, mix.in());
        FloatTensor weight = weight(to);
        FloatTensor bias = bias(to);
        for (int o = 0; o < bias.count(); o++) {
            double sum = bias.get(o);
            for (int k = 0; k < mix.perRow(); k++) {
                sum += (double) weight.get((long) o * mix.perRow() + k) * spread[mix.source(o, k)];
            }
            bias.set(o, (float) sum);
        }
    }

    private Flow.Mix mix(Node node) {
        return (Flow.Mix) model.flow(node);
    }

    /**
     * Names of the layers whose biases could move into those of a layer whose biases cannot.
     *
     * @param model layers of the network
     * @return names of layers
     */
    public static List<String> foldable(Net model) {
        List<String> names = new ArrayList<>();
        Node last = null;
        boolean lastMoves = false;
        for (Node node : model.trunk()) {
            if (isBiased(model, node)) {
                boolean moves = last != null && moves(model, node);
                if (moves) {
                    if (lastMoves) {
                        names.removeLast();
                    }
                    names.add(last.name());
                }
                lastMoves = moves;
                last = node;
            } else if (!shifts(model, node)) {
                last = null;
                lastMoves = false;
            }
        }
        return names;
    }

    private FloatTensor weight(Node node) {
        return parameters.get(node.weight().name());
    }

    /** The bias of a node that mixes units; {@code null} for none. */
    private FloatTensor bias(Node node) {
        return node.parameters().size() > 1 ? parameters.get(node.parameters().get(1).name()) : null;
    }

    /** Follows constants from node to node of the trunk: NaN stands for what is not constant. */
    private void forward() {
        Node before = null;
        float[] constants = {};
        for (Node node : model.trunk()) {
            int units = node.output().channels();
            boolean follows = before != null && node.inputs().equals(List.of(before.place()));
            constants = !follows ? unknown(units) : switch (model.flow(node)) {
                case Flow.Mix mix -> fold(node, spread(constants, mix.in()), mix);
                case Flow.Keep _ -> {
                    float[] kept = spread(constants, units).clone();
                    for (int u = 0; u < units; u++) {
                        kept[u] = node.op().ofConstant(kept[u]);
                    }
                    yield kept;
                }
                case Flow.Place(List<Integer> starts) -> {
                    float[] placed = new float[units];
                    System.arraycopy(constants, 0, placed, starts.getFirst(), constants.length);
                    yield placed;
                }
                case Flow.Same _,Flow.Blend _ -> unknown(units);
            };
            before = node;
        }
    }

    private static float[] unknown(int units) {
        float[] unknown = new float[units];
        Arrays.fill(unknown, Float.NaN);
        return unknown;
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

    private float[] fold(Node node, float[] inputs, Flow.Mix mix) {
        FloatTensor weight = weight(node);
        FloatTensor bias = bias(node);
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
            for (int k = 0; k < mix.perRow(); k++) {
                long at = (long) o * mix.perRow() + k;
                float value = weight.get(at);
                if (value != 0) {
                    float input = inputs[mix.source(o, k)];
                    if (Float.isNaN(input) || mix.pads() && input != 0) {
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
        boolean[] needed = null;
        Node reader = null;
        for (Node node : model.trunk().reversed()) {
            boolean follows = reader != null && reader.inputs().equals(List.of(node.place()));
            int units = node.output().channels();
            boolean[] used = follows ? Liveness.perUnit(needed, units) : new boolean[units];
            if (!follows) {
                Arrays.fill(used, true);
            }
            if (!node.inputs().isEmpty()) {
                needed = model.flow(node) instanceof Flow.Mix mix
                        ? clear(node, used, mix)
                        : Liveness.before(model, node, 0, used);
            }
            reader = node;
        }
    }

    private boolean[] clear(Node node, boolean[] needed, Flow.Mix mix) {
        FloatTensor weight = weight(node);
        FloatTensor bias = bias(node);
        boolean[] read = new boolean[mix.in()];
        for (int o = 0; o < needed.length; o++) {
            if (!needed[o] && bias != null && bias.get(o) != 0) {
                bias.set(o, 0);
                biases++;
            }
            for (int k = 0; k < mix.perRow(); k++) {
                long at = (long) o * mix.perRow() + k;
                if (weight.get(at) != 0) {
                    if (needed[o]) {
                        read[mix.source(o, k)] = true;
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
