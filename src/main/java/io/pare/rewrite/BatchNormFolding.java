package io.pare.rewrite;

import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Flow;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.Conv2d;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Takes normalisations by running statistics into the convolutions and linear layers before them: each filter or row is
 * scaled, and the rest becomes its bias (Jacob et al., 1712.05877, section 3.2). Outputs stay the same but for rounding.
 *
 * <p>Zeros stay zeros. Filters of few distinct values stay as they are, and so do the normalisations behind them: scaled
 * by channel they would be many values, and the codebook worth nothing.
 */
public final class BatchNormFolding {
    private final Net net;
    private final Map<String, CompressedTensor> tensors;

    private BatchNormFolding(CompressedWeights weights) {
        this.net = weights.model();
        this.tensors = new HashMap<>(weights.tensors());
    }

    /**
     * {@return the same network with fewer layers; the given weights if there is nothing to fold}
     *
     * @param weights of the network; left as they are
     */
    public static CompressedWeights fold(CompressedWeights weights) {
        return new BatchNormFolding(weights).run(weights);
    }

    private CompressedWeights run(CompressedWeights weights) {
        List<List<Integer>> readers = net.readers();
        Set<Node> biased = new HashSet<>();
        Set<Node> folded = new HashSet<>();
        for (Node node : net.layers()) {
            List<Integer> places = readers.get(node.place());
            if (net.flow(node) instanceof Flow.Mix && places.size() == 1
                    && net.node(places.getFirst()).op() instanceof BatchNorm norm
                    && !tensors.get(node.weight().name()).isCoded()) {
                fold(node, net.node(places.getFirst()), norm);
                biased.add(node);
                folded.add(net.node(places.getFirst()));
            }
        }
        return folded.isEmpty()
                ? weights
                : new CompressedWeights(net.with(node -> folded.contains(node)
                        ? Optional.empty()
                        : Optional.of(biased.contains(node) && node.op() instanceof Conv2d conv
                                ? conv.biased()
                                : node.op())),
                        tensors, weights.scale());
    }

    /** Changes the tensors of a node. */
    private void fold(Node node, Node behind, BatchNorm norm) {
        float[] scale = tensors.remove(behind.name() + ".weight").toArray();
        float[] shift = tensors.remove(behind.name() + ".bias").toArray();
        float[] mean = tensors.remove(behind.name() + ".running_mean").toArray();
        float[] variance = tensors.remove(behind.name() + ".running_var").toArray();
        CompressedTensor before = tensors.get(node.name() + ".weight");
        float[] weight = before.toArray();
        CompressedTensor given = tensors.get(node.name() + ".bias");
        float[] bias = given == null ? new float[norm.channels()] : given.toArray();
        int perUnit = weight.length / bias.length;
        for (int o = 0; o < bias.length; o++) {
            double factor = scale[o] / Math.sqrt(variance[o] + (double) norm.epsilon());
            for (int k = o * perUnit; k < (o + 1) * perUnit; k++) {
                weight[k] = (float) (weight[k] * factor);
            }
            bias[o] = (float) ((bias[o] - mean[o]) * factor + shift[o]);
        }
        tensors.put(node.name() + ".weight", CompressedTensor.of(weight, before.shape()));
        tensors.put(node.name() + ".bias", CompressedTensor.of(bias, bias.length));
    }
}
