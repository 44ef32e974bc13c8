package io.pare.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.net.Op.Conv2d;
import io.pare.net.Op.Linear;
import java.util.List;
import org.junit.jupiter.api.Test;
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
}
