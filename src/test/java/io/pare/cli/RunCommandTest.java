package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.format.npy.NpyFile;
import io.pare.format.npy.NpzFile;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxNames;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.pare.PareFile;
import io.pare.format.tensors.StoredTensors;
import io.pare.infer.CompressedModel;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pare run}: tensors in, tensors out. */
class RunCommandTest {
    private static final int SAMPLES = 3;

    @TempDir
    Path folder;

    private final float[] images = new float[SAMPLES * 16];
    private CompressedWeights weights;

    private record Result(int exit, String out, String err) {}

    @BeforeEach
    void files() throws IOException {
        Random random = new Random(1);
        Net net = new NetBuilder("small", Shape.of(1, 4, 4)).conv("conv", 2, 3, 1, 0, true).relu("relu")
                .flatten("flatten").linear("fc", 10).build();
        weights = new CompressedWeights(net, net.parameters().stream().collect(Collectors.toMap(Parameter::name,
                parameter -> CompressedTensor.of(random(random, (int) parameter.count()), parameter.shape()))),
                InputScale.UNIT);
        PareFile.write(folder.resolve("net.pare"), weights);
        OnnxFile.write(folder.resolve("net.onnx"), weights, OnnxWeights.FLOATS);
        System.arraycopy(random(random, images.length), 0, images, 0, images.length);
        try (Region region = Region.confined("images")) {
            FloatTensor tensor = region.tensor(SAMPLES, 1, 4, 4).copyFrom(images);
            NpyFile.write(folder.resolve("images.npy"), tensor);
            NpyFile.write(folder.resolve("flat.npy"), tensor.reshape(SAMPLES, 16));
            NpzFile.write(folder.resolve("images.npz"), Map.of("image", tensor));
        }
    }

    private static float[] random(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return values;
    }

    private Result run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = Commands.line().setOut(new PrintWriter(out)).setErr(new PrintWriter(err))
                .execute(Arrays.stream(("run " + String.join(" ", arguments)).replace("@", folder + "/").split(" "))
                        .toArray(String[]::new));
        return new Result(exit, out.toString(), err.toString());
    }

    private void assertGives(String output, String... arguments) throws IOException {
        Result result = run(arguments);
        assertEquals(0, result.exit, result.err);
        assertTrue(result.out.startsWith(output + "  [3, 10]  "), result.out);
        float[] expected = new float[SAMPLES * 10];
        try (CompressedModel model = CompressedModel.of(weights)) {
            model.logits(images, SAMPLES, expected);
        }
        try (StoredTensors file = NpyFile.open(folder.resolve("out").resolve(output + ".npy"));
                Region region = Region.confined("logits")) {
            assertArrayEquals(new long[]{SAMPLES, 10}, file.shape(NpyFile.ARRAY));
            // Both engines sum the same few products in floats.
            assertArrayEquals(expected, file.floats(NpyFile.ARRAY, region).toArray(), 1e-6f);
        }
    }

    @Test
    void anOnnxFileTakesItsInputsByNameInBothEngines() throws IOException {
        assertGives("logits", "@net.onnx --input image=@images.npy --out @out");
        assertGives("logits", "@net.onnx --input image=@images.npz --out @out --engine sparse --threads 1");
        assertGives("logits", "@net.onnx --input @images.npz --out @out");
        assertGives("logits", "@net.onnx --input @images.npy --out @out");
    }

    @Test
    void outputsHaveNamesThatFilesCanHave() throws IOException {
        OnnxFile.write(folder.resolve("long.onnx"), weights, OnnxWeights.FLOATS,
                new OnnxNames("image", "../" + "y".repeat(400)));
        Result result = run("@long.onnx --input image=@images.npy --out @out");
        assertEquals(0, result.exit, result.err);
        try (var files = Files.list(folder.resolve("out"))) {
            assertEquals(List.of(".._" + "y".repeat(197) + ".npy"),
                    files.map(file -> file.getFileName().toString()).toList());
        }
    }

    @Test
    void otherFilesTakeInputAndGiveOutput() throws IOException {
        assertGives("output", "@net.pare --input input=@images.npy --out @out");
        assertGives("output", "@net.pare --input @images.npy --out @out");
        assertGives("output", "@net.pare --input @images.npz --out @out");
    }

    @Test
    void whatDoesNotFitIsNamed() throws IOException {
        Files.writeString(folder.resolve("text.npy"), "no array");
        String[][] wrong = {
            {"@net.onnx --input picture=@images.npy", "no input 'picture'; it takes image"},
            {"@net.onnx --input image=@flat.npy", "has the shape [3, 16], the network takes [batch, 1, 4, 4]"},
            {"@net.onnx --input @flat.npy", "has the shape [3, 16], the network takes [batch, 1, 4, 4]"},
            {"@net.onnx --input @images.npy --input @images.npz", "there is a tensor for 'image' already"},
            {"@net.onnx --input image=@text.npy", "is no tensor (.npy, .npz or .pb)"},
            {"@net.onnx --input image=", "give NAME=FILE"}, {"@net.onnx --input image=@none.npy", "does not exist"},
            {"@net.onnx --input image=@images.npy --input @images.npz", "there is a tensor for 'image' already"},
            {"@net.pare --input other=@images.npz", "has no tensor 'other'; it has [image]"},
            {"@net.pare --input input=@images.npy --dim batch=3", "are for ONNX files"},
            {"@net.pare --input input=@images.npy --constant shape=@flat.npy", "--constant is for ONNX files"}};
        for (String[] each : wrong) {
            Result result = run(each[0], "--out @out");
            assertEquals(2, result.exit, each[0] + ": " + result.err);
            assertTrue(result.err.contains(each[1]), each[0] + ": " + result.err);
        }
    }
}
