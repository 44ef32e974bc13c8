package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.recipe.Recipe;
import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxRuntime;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.pare.PareFile;
import io.pare.infer.CompressedModel;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Networks that others wrote as ONNX are compressed, and ONNX Runtime computes the compressed file as Pare does. */
@Tag("long")
class OwnOnnxTest {
    private static final Path CASES = Path.of(System.getProperty("pare.cases", "../shared/cases"));
    private static final double RATIO = 4;

    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> compressedFilesAreComputedAlike() throws IOException {
        Assumptions.assumeTrue(Files.isDirectory(CASES), () -> "no ONNX files in " + CASES);
        List<DynamicTest> tests = new ArrayList<>();
        for (String kind : List.of("onnx-made", "onnx-real")) {
            try (Stream<Path> files = Files.list(CASES.resolve(kind))) {
                files.filter(OwnOnnxTest::compresses).sorted().forEach(file -> tests
                        .add(DynamicTest.dynamicTest(kind + "/" + file.getFileName(), () -> check(file))));
            }
        }
        return tests.stream();
    }

    /** Others are refused, which is tested elsewhere, have nothing to compress or give no value for each class. */
    private static boolean compresses(Path file) {
        try {
            Net net = ModelSource.of(file.toString()).usual();
            return net.weightCount() > 0 && net.givesVector();
        } catch (FormatException e) {
            return false;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void check(Path file) throws Exception {
        ModelSource source = ModelSource.of(file.toString());
        DataSets.Opened data = DataSets.open(DataSettings.synthetic(96), source, new DataSets.Loading(1), _ -> {
        });
        Path out = folder.resolve(source.name());
        try (CompressionJob job = new CompressionJob(data.model(), data.corpus(), out)) {
            CompressionResult result = job.from(source.weights().orElseThrow()).ending(data.ending())
                    .recipe(Recipe.general("joint", RATIO)).rehearsal(1).run();
            CompressedWeights weights = PareFile.read(result.file());
            long most = (long) Math.ceil(weights.model().weightCount() / RATIO);
            assertTrue(weights.nonzeroWeights() <= most, () -> weights.nonzeroWeights() + " of " + most);
            for (boolean codebooks : List.of(false, true)) {
                compare(weights, OnnxFile.encode(weights, codebooks ? OnnxWeights.AS_THEY_ARE : OnnxWeights.FLOATS));
            }
        }
    }

    private static void compare(CompressedWeights weights, byte[] file) throws Exception {
        int samples = 3;
        Shape input = weights.model().input();
        float[] images = new float[samples * input.features()];
        Random random = new Random(3);
        for (int i = 0; i < images.length; i++) {
            images[i] = (float) random.nextGaussian();
        }
        float[] expected = new float[samples * weights.model().classes()];
        try (CompressedModel model = CompressedModel.of(weights)) {
            model.logits(images, samples, expected);
        }
        long[] shape = Stream.concat(Stream.of(samples), input.sizes().stream()).mapToLong(Integer::longValue)
                .toArray();
        float[] actual = OnnxRuntime.run(file, images, shape);
        assertEquals(expected.length, actual.length);
        float largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 1e-4 * largest, "output " + i);
        }
    }
}
