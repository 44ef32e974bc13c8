package io.pare.rewrite;

import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Layer;
import io.pare.net.Layer.BatchNorm;
import io.pare.net.Layer.Conv2d;
import io.pare.net.Layer.Linear;
import io.pare.net.Layer.Residual;
import io.pare.net.Model;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes normalisations by running statistics into the convolutions and linear layers before them: each filter or row is
 * scaled, and the rest becomes its bias (Jacob et al., 1712.05877, section 3.2). Outputs stay the same but for rounding.
 *
 * <p>Zeros stay zeros. Filters of few distinct values stay as they are, and so do the normalisations behind them: scaled
 * by channel they would be many values, and the codebook worth nothing.
 */
public final class BatchNormFolding {
    private final CompressedWeights weights;
    private final Map<String, CompressedTensor> tensors;

    private BatchNormFolding(CompressedWeights weights) {
        this.weights = weights;
        this.tensors = new HashMap<>(weights.tensors());
    }

    /** The same network with fewer layers; the given weights if there is nothing to fold. */
    public static CompressedWeights fold(CompressedWeights weights) {
        BatchNormFolding folding = new BatchNormFolding(weights);
        Model model = weights.model();
        List<Layer> layers = folding.fold(model.layers());
        return layers.equals(model.layers())
                ? weights
                : new CompressedWeights(new Model(model.name(), model.input(), model.classes(), layers),
                        folding.tensors, weights.scale());
    }

    private List<Layer> fold(List<Layer> layers) {
        List<Layer> folded = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            if (i + 1 < layers.size() && layers.get(i + 1) instanceof BatchNorm norm
                    && (layer instanceof Conv2d || layer instanceof Linear)
                    && !weights.tensor(layer.name() + ".weight").isCoded()) {
                folded.add(fold(layer, norm));
                i++;
            } else if (layer instanceof Residual residual) {
                folded.add(new Residual(residual.name(), fold(residual.body()), fold(residual.shortcut())));
            } else {
                folded.add(layer);
            }
        }
        return folded;
    }

    /** Changes the tensors of a layer; returns the layer, with a bias. */
    private Layer fold(Layer layer, BatchNorm norm) {
        float[] scale = tensors.remove(norm.name() + ".weight").toArray();
        float[] shift = tensors.remove(norm.name() + ".bias").toArray();
        float[] mean = tensors.remove(norm.name() + ".running_mean").toArray();
        float[] variance = tensors.remove(norm.name() + ".running_var").toArray();
        CompressedTensor before = tensors.get(layer.name() + ".weight");
        float[] weight = before.toArray();
        CompressedTensor given = tensors.get(layer.name() + ".bias");
        float[] bias = given == null ? new float[norm.channels()] : given.toArray();
        int perUnit = weight.length / bias.length;
        for (int o = 0; o < bias.length; o++) {
            double factor = scale[o] / Math.sqrt(variance[o] + (double) norm.epsilon());
            for (int k = o * perUnit; k < (o + 1) * perUnit; k++) {
                weight[k] = (float) (weight[k] * factor);
            }
            bias[o] = (float) ((bias[o] - mean[o]) * factor + shift[o]);
        }
        tensors.put(layer.name() + ".weight", CompressedTensor.of(weight, before.shape()));
        tensors.put(layer.name() + ".bias", CompressedTensor.of(bias, bias.length));
        return layer instanceof Conv2d conv
                ? new Conv2d(conv.name(), conv.in(), conv.out(), conv.kernelHeight(), conv.kernelWidth(),
                        conv.stride(), conv.padding(), conv.dilation(), conv.groups(), true)
                : layer;
    }
}
