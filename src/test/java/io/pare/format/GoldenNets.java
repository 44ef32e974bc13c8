package io.pare.format;

import io.pare.mem.Region;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.ImageShape;
import io.pare.net.InputScale;
import io.pare.net.Layer.AvgPool;
import io.pare.net.Layer.BatchNorm;
import io.pare.net.Layer.Conv2d;
import io.pare.net.Layer.Dropout;
import io.pare.net.Layer.Flatten;
import io.pare.net.Layer.Linear;
import io.pare.net.Layer.MaxPool;
import io.pare.net.Layer.Relu;
import io.pare.net.Layer.Residual;
import io.pare.net.Layer.ResponseNorm;
import io.pare.net.Layer.Subsample;
import io.pare.net.Model;
import io.pare.net.Parameter;
import io.pare.net.PrunedNets;
import io.pare.rewrite.ValueForm;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Networks with weights that are the same on every machine and JDK: {@link Random} is specified to the bit, and all else
 * is +, -, *, / and square roots.
 */
final class GoldenNets {
    /** Almost every kind of layer: {@link PrunedNets#RESIDUAL} has the mean over a plane and a block inside a block. */
    static final Model KINDS = new Model("kinds", new ImageShape(3, 12, 10), 5, List.of(
            new Conv2d("conv1", 3, 6, 3, 3, 1, 1, 1, 3), new Relu("relu1"),
            new ResponseNorm("norm1", 3, 0.3f, 0.75f, 1.5f), new MaxPool("pool1", 3, 2, 1),
            new Conv2d("conv2", 6, 8, 3, 2, 1, 1, 1, 2), new Dropout("drop1", 0.25f),
            new Residual("block1", List.of(Conv2d.of("conv3", 8, 12, 3, 2, 1, false), BatchNorm.of("bn3", 12),
                    new Relu("relu3"), Conv2d.of("conv4", 12, 12, 3, 1, 1, false), BatchNorm.of("bn4", 12)),
                    List.of(new Subsample("subsample1", 12, 2))),
            new Relu("relu4"),
            new Residual("block2", List.of(Conv2d.of("conv5", 12, 10, 1, 1, 0, true), new BatchNorm("bn5", 10, 1e-3f)),
                    List.of(Conv2d.of("conv6", 12, 10, 1, 1, 0, false), BatchNorm.of("bn6", 10))),
            new AvgPool("mean1", 2, 1, 1), new Conv2d("conv7", 10, 6, 2, 2, 1, 0, 2, 1, false), BatchNorm.of("bn7", 6),
            new Flatten("flatten"), new Linear("fc1", 24, 9), new Relu("relu5"), new Dropout("drop2", 0.5f),
            new Linear("fc2", 9, 5), new Dropout("drop3", 0.125f)));

    private GoldenNets() {}

    /** All weights kept, each a float of its own. */
    static CompressedWeights dense(Model model, long seed) {
        return of(model, seed, 1, ValueForm.F32);
    }

    /**
     * The largest weights of each tensor kept. Rows and channels are of unequal strength, so that some end up empty.
     *
     * @param kept share of each tensor's weights
     * @param form of weights
     */
    static CompressedWeights of(Model model, long seed, double kept, ValueForm form) {
        Random random = new Random(seed);
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        try (Region region = Region.confined("golden")) {
            for (Parameter parameter : model.parameters()) {
                float[] values = values(parameter, random);
                if (parameter.weight() && kept < 1) {
                    prune(values, parameter.shape(), (int) Math.ceil(kept * values.length), random);
                }
                var tensor = region.tensor(parameter.shape()).copyFrom(values);
                if (parameter.weight()) {
                    form.round(tensor);
                }
                tensors.put(parameter.name(), CompressedTensor.of(tensor));
            }
        }
        return new CompressedWeights(model, tensors, InputScale.usual(model.input()));
    }

    /** All weights zero, and no memory for them; the other parameters as in {@link #dense}. */
    static CompressedWeights hollow(Model model, long seed) {
        Random random = new Random(seed);
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : model.parameters()) {
            tensors.put(parameter.name(), parameter.weight()
                    ? CompressedTensor.of(parameter.shape(), new int[0], new float[0])
                    : CompressedTensor.of(values(parameter, random), parameter.shape()));
        }
        return new CompressedWeights(model, tensors, InputScale.UNIT);
    }

    private static float[] values(Parameter parameter, Random random) {
        float spread = parameter.weight() ? (float) (2 / Math.sqrt(parameter.fanIn())) : 0.5f;
        float least = switch (parameter.kind()) {
            case WEIGHT -> -spread / 2;
            case BIAS, MEAN -> -0.25f;
            case SCALE, VARIANCE -> 0.75f;
        };
        float[] values = new float[(int) parameter.count()];
        for (int i = 0; i < values.length; i++) {
            values[i] = least + spread * random.nextFloat();
        }
        return values;
    }

    private static void prune(float[] values, long[] shape, int keep, Random random) {
        int perRow = values.length / (int) shape[0];
        int taps = perRow / (int) shape[1];
        float[] rows = strengths((int) shape[0], random);
        float[] channels = strengths((int) shape[1], random);
        float[] sizes = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            sizes[i] = Math.abs(values[i]) * rows[i / perRow] * channels[i % perRow / taps];
        }
        float[] sorted = sizes.clone();
        Arrays.sort(sorted);
        float least = sorted[sorted.length - keep];
        for (int i = 0; i < values.length; i++) {
            values[i] = sizes[i] >= least ? values[i] : 0;
        }
    }

    /** 1, 1/2, 1/4 or 1/8 each. */
    private static float[] strengths(int count, Random random) {
        float[] strengths = new float[count];
        for (int i = 0; i < count; i++) {
            strengths[i] = 1f / (1 << random.nextInt(4));
        }
        return strengths;
    }

    /** Inputs of one image from pixels that follow from their places alone. */
    static float[] image(CompressedWeights weights) {
        int[] pixels = new int[weights.model().input().features()];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (int) ((i + 1) * 2_654_435_761L >>> 24) & 255;
        }
        return weights.scale().apply(pixels);
    }
}
