package io.pare.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** all-MiniLM-L6-v2, with ONNX Runtime as the judge. Plain Java is judged by {@link SentenceEncoderTest}. */
@Tag("native")
class MinilmTest {
    private static final List<String> WORDS = List.of("a", "man", "is", "playing", "the", "guitar", "unaffable", "dogs",
            "run", "42", ",", "\u4e2d", "caf\u00e9", "quickly", "over", "hills", "Berlin", "neural", "networks", "!");

    @TempDir
    Path folder;

    private Path unpack(String name) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream stream = MinilmTest.class.getResourceAsStream("/" + name)) {
            Files.copy(stream, file);
        }
        return file;
    }

    @Test
    void vectorsAreThoseOfOnnxRuntime() throws IOException, OrtException {
        Path model = unpack("all-minilm-l6-v2.onnx");
        Path tokenizer = unpack("all-minilm-l6-v2-tokenizer.json");
        SentenceEncoder encoder = SentenceEncoder.open(model, tokenizer, Pooling.MEAN);
        assertEquals(384, encoder.dimension());
        assertEquals(128, encoder.most());
        List<String> texts = new ArrayList<>(List.of("", "A man is playing the cello."));
        Random random = new Random(9);
        for (int i = 0; i < 98; i++) {
            texts.add(String.join(" ", random.ints(1 + random.nextInt(i % 10 == 0 ? 150 : 30), 0, WORDS.size())
                    .mapToObj(WORDS::get).toList()));
        }
        List<float[]> vectors = encoder.encode(texts);
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(model.toString())) {
            for (int i = 0; i < texts.size(); i++) {
                float[] expected = vector(session, encoder.tokenizer().encode(texts.get(i)));
                // The published bar is 0.99999; both round thousands of sums to floats.
                assertTrue(cosine(expected, vectors.get(i)) > 0.999999, texts.get(i));
            }
        }
        assertArrayEquals(vectors.get(1), encoder.encode(texts.get(1)));
    }

    private static float[] vector(OrtSession session, int... ids) throws OrtException {
        long[] shape = {1, ids.length};
        long[] ones = new long[ids.length];
        Arrays.fill(ones, 1);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OnnxTensor tokens = OnnxTensor.createTensor(environment,
                LongBuffer.wrap(Arrays.stream(ids).asLongStream().toArray()), shape);
                OnnxTensor mask = OnnxTensor.createTensor(environment, LongBuffer.wrap(ones), shape);
                OnnxTensor types = OnnxTensor.createTensor(environment, LongBuffer.wrap(new long[ids.length]), shape);
                OrtSession.Result result = session.run(
                        Map.of("input_ids", tokens, "attention_mask", mask, "token_type_ids", types))) {
            FloatBuffer rows = ((OnnxTensor) result.get(0)).getFloatBuffer();
            float[] sum = new float[384];
            for (int i = 0; i < ids.length * sum.length; i++) {
                sum[i % sum.length] += rows.get(i);
            }
            return sum;
        }
    }

    private static double cosine(float[] left, float[] right) {
        double product = 0;
        double leftSquare = 0;
        double rightSquare = 0;
        for (int i = 0; i < left.length; i++) {
            product += (double) left[i] * right[i];
            leftSquare += (double) left[i] * left[i];
            rightSquare += (double) right[i] * right[i];
        }
        return product / Math.sqrt(leftSquare * rightSquare);
    }
}
