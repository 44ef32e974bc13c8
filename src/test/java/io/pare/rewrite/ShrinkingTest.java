package io.pare.rewrite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.infer.ReferenceNet;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Groups;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op;
import io.pare.net.Pairwise;
import io.pare.net.Parameter;
import io.pare.net.Pointwise;
import io.pare.net.PrunedNets;
import io.pare.net.RandomNets;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ShrinkingTest {
    private int removed;

    @Test
    void outputsStayWhereGroupsOfRandomNetworksGo() {
        check(0, 40);
    }

    @Test
    @Tag("long")
    void outputsStayWhereGroupsOfFiveHundredRandomNetworksGo() {
        check(0, 500);
    }

    private void check(int first, int last) {
        for (int seed = first; seed < last; seed++) {
            for (LongFunction<CompressedWeights> kind : List.<LongFunction<CompressedWeights>>of(RandomNets::of,
                    RandomNets::graph)) {
                CompressedWeights weights = kind.apply(seed);
                try {
                    removed += check(without(weights, seed, 0.4), seed);
                } catch (RuntimeException | AssertionError e) {
                    throw new AssertionError(weights.model().name() + ": " + e, e);
                }
            }
        }
        assertTrue(removed > 3 * (last - first), removed + " groups");
    }

    /** The same weights, with all slices of some groups zero. */
    private static CompressedWeights without(CompressedWeights weights, long seed, double share) {
        Groups groups = Groups.of(weights.model());
        Random random = new Random(seed);
        boolean[] gone = new boolean[groups.count()];
        for (int i = 0; i < gone.length; i++) {
            gone[i] = random.nextDouble() < share;
        }
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>(weights.tensors());
        for (Groups.Slices slices : groups.slices()) {
            if (slices.kind() == Parameter.Kind.WEIGHT) {
                CompressedTensor tensor = tensors.get(slices.tensor());
                float[] values = tensor.toArray();
                long[] shape = tensor.shape();
                int behind = 1;
                for (int d = slices.dimension() + 1; d < shape.length; d++) {
                    behind *= (int) shape[d];
                }
                List<Integer> axis = groups.axes().get(slices.axis());
                for (int i = 0; i < values.length; i++) {
                    int group = axis.get((int) (i / behind % shape[slices.dimension()]));
                    values[i] = group != Groups.NONE && gone[group] ? 0 : values[i];
                }
                tensors.put(slices.tensor(), CompressedTensor.of(values, shape));
            }
        }
        return new CompressedWeights(weights.model(), tensors, weights.scale());
    }

    /** Returns how many groups went. */
    private static int check(CompressedWeights masked, long seed) {
        Shrinking.Result result = Shrinking.shrink(masked);
        CompressedWeights small = result.weights();
        boolean[] all = new boolean[result.kept().length];
        Arrays.fill(all, true);
        assertEquals(masked.model().multiplyAdds(), result.groups().multiplyAdds(all));
        assertEquals(small.model().multiplyAdds(), result.groups().multiplyAdds(result.kept()));
        Random random = new Random(seed);
        for (int i = 0; i < 2; i++) {
            float[] input = new float[masked.model().input().features()];
            for (int k = 0; k < input.length; k++) {
                // Numbers of words where the first layer looks up rows.
                input[k] = masked.model().node(1).op() instanceof TensorOp.Embedding ? random.nextInt(50)
                        : (float) random.nextGaussian();
            }
            double[] expected = new ReferenceNet(masked).logits(input);
            double[] actual = new ReferenceNet(small).logits(input);
            double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
            assertArrayEquals(expected, actual, 1e-10 * largest + 1e-12, masked.model().name());
        }
        // What went whole before goes channel by channel in a convolution of which one group is left.
        boolean whole = masked.model().nodes().stream().anyMatch(node -> node.op() instanceof Op.Conv2d conv
                && conv.groups() > 1 || node.op() instanceof TensorOp.ConvTranspose
                || node.op() instanceof TensorOp.GroupNorm);
        assertTrue(whole || Shrinking.shrink(small).removed() == 0, "nothing is left to go");
        return result.removed();
    }

    @Test
    void aResidualLosesItsChannelsInAllArms() {
        Net net = Models.byName("resnet20", Shape.of(3, 8, 8), 10);
        CompressedWeights weights = without(PrunedNets.of(net, Map.of(), 0, 1, 1), 5, 0.4);
        Shrinking.Result result = Shrinking.shrink(weights);
        assertTrue(result.removed() > 100, result.removed() + " groups");
        assertTrue(result.weights().model().multiplyAdds() < 0.5 * net.multiplyAdds());
        check(weights, 1);
        assertEquals(Map.of("linear", "linear"), result.groups().held());
    }

    @Test
    void aNetworkOfShuffledBranchesShrinks() {
        shrinks("shufflenet-v2", Shape.of(1, 32, 32));
    }

    @Test
    @Tag("long")
    void networksThatHaveNamesShrink() {
        shrinks("mobilenet-v2", Shape.of(3, 32, 32));
        shrinks("squeezenet1-1", Shape.of(3, 64, 64));
        shrinks("densenet121", Shape.of(3, 32, 32));
        shrinks("efficientnet-b0", Shape.of(3, 32, 32));
        shrinks("inception-v3", Shape.of(3, 75, 75));
        shrinks("unet", Shape.of(1, 16, 16));
        shrinks("vit-tiny", Shape.of(3, 32, 32));
        shrinks("bert-mini", Shape.of(4));
        shrinks("lstm-tagger", Shape.of(5));
    }

    private static void shrinks(String name, Shape input) {
        Net net = Models.byName(name, input, 3);
        Groups groups = Groups.of(net);
        int gone = check(without(PrunedNets.of(net, Map.of(), 0, 1, 1), 1, 0.3), 1);
        assertTrue(gone > 0.2 * groups.count() && gone < 0.4 * groups.count(), name + ": " + gone + " of "
                + groups.count());
    }

    @Test
    void whatNormalisationOverChannelsBlendsIsHeldByName() {
        Groups groups = Groups.of(Models.byName("alexnet"));
        assertEquals("norm1", groups.held().get("conv1"));
        // The two towers go as wholes, from the third convolution on.
        assertEquals(4096 + 4096 + 2, groups.count());
    }

    @Test
    void headsGoWithTheirProjectionsAndHiddenUnitsByThemselves() {
        Net net = transformer();
        Groups groups = Groups.of(net);
        assertEquals(3 + 7, groups.count(), "three heads and seven hidden units");
        assertEquals(List.of("ln1", "ln1"), List.of(groups.held().get("in"), groups.held().get("out")));
        for (int seed = 0; seed < 5; seed++) {
            check(without(PrunedNets.of(net, Map.of(), 0, 1, seed), seed, 0.4), seed);
        }
    }

    private static Net transformer() {
        NetBuilder net = new NetBuilder("transformer", Shape.of(5, 4)).add("in", new TensorOp.Projection(4, 6, true));
        int stream = net.at();
        int normal = net.add("ln1", new TensorOp.LayerNorm(List.of(6), 1e-5f)).at();
        List<Integer> parts = new ArrayList<>();
        for (String part : List.of("q", "k", "v")) {
            net.from(normal).add(part, new TensorOp.Projection(6, 6, true))
                    .add(part + "heads", new TensorOp.Reshape(Shape.of(5, 3, 2)));
            parts.add(net.at());
        }
        net.add("attention", new TensorOp.Attention(0.7f, false, true), parts)
                .add("joined", new TensorOp.Reshape(Shape.of(5, 6))).add("out", new TensorOp.Projection(6, 6, true));
        int sum = net.add("sum", new Op.Add(), List.of(stream, net.at())).at();
        net.add("ln2", new TensorOp.LayerNorm(List.of(6), 1e-5f)).add("up", new TensorOp.Projection(6, 7, true))
                .add("gelu", TensorOp.Map.of(Pointwise.GELU)).add("down", new TensorOp.Projection(7, 6, false));
        return net.add("sum2", new Op.Add(), List.of(sum, net.at())).flatten("flatten").linear("fc", 3).build();
    }

    @Test
    void hiddenUnitsOfARecurrentLayerGo() {
        for (TensorOp.Cell cell : TensorOp.Cell.values()) {
            NetBuilder net = new NetBuilder("tagger", Shape.of(4, 3)).add("in", new TensorOp.Projection(3, 4, true))
                    .add("rnn", new TensorOp.Recurrent(cell, 4, 6, TensorOp.Direction.FORWARD, true));
            int rows = net.shape().sizes().get(1);
            net.add("steps", new TensorOp.Slice(List.of(0, 0, 0), List.of(1, 1, 1), Shape.of(1, 4, 6)))
                    .add("flat", new TensorOp.Reshape(Shape.of(4, 6))).add("tag", new TensorOp.Projection(6, 3, true));
            assertTrue(rows >= 4);
            Net built = net.build();
            assertEquals(4 + 6, Groups.of(built).count());
            for (int seed = 0; seed < 5; seed++) {
                check(without(PrunedNets.of(built, Map.of(), 0, 1, seed), seed, 0.5), seed);
            }
        }
    }

    /** Depthwise convolutions, gates by channel, channels shuffled, put together, and sampled up again. */
    @Test
    void depthwiseConvolutionsGatesShufflesAndSkipsFollow() {
        NetBuilder net = new NetBuilder("mobile", Shape.of(2, 6, 6)).conv("stem", 6, 3, 1, 1, false).norm("bn0")
                .relu("relu0");
        int stem = net.at();
        net.conv("expand", 12, 1, 1, 0, false).norm("bn1").add("act", TensorOp.Map.of(Pointwise.SWISH))
                .groupedConv("depth", 12, 3, 1, 12).norm("bn2");
        int wide = net.at();
        net.globalAvgPool("squeeze").conv("reduce", 3, 1, 1, 0, true).relu("relu1").conv("excite", 12, 1, 1, 0, true)
                .sigmoid("gate");
        net.add("scaled", new TensorOp.Zip(Pairwise.MULTIPLY), List.of(wide, net.at()))
                .conv("narrow", 6, 1, 1, 0, false).norm("bn3");
        int sum = net.add("sum", new Op.Add(), List.of(stem, net.at())).at();
        List<Integer> shuffled = IntStream.range(0, 6).map(i -> i % 2 * 3 + i / 2).boxed().toList();
        net.add("shuffle", new TensorOp.Take(0, shuffled))
                .add("half", new TensorOp.Slice(List.of(0, 0, 0), List.of(1, 1, 1), Shape.of(3, 6, 6)))
                .add("down", new Op.Conv2d(3, 4, Window.square(2, 2, 0), 1, true)).relu("relu2")
                .add("up", new TensorOp.ConvTranspose(4, 5, Window.square(2, 2, 0), 1, 0, 0, true));
        net.concat("skip", List.of(sum, net.at())).conv("last", 4, 3, 1, 1, true).flatten("flatten").linear("fc", 3);
        Net built = net.build();
        assertEquals(Map.of("fc", "fc"), Groups.of(built).held());
        // What is summed with the stem is one group with it; the expanded channels are one with their gates.
        assertEquals(6 + 12 + 3 + 4 + 5 + 4, Groups.of(built).count());
        int gone = 0;
        for (int seed = 0; seed < 5; seed++) {
            gone += check(without(PrunedNets.of(built, Map.of(), 0, 1, seed), seed, 0.4), seed);
        }
        assertTrue(gone > 30, gone + " groups");
    }

    @Test
    void whatIsReadStaysAndALayerKeepsOneUnit() {
        CompressedWeights whole = PrunedNets.of(Models.lenet300(), Map.of(), 0, 0, 1);
        assertSame(whole, Shrinking.shrink(whole).weights());
        Net net = new NetBuilder("small", Shape.of(3)).linear("a", 4).relu("r").linear("b", 2).build();
        CompressedWeights dead = new CompressedWeights(net, Map.of("a.weight", CompressedTensor.of(new float[12], 4, 3),
                "a.bias", CompressedTensor.of(new float[4], 4), "b.weight", CompressedTensor.of(new float[8], 2, 4),
                "b.bias", CompressedTensor.of(new float[]{1, 2}, 2)), InputScale.MNIST);
        CompressedWeights small = Shrinking.shrink(dead).weights();
        assertEquals(new Op.Linear(3, 1), small.model().node(1).op());
        assertArrayEquals(new double[]{1, 2}, new ReferenceNet(small).logits(new float[3]));
    }
}
