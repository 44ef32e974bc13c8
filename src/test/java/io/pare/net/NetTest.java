package io.pare.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.net.Op.AvgPool;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.Linear;
import io.pare.net.Op.MaxPool;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NetTest {
    @Test
    void lenet5HasThePublishedCounts() {
        Net model = Models.lenet5();
        assertEquals(430_500, model.weightCount());
        assertEquals(431_080, model.parameters().stream().mapToLong(Parameter::count).sum());
    }

    @Test
    void lenet5WithReluHasTheWeightsOfCaffes() {
        Net model = Models.lenet5Relu();
        assertEquals(430_500, model.weightCount());
        assertEquals(Models.lenet5().parameters().stream().map(each -> each.name() + each.count()).toList(),
                model.parameters().stream().map(each -> each.name() + each.count()).toList());
        assertFalse(model.computesLike(Models.lenet5()));
        assertEquals(3, model.layers().stream().filter(layer -> layer.op() instanceof Op.Relu).count());
    }

    @Test
    void theTeacherOfMnistHasTheWeightsThatItsPageSays() {
        assertEquals(343_472, Models.byName("mnist-teacher").weightCount());
    }

    @Test
    void lenet300HasThePublishedCounts() {
        assertEquals(266_200, Models.lenet300().weightCount());
    }

    /** Counts of torchvision's models and of Caffe's AlexNet; multiply-adds as torchvision lists them, in units of 1e9. */
    @ParameterizedTest
    @CsvSource({"alexnet, 60965224, 0.72", "alexnet-torchvision, 61100840, 0.71", "vgg11, 132863336, 7.61",
        "vgg11-bn, 132868840, 7.61", "vgg16, 138357544, 15.47", "vgg16-bn, 138365992, 15.47",
        "resnet18, 11689512, 1.81", "resnet50, 25557032, 4.09", "resnet20, 269722, 0.04", "resnet32, 464154, 0.07",
        "vgg16-bn-cifar, 14728266, 0.31"})
    void networksHaveThePublishedCounts(String name, long trained, double billions) {
        Net model = Models.byName(name);
        assertEquals(name, model.name());
        assertEquals(trained, model.trainedCount());
        assertEquals(trained, model.layers().stream().mapToLong(Node::trainedCount).sum());
        assertEquals(billions, model.layers().stream().mapToLong(model::multiplyAdds).sum() / 1e9, 0.0051);
    }

    /**
     * Weights and biases, then multiply-adds in units of 1e9. Of torchvision's networks both are what its weights' pages list
     * ({@code num_params}, {@code _ops}); Inception-v3's without the 3,326,696 of the output that only training has. The two of
     * transformers are ViT-B/16 of torchvision and DeiT-Ti as timm counts it. BERT-Mini's are the 11,170,560 of
     * google/bert_uncased_L-4_H-256_A-4 and a classifier of 514. U-Net's are those of brain-segmentation-pytorch. Of networks with 10
     * classes in place of 1,000, the last layer has 1,281 for each. The tagger's follow from PyTorch's LSTM: 4 h (e + h)
     * + 8 h with h = 128 and e = 32, beside 64 rows of 32 and a last layer of 6 times 129. Where nobody publishes multiply-adds there is a 0.
     */
    @ParameterizedTest
    @CsvSource({"mobilenet-v2, 3504872, 0.301", "squeezenet1-1, 1235496, 0.349", "densenet121, 7978856, 2.834",
        "shufflenet-v2, 2278604, 0.145", "efficientnet-b0, 5288548, 0.386", "inception-v3, 23834568, 5.713",
        "vit-b-16, 86567656, 17.564", "vit-tiny, 5717416, 0", "bert-mini, 11171074, 0", "unet, 7763041, 0",
        "mobilenet-v2-cifar, 2236682, 0", "lstm-tagger, 85766, 0"})
    void modernNetworksHaveThePublishedCounts(String name, long trained, double billions) {
        Net model = Models.byName(name);
        assertEquals(trained, model.trainedCount());
        if (billions > 0) {
            assertEquals(billions, model.multiplyAdds() / 1e9, 0.0005001);
        }
    }

    @Test
    void layersOfModernNetworksBearTheNamesOfTorchvision() {
        for (String name : List.of(
                "mobilenet-v2: features.0.0.weight features.1.conv.0.0.weight features.1.conv.1.weight"
                        + " features.2.conv.1.1.running_var features.2.conv.3.bias features.18.1.weight classifier.1.bias",
                "squeezenet1-1: features.0.bias features.3.squeeze.weight features.12.expand3x3.bias classifier.1.weight",
                "densenet121: features.conv0.weight features.denseblock4.denselayer16.norm2.running_mean"
                        + " features.transition3.conv.weight features.norm5.bias classifier.weight",
                "shufflenet-v2: conv1.0.weight stage2.0.branch1.3.bias stage4.3.branch2.6.running_var conv5.1.weight"
                        + " fc.bias",
                "efficientnet-b0: features.0.0.weight features.1.0.block.1.fc1.weight features.2.0.block.2.fc2.bias"
                        + " features.7.0.block.3.1.weight features.8.1.running_mean classifier.1.weight",
                "inception-v3: Conv2d_1a_3x3.conv.weight Mixed_5b.branch5x5_2.bn.bias"
                        + " Mixed_6e.branch7x7dbl_5.conv.weight Mixed_7c.branch3x3dbl_3b.bn.running_var fc.bias")) {
            Set<String> names = Models.byName(name.substring(0, name.indexOf(':'))).parameters().stream()
                    .map(Parameter::name).collect(Collectors.toSet());
            for (String wanted : name.substring(name.indexOf(':') + 2).split(" ")) {
                assertTrue(names.contains(wanted), name + " has no " + wanted);
            }
        }
    }

    @Test
    void everyNameGivesItsModelAlsoForOtherImagesAndClasses() {
        for (String name : Models.names()) {
            Net usual = Models.byName(name);
            assertEquals(name, usual.name());
            if (!name.startsWith("lenet")) {
                Shape input = usual.input().rank() == 1 ? Shape.of(9) : Shape.of(1, 96, 128);
                Net model = Models.byName(name, input, 7);
                assertEquals(input, model.input());
                // A network that gives images has a channel for each class.
                assertEquals(7, model.givesVector() ? model.classes() : model.output().output().channels());
            }
        }
    }

    @Test
    void layersOfResNetBearTheNamesOfTorchvision() {
        List<String> names = Models.byName("resnet18").parameters().stream().map(Parameter::name).toList();
        assertTrue(names.containsAll(List.of("conv1.weight", "bn1.running_mean", "layer2.0.downsample.0.weight",
                "layer2.0.downsample.1.running_var", "layer4.1.bn2.bias", "fc.weight", "fc.bias")), names.toString());
        assertEquals(62 + 2 * 20, names.size());
    }

    @Test
    void aBranchLeadsPastWhatLetsNothingThrough() {
        Net net = new NetBuilder("sum", Shape.of(1, 8, 8))
                .residual("block", body -> body.conv("conv", 1, 3, 1, 1, true), shortcut -> {
                }).flatten("flatten").linear("fc", 3).build();
        assertTrue(net.leadsPast(node -> false));
        assertTrue(net.leadsPast(node -> node.name().equals("conv")));
        assertFalse(net.leadsPast(node -> node.name().equals("fc")));
    }

    @Test
    void networksThatComputeOtherwiseHaveOtherFingerprints() {
        NetBuilder relu = new NetBuilder("a", Shape.of(4)).linear("fc", 3).relu("relu");
        Net same = new NetBuilder("b", Shape.of(4)).linear("layer", 3).relu("r").build();
        Net other = new NetBuilder("a", Shape.of(4)).linear("fc", 3).add("relu", new Op.Sigmoid()).build();
        assertEquals(relu.build().fingerprint(), same.fingerprint());
        assertNotEquals(same.fingerprint(), other.fingerprint());
    }

    @Test
    void layersThatDoNotFitAreRefusedByName() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> new NetBuilder("odd", Shape.of(1, 8, 8)).conv("conv", 4, 5, 1, 0, true)
                        .add("fc", new Linear(63, 10)).build());
        assertTrue(e.getMessage().contains("fc") && e.getMessage().contains("64"), e.getMessage());
        assertThrows(IllegalArgumentException.class,
                () -> Conv2d.of(1, 4, 9).output(List.of(Shape.of(1, 8, 8))));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new NetBuilder("sum", Shape.of(1, 8, 8))
                .residual("block", body -> body.conv("conv", 4, 3, 1, 0, true), shortcut -> {
                })).getMessage().contains("block adds 4x6x6 and 1x8x8"));
        assertThrows(IllegalArgumentException.class, () -> new NetBuilder("twice", Shape.of(1, 8, 8))
                .residual("a", body -> body.relu("r"), shortcut -> shortcut.relu("r")).build());
    }

    @Test
    void whatDoesNotFitLeavesTheBuilderAsItWas() {
        NetBuilder builder = new NetBuilder("net", Shape.of(1, 8, 8)).conv("conv", 4, 3, 1, 1, true);
        Net before = builder.build();
        assertThrows(IllegalArgumentException.class, () -> builder.maxPool("pool", 9, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> builder.residual("block",
                body -> body.relu("relu").conv("wide", 8, 3, 1, 1, true), shortcut -> {
                }));
        assertEquals(before.output().place(), builder.at());
        assertEquals(before, builder.build());
    }

    @Test
    void anUnknownNameListsTheKnownOnes() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Models.byName("lenet6")).getMessage()
                .contains("lenet300"));
    }

    private static String refusal(Executable action) {
        return assertThrows(IllegalArgumentException.class, action).getMessage();
    }

    @Test
    void windowsKnowWhereTheyFit() {
        Window window = Window.of(3, 2).by(2, 3).padded(1, 0, 2, 4).dilated(2, 1);
        assertEquals(Shape.of(5, (6 + 1 + 2 - 5) / 2 + 1, (7 + 4 - 2) / 3 + 1), window.output(5, Shape.of(1, 6, 7)));
        assertTrue(window.fits(Shape.of(1, 2, 1)) && !window.fits(Shape.of(1, 1, 1)));
        assertTrue(Window.square(3, 2, 1).isUniform() && Window.uniform(3, 2, 2, 1, 2).isUniform());
        assertFalse(window.isUniform() || Window.square(3, 1, 0).padded(0, 0, 1, 0).isUniform());
        assertTrue(Window.of(2, 3).isPlain() && !Window.square(2, 1, 1).isPlain());
        assertTrue(refusal(() -> window.output(1, Shape.of(1, 1, 1)))
                .contains("does not fit into 1 with padding 1 and 2"));
        assertTrue(refusal(() -> Window.of(0, 1)).contains("a window of 0x1"));
        assertTrue(refusal(() -> Window.of(1 << 16, 1 << 16)).contains("a window of 65536x65536"));
        assertTrue(refusal(() -> window.by(0, 1)).contains("strides 0 and 1"));
        assertTrue(refusal(() -> window.padded(0, 0, 0, -1)).contains("-1 behind"));
    }

    @Test
    void poolsTakeSomePixelInEachPlace() {
        assertTrue(refusal(() -> MaxPool.of(2, 1, 2)).contains("pads by less than its window"));
        MaxPool apart = new MaxPool(Window.of(1, 2).padded(0, 1, 0, 1).dilated(1, 2));
        assertEquals(Shape.of(1, 1, 2), apart.output(List.of(Shape.of(1, 1, 2))));
        assertTrue(refusal(() -> apart.output(List.of(Shape.of(1, 1, 1)))).contains("all lie around an image of 1"));
    }

    @Test
    void onlyMeansThatCountPaddingChangeConstants() {
        Window padded = Window.of(2, 2).padded(0, 1, 1, 0);
        for (AvgPool mean : List.of(AvgPool.of(2, 2, 0), new AvgPool(padded, false),
                new AvgPool(padded.padded(0, 0, 1, 0), true, 1, 0))) {
            assertEquals(3, mean.ofConstant(3));
            assertEquals(new Flow.Keep(true), mean.flow(List.of()));
        }
        for (AvgPool mean : List.of(new AvgPool(padded, true), new AvgPool(padded, true, 1, 0))) {
            assertTrue(Float.isNaN(mean.ofConstant(3)) && mean.ofConstant(0) == 0);
            assertEquals(new Flow.Keep(false), mean.flow(List.of()));
        }
        assertEquals(new AvgPool(padded.padded(0, 0, 1, 0), false), new AvgPool(padded.padded(0, 0, 1, 0), true, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> new AvgPool(padded, true, 2, 0));
    }
}
