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

    @Test
    void everyNameGivesItsModelAlsoForOtherImagesAndClasses() {
        for (String name : Models.names()) {
            assertEquals(name, Models.byName(name).name());
            if (!name.startsWith("lenet")) {
                Shape input = Shape.of(1, 96, 128);
                Net model = Models.byName(name, input, 7);
                assertEquals(input, model.input());
                assertEquals(7, model.layers().getLast().output().features());
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
