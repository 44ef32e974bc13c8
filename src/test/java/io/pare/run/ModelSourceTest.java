package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.format.NetworkFile;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxNames;
import io.pare.format.onnx.OnnxWeights;
import io.pare.infer.CompressedModel;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ModelSourceTest {
    private static final InputScale SCALE = new InputScale(0.25f, 0.5f);

    @TempDir
    Path folder;

    private static CompressedWeights small(Ending ending) {
        Net net = ending.on(new NetBuilder("small net", Shape.of(1, 6, 6)).conv("conv1", 3, 3, 1, 0, true)
                .relu("relu1").flatten("flatten").linear("fc1", 4).build());
        Random random = new Random(5);
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : net.parameters()) {
            float[] values = new float[(int) parameter.count()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            tensors.put(parameter.name(), CompressedTensor.of(values, parameter.shape()));
        }
        return new CompressedWeights(net, tensors, SCALE);
    }

    private Path yaml(String text) throws IOException {
        return Files.writeString(folder.resolve("mine.yaml"), text);
    }

    @Test
    void aNameFollowsTheData() throws IOException {
        ModelSource source = ModelSource.of("resnet20");
        assertEquals("resnet20", source.reference());
        assertEquals(7, source.net(Shape.of(3, 16, 16), 7).classes());
        assertTrue(source.weights().isEmpty());
    }

    @Test
    void whatIsNeitherNameNorFileIsRefused() {
        RunException refused = assertThrows(RunException.class, () -> ModelSource.of("lenet6"));
        assertTrue(refused.getMessage().contains("known are lenet5"), refused.getMessage());
        for (String gone : new String[]{"mine.onnx", folder.resolve("run").toString()}) {
            String message = assertThrows(RunException.class, () -> ModelSource.of(gone)).getMessage();
            assertTrue(message.startsWith(gone + ", the file of a network, does not exist"), message);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFileBringsWeightsScaleAndEnding(Ending ending) throws IOException {
        for (NetworkFile.Kind kind : new NetworkFile.Kind[]{NetworkFile.Kind.PARE, NetworkFile.Kind.SAFETENSORS}) {
            Path file = folder.resolve(ending + "." + kind);
            NetworkFile.write(file, small(ending), kind);
            ModelSource source = ModelSource.of(file.toString());
            assertEquals("small-net", source.name());
            assertEquals(ending, source.ending());
            assertEquals(SCALE, source.scale().orElseThrow());
            assertEquals(small(Ending.NONE).model(), source.net(Shape.of(1, 6, 6), 3));
            assertEquals(source.usual(),
                    Ending.without(source.weights().orElseThrow().read(source.usual()).weights().model()));
            assertEquals(source, ModelSource.of(source.reference()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void predictionGivesProbabilitiesWhateverTheNetworkEndsIn(Ending ending) {
        float[] image = new float[36];
        image[7] = 1;
        float[] logits = new float[4];
        try (CompressedModel plain = CompressedModel.of(small(Ending.NONE));
                CompressedModel model = CompressedModel.of(small(ending))) {
            plain.logits(image, 1, logits);
            float[] expected = ending == Ending.SIGMOID ? sigmoid(logits) : plain.predict(image);
            float[] actual = model.predict(image);
            for (int c = 0; c < 4; c++) {
                assertEquals(expected[c], actual[c], 4 * Math.ulp(1f));
            }
        }
    }

    private static float[] sigmoid(float[] logits) {
        float[] values = new float[logits.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = Op.Sigmoid.of(logits[i]);
        }
        return values;
    }

    @Test
    void anOnnxFileComesBackUnderTheNamesOfItsInputAndOutput() throws IOException {
        Path file = folder.resolve("mine.onnx");
        OnnxFile.write(file, small(Ending.SOFTMAX), OnnxWeights.FLOATS, new OnnxNames("pixels", "label probabilities"));
        ModelSource source = ModelSource.of(file.toString());
        assertTrue(source.isOnnx());
        assertEquals("mine", source.usual().name());
        assertEquals(Ending.SOFTMAX, source.ending());
        Path back = folder.resolve("back.onnx");
        source.writeOnnx(back, small(Ending.SOFTMAX));
        assertEquals(new OnnxNames("pixels", "label probabilities"), OnnxFile.names(back));
    }

    @ParameterizedTest
    @EnumSource(Ending.class)
    void anOutputIsCalledByWhatItIs(Ending ending) throws IOException {
        Path file = folder.resolve("net.onnx");
        OnnxFile.write(file, small(ending), OnnxWeights.FLOATS);
        String name = switch (ending) {
            case SOFTMAX, SIGMOID -> "probabilities";
            case NONE, LOG_SOFTMAX -> "logits";
        };
        assertEquals(new OnnxNames("image", name), OnnxFile.names(file));
    }

    @Test
    void aReferenceIsTheSameFromAnyWorkingFolder() throws IOException {
        Path file = yaml("input: 1x8x8\nlayers: [relu]\n");
        Path relative = Path.of("").toAbsolutePath().relativize(file.toAbsolutePath());
        assertEquals(ModelSource.of(file.toString()).reference(), ModelSource.reference(relative.toString()));
        assertEquals(ModelSource.of("lenet5").reference(), ModelSource.reference("lenet5"));
    }

    @Test
    void aDescriptionDeclaresLayers() throws IOException {
        ModelSource source = ModelSource.of(yaml("""
                input: 3x8x8
                layers:
                  - conv: {out: 4, kernel: 3, padding: 1, bias: false}
                  - batch-norm
                  - hard-swish
                  - residual:
                      body: [{conv: {out: 4, kernel: 3, padding: 1}}, relu]
                  - concat: {branches: [[{avg-pool: {kernel: 2}}], [{max-pool: {kernel: 2}}, sigmoid]]}
                  - dropout: {rate: 0.25}
                  - linear: {out: classes, name: head}
                """).toString());
        assertInstanceOf(ModelSource.Declared.class, source);
        Net net = source.net(null, 6);
        assertEquals("mine", net.name());
        assertEquals(6, net.classes());
        assertEquals("head", net.output().name());
        assertEquals(Shape.of(8, 4, 4), net.node(net.output().place() - 3).output());
        assertFalse(net.nodes().get(1).parameters().size() > 1, "the convolution has no bias");
    }

    @Test
    void aDescriptionThatCannotBeIsRefusedInALine() throws IOException {
        refused("input: 1x8x8\nlayers:\n  - convv: {out: 3}\n", "unknown kind 'convv', did you mean 'conv'");
        refused("input: 1x8x8\nlayers:\n  - conv: {out: 3, kernal: 3}\n",
                "unknown key 'kernal', did you mean 'kernel'");
        refused("input: 1x8x8\nlayers:\n  - conv: {out: 3}\n", "needs 'kernel'");
        refused("input: 1x8x8\nlayers:\n  - conv: {out: 3, kernel: 9}\n", "does not fit into 8");
        refused("input: 1x8x8\nlayers:\n  - conv: {out: -3, kernel: 1}\n", "must be a whole number");
        refused("input: eight\nlayers: [relu]\n", "'input' must be the shape");
        refused("input: 1x8x8\nlayer: [relu]\n", "unknown key 'layer', did you mean 'layers'");
        refused("input: 1x8x8\nlayers: []\n", "at least one layer");
        refused("input: 1x8x8\nlayers: [[relu]]\n", "one kind with a map");
        refused("input: 1x8x8\nlayers: [concat]\n", "needs 'branches'");
        refused("input: 1x8x8\ninput: 1x8x8\nlayers: [relu]\n", "line 2");
        refused("- relu\n", "a map with the keys");
        refused("{", "(line ");
        refused("input: 99999x99999x99999\nlayers: [{linear: {out: 3}}]\n", "sizes of a layer are too large");
        refused("input: 1x8x8\nlayers: [{conv: {out: 3, kernel: 3, stride: 0}}]\n", "from 1 on");
        Path latin = Files.write(folder.resolve("latin.yaml"), new byte[]{'#', ' ', (byte) 0xe9, '\n'});
        FormatException refused = assertThrows(FormatException.class, () -> ModelSource.of(latin.toString()));
        assertTrue(refused.getMessage().contains("line 1: not UTF-8"), refused.getMessage());
    }

    @Test
    void twoEndingsInARowAreLayers() throws IOException {
        CompressedWeights weights = Ending.SOFTMAX.on(small(Ending.SOFTMAX));
        Path file = folder.resolve("twice.onnx");
        OnnxFile.write(file, weights, OnnxWeights.FLOATS);
        ModelSource source = ModelSource.of(file.toString());
        assertEquals(Ending.NONE, source.ending());
        assertEquals(weights.model().nodes().size(), source.usual().nodes().size());
        assertEquals(source.usual(), source.weights().orElseThrow().read(source.usual()).weights().model());
    }

    private void refused(String text, String part) throws IOException {
        Path file = yaml(text);
        FormatException refused =
                assertThrows(FormatException.class, () -> ModelSource.of(file.toString()).net(null, 10), text);
        assertTrue(refused.getMessage().contains(part), refused.getMessage());
        assertEquals(1, refused.getMessage().lines().count());
    }
}
