package io.pare.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.pare.format.pare.PareFile;
import io.pare.infer.CompressedModel;
import io.pare.net.CompressedWeights;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files of version 1 are read forever: those of {@code io/pare/golden/v1} were written once, and are never written again.
 *
 * <p>Each has its logits for {@link GoldenNets#image} in {@code logits.txt}, exactly computed, and how far off each may be:
 * the bound of {@link io.pare.infer.ReferenceNet}, which follows from the roundings of the computation.
 */
class PareVersion1Test {
    private static final String FOLDER = "/io/pare/golden/v1/";

    /** A line of {@code logits.txt}: file, then each logit and its bound. */
    record Stored(String file, double[] logits, double[] bounds) {
        static Stored of(String line) {
            String[] parts = line.split(" ");
            int classes = (parts.length - 1) / 2;
            double[] logits = new double[classes];
            double[] bounds = new double[classes];
            for (int c = 0; c < classes; c++) {
                logits[c] = Double.parseDouble(parts[1 + 2 * c]);
                bounds[c] = Double.parseDouble(parts[2 + 2 * c]);
            }
            return new Stored(parts[0], logits, bounds);
        }

        @Override
        public String toString() {
            return file;
        }
    }

    static Stream<Stored> files() {
        List<Stored> files = new String(bytes("logits.txt"), StandardCharsets.UTF_8).lines().map(Stored::of).toList();
        assertFalse(files.isEmpty());
        return files.stream();
    }

    private static byte[] bytes(String file) {
        try (InputStream in = PareVersion1Test.class.getResourceAsStream(FOLDER + file)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void areReadAndPredictTheSame(Stored stored) {
        CompressedWeights weights = PareFile.decode(bytes(stored.file()));
        float[] image = GoldenNets.image(weights);
        float[] logits = new float[weights.model().classes()];
        assertEquals(stored.logits().length, logits.length);
        try (CompressedModel model = CompressedModel.of(weights)) {
            model.logits(image, 1, logits);
        }
        for (int c = 0; c < logits.length; c++) {
            assertEquals(stored.logits()[c], logits[c], stored.bounds()[c], "logit " + c);
        }
    }

    /** The writer may come to write a later version: then only its own files need come back byte for byte. */
    @ParameterizedTest
    @MethodSource("files")
    void areWrittenAgainAsTheyWere(Stored stored) {
        byte[] file = bytes(stored.file());
        assertArrayEquals(file, PareFile.encode(PareFile.decode(file)));
    }
}
