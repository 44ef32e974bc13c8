package io.pare.format.onnx;

import static io.pare.format.onnx.OnnxNodes.integer;
import static io.pare.format.onnx.OnnxNodes.integers;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxImportTest.Onnx;
import io.pare.format.protobuf.Protobuf.Writer;
import io.pare.run.Engine;
import io.pare.run.ModelRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Where samples stand, shapes that depend on their number, several inputs and outputs, weights in other files. */
class OnnxSamplesTest {
    private static Onnx sequences() {
        return new Onnx(-1, 6, 4).longs("zero", 0).longs("heads", 2).longs("rest", -1);
    }

    static Stream<Arguments> free() {
        return Stream.of(
                Arguments.of("a shape from the input", sequences().node("Shape", "x", "s")
                        .node("Gather", "s zero", "n").node("Concat", "n rest heads heads", "to", integer("axis", 0))
                        .node("Reshape", "x to", "y")),
                Arguments.of("attention", sequences().weights("w", 4, 4).weights("v", 4, 4).node("MatMul", "x w", "q")
                        .node("Transpose", "x", "t", integers("perm", 0, 2, 1)).node("MatMul", "q t", "a")
                        .node("Softmax", "a", "p", integer("axis", -1)).node("MatMul", "p x", "o")
                        .node("MatMul", "o v", "y")),
                Arguments.of("a constant for each sample", sequences().weights("c", 1, 1, 4).longs("tail", 1, 4)
                        .node("Shape", "x", "s").node("Gather", "s zero", "n")
                        .node("Concat", "n tail", "to", integer("axis", 0)).node("Expand", "c to", "e")
                        .node("Concat", "e x", "y", integer("axis", 1))),
                Arguments.of("steps first", sequences().node("Transpose", "x", "t", integers("perm", 1, 0, 2))
                        .weights("W", 1, 12, 4).weights("R", 1, 12, 3).weights("B", 1, 24)
                        .node("LSTM", "t W R B", "a h c", integer("hidden_size", 3))
                        .node("Squeeze", "h zero", "y").opset(13)),
                Arguments.of("the last step", sequences().longs("one", 1).longs("last", Long.MAX_VALUE)
                        .node("Slice", "x rest last one", "y")),
                Arguments.of("negative steps", sequences().longs("from", 5).longs("to", -100).longs("one", 1)
                        .longs("back", -2).node("Slice", "x from to one back", "y")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("free")
    void anyNumberOfSamplesWillDo(String name, Onnx file) throws OrtException {
        assertEquals(-1, OnnxFile.model(file.bytes(), Bindings.NONE).outputs().getFirst().shape()[0]);
        for (int samples : List.of(1, 2, 5)) {
            OnnxRuntime.assertComputesTheSame(file.bytes(), Bindings.NONE, samples, 2);
        }
    }

    static Stream<Arguments> whole() {
        return Stream.of(Arguments.of("a mean over samples", new Onnx(3, 4).node("ReduceMean", "x", "y",
                integers("axes", 0)).opset(13)),
                Arguments.of("a transpose", new Onnx(3, 4).node("Transpose", "x", "y")),
                Arguments.of("a product of matrices", new Onnx(3, 4).weights("w", 2, 3).node("MatMul", "w x", "y")),
                Arguments.of("an image behind a transpose", new Onnx(1, 5, 5, 2).weights("w", 3, 2, 2, 2)
                        .node("Transpose", "x", "t", integers("perm", 3, 0, 1, 2))
                        .node("Transpose", "t", "u", integers("perm", 1, 0, 2, 3)).node("Conv", "u w", "y")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("whole")
    void whatWorksAcrossSamplesIsOneSample(String name, Onnx file) throws OrtException {
        file.computesTheSame();
    }

    @Test
    void severalInputsAndOutputsStandOneAfterAnother() throws OrtException {
        byte[] file = new Onnx(-1, 4).input("z", -1, 2, 3).node("Relu", "x", "y")
                .node("ReduceSum", "z", "s", integers("axes", 1)).opset(11).output("s").bytes();
        OnnxModel model = OnnxFile.model(file, Bindings.NONE);
        assertEquals(List.of(0, 4), model.inputs().stream().map(Port::offset).toList());
        assertEquals(List.of(4, 3), model.outputs().stream().map(Port::features).toList());
        OnnxRuntime.assertComputesTheSame(file, Bindings.NONE, 3, 2);
        assertTrue(assertThrows(FormatException.class, () -> OnnxFile.decode(file)).getMessage()
                .contains("inputs [x, z], one is needed here; run takes any number by name"));
    }

    @Test
    void freeSizesAndConstantsAreBound() throws OrtException {
        Onnx file = new Onnx(-1, -1, 4).node("Softmax", "x", "y", integer("axis", 1));
        assertTrue(assertThrows(FormatException.class, () -> OnnxFile.model(file.bytes(), Bindings.NONE)).getMessage()
                .contains("free dimension"));
        OnnxRuntime.assertComputesTheSame(file.bytes(), Bindings.NONE.with("x:1", 3), 2, 2);
        byte[] shaped = new Onnx(-1, 12).input("to", 3).node("Reshape", "x to", "y").bytes();
        OnnxModel model = OnnxFile.model(shaped,
                Bindings.NONE.with("to", OnnxConstant.of(new long[]{0, 4, -1}, 3)));
        assertArrayEquals(new long[]{-1, 4, 3}, model.outputs().getFirst().shape());
        for (Bindings wrong : List.of(Bindings.NONE.with("steps", 3), Bindings.NONE.with("x:1", 0),
                Bindings.NONE.with("a", OnnxConstant.of(1)))) {
            assertThrows(FormatException.class, () -> OnnxFile.model(file.bytes(), wrong));
        }
    }

    private static Onnx far(String location, Map<String, String> place) {
        Writer tensor = new Writer().number(1, 4).number(1, 3).number(2, 1).text(8, "w")
                .message(13, new Writer().text(1, "location").text(2, location));
        place.forEach((key, value) -> tensor.message(13, new Writer().text(1, key).text(2, value)));
        return new Onnx(-1, 4).tensor(tensor.number(14, 1)).node("MatMul", "x w", "y");
    }

    @Test
    void weightsMayLieBesideTheModelOnly(@TempDir Path folder) throws IOException {
        Path models = Files.createDirectories(folder.resolve("models"));
        float[] values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        byte[] bytes = new byte[64];
        OnnxConstant.of(values, 12).data().get(0, bytes, 16, 48);
        Files.write(models.resolve("w.bin"), bytes);
        Files.write(folder.resolve("out.bin"), bytes);
        Path model = models.resolve("m.onnx");
        Files.write(model, far("w.bin", Map.of("offset", "16", "length", "48")).bytes());
        float[] read = OnnxFile.contents(model).weights().tensor("fc1.weight").toArray();
        assertArrayEquals(new float[]{1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12}, read);
        Map<String, OnnxConstant> input = Map.of("x", OnnxConstant.of(new float[]{1, 0, 0, 0}, 1, 4));
        assertArrayEquals(new float[]{1, 2, 3}, ModelRun.ofOnnx(model, input, Bindings.NONE)
                .outputs(input, Engine.DENSE).get("y").decimals());
        Files.createSymbolicLink(models.resolve("link.bin"), folder.resolve("out.bin"));
        Map<Onnx, String> refused = Map.of(far("../out.bin", Map.of()), "not in the model's folder",
                far(folder.resolve("out.bin").toString(), Map.of()), "not in the model's folder",
                far("link.bin", Map.of()), "a link out of", far("none.bin", Map.of()), "not there",
                far("w.bin", Map.of("offset", "17")), "from byte 17 of 64",
                far("w.bin", Map.of("offset", "-1")), "from byte -1", far("w.bin", Map.of("length", "12")), "have 12",
                far("w.bin", Map.of("offset", "x")), "no numbers");
        for (Map.Entry<Onnx, String> each : refused.entrySet()) {
            Files.write(model, each.getKey().bytes());
            String message =
                    assertThrows(FormatException.class, () -> OnnxFile.model(model, Bindings.NONE)).getMessage();
            assertTrue(message.contains(each.getValue()), message);
        }
    }

    @Test
    void graphWithoutInputsGivesItsConstants(@TempDir Path folder) throws IOException {
        float[] values = {1, -2.5f, 0, 4, 5, 6};
        byte[] bytes = new Onnx(-1, 4).floats("c", values, 3, 2).node("Identity", "c", "y")
                .node("ReduceSum", "c", "z", integer("keepdims", 0)).output("z").bytes();
        Path file = Files.write(folder.resolve("constant.onnx"), bytes);
        ModelRun run = ModelRun.ofOnnx(file, Map.of(), Bindings.NONE);
        for (Engine engine : Engine.values()) {
            Map<String, OnnxConstant> outputs = run.outputs(Map.of(), engine);
            assertArrayEquals(new long[]{3, 2}, outputs.get("y").shape());
            assertArrayEquals(values, outputs.get("y").decimals());
            assertArrayEquals(new float[]{13.5f}, outputs.get("z").decimals());
        }
        String message = assertThrows(FormatException.class, () -> OnnxFile.decode(bytes)).getMessage();
        assertTrue(message.contains("the inputs [], one is needed here"), message);
    }
}
