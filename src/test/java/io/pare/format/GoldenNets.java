package io.pare.format;

import io.pare.mem.Region;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.ResponseNorm;
import io.pare.net.Op.Subsample;
import io.pare.net.Pairwise;
import io.pare.net.Parameter;
import io.pare.net.Pointwise;
import io.pare.net.PrunedNets;
import io.pare.net.Reduction;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
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
    static final Net KINDS =
            new NetBuilder("kinds", Shape.of(3, 12, 10)).add("conv1", new Conv2d(3, 6, Window.square(3, 1, 1), 3, true))
                    .relu("relu1")
                    .add("norm1", new ResponseNorm(3, 0.3f, 0.75f, 1.5f)).maxPool("pool1", 3, 2, 1)
                    .add("conv2", new Conv2d(6, 8, Window.uniform(3, 2, 1, 1, 1), 2, true)).dropout("drop1", 0.25f)
                    .residual("block1",
                            body -> body.conv("conv3", 12, 3, 2, 1, false).norm("bn3").relu("relu3")
                                    .conv("conv4", 12, 3, 1, 1, false).norm("bn4"),
                            shortcut -> shortcut.add("subsample1", new Subsample(12, 2)))
                    .relu("relu4")
                    .residual("block2",
                            body -> body.conv("conv5", 10, 1, 1, 0, true).add("bn5", new BatchNorm(10, 1e-3f)),
                            shortcut -> shortcut.conv("conv6", 10, 1, 1, 0, false).norm("bn6"))
                    .add("mean1", AvgPool.of(2, 1, 1))
                    .add("conv7", new Conv2d(10, 6, Window.uniform(2, 2, 1, 0, 2), 1, false))
                    .norm("bn7").flatten("flatten").linear("fc1", 9).relu("relu5").dropout("drop2", 0.5f)
                    .linear("fc2", 5).dropout("drop3", 0.125f).build();

    /** Every operator on tensors, in one row but for a few that take several values. */
    static final Net TENSORS = tensors();

    private GoldenNets() {}

    private static Net tensors() {
        NetBuilder net = new NetBuilder("tensors", Shape.of(4, 6));
        net.add("projection1", new TensorOp.Projection(6, 8, true)).add("layernorm1",
                new TensorOp.LayerNorm(List.of(8), 1e-5f));
        int tokens = net.at();
        net.add("transpose1", new TensorOp.Transpose(List.of(1, 0)));
        net.add("matmul1", new TensorOp.MatMul(), List.of(tokens, net.at()))
                .add("softmax1", new TensorOp.Softmax(1, false));
        net.add("mixed", new TensorOp.MatMul(), List.of(net.at(), tokens)).add("map1", TensorOp.Map.of(Pointwise.GELU));
        net.add("zip1", new TensorOp.Zip(Pairwise.ADD), List.of(net.at(), tokens));
        int sum = net.at();
        int indices = net.add("constant1", new TensorOp.Constant(Shape.of(3)), List.of()).at();
        net.add("gather1", new TensorOp.Gather(0), List.of(sum, indices));
        int gathered = net.at();
        net.from(indices).add("embedding1", new TensorOp.Embedding(5, 8));
        net.add("join1", new TensorOp.Join(2, 0), List.of(gathered, net.at()))
                .add("slice1", new TensorOp.Slice(List.of(5, 0), List.of(-2, 1), Shape.of(3, 8)))
                .add("pad1", new TensorOp.Pad(List.of(0, 1), List.of(1, 0), TensorOp.Border.EDGE, 0))
                .add("take1", new TensorOp.Take(1, List.of(8, 0, 3, 3)))
                .add("reshape1", new TensorOp.Reshape(Shape.of(4, 2, 2)))
                .add("groupnorm1", new TensorOp.GroupNorm(4, 2, 1e-3f))
                .add("prelu1", new TensorOp.PRelu(Shape.of(4, 1, 1)));
        int image = net.at();
        net.add("reduce1", new TensorOp.Reduce(Reduction.MAX, List.of(1, 2), true))
                .add("expand1", new TensorOp.Expand(Shape.of(4, 2, 2)));
        int most = net.at();
        net.from(image).add("own", new TensorOp.Map(Pointwise.CLIP, 0, 1));
        return net.add("choose1", new TensorOp.Choose(), List.of(net.at(), image, most)).linear("fc1", 3).build();
    }

    /** All weights kept, each a float of its own. */
    static CompressedWeights dense(Net model, long seed) {
        return of(model, seed, 1, ValueForm.F32);
    }

    /**
     * The largest weights of each tensor kept. Rows and channels are of unequal strength, so that some end up empty.
     *
     * @param kept share of each tensor's weights
     * @param form of weights
     */
    static CompressedWeights of(Net model, long seed, double kept, ValueForm form) {
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
    static CompressedWeights hollow(Net model, long seed) {
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
            case BIAS, MEAN, CONSTANT -> -0.25f;
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
