package io.pare.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.format.onnx.Bindings;
import io.pare.format.pare.PareFile;
import io.pare.net.CompressedWeights;
import io.pare.net.Pointwise;
import io.pare.run.Engine;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link SentenceEncoder} against the engine that computes any network, on small encoders. */
class SentenceEncoderTest {
    @TempDir
    Path folder;

    private static WordPiece tokenizer(String text) throws IOException {
        return WordPiece.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static SentenceEncoder encoder(CompressedWeights weights, Pooling pooling) throws IOException {
        return SentenceEncoder.of(weights, tokenizer(TinyEncoder.TOKENIZER), pooling);
    }

    @ParameterizedTest
    @EnumSource(Pooling.class)
    void vectorsAreThoseOfTheNetwork(Pooling pooling) throws IOException {
        for (Pointwise function : List.of(Pointwise.GELU, Pointwise.TANH)) {
            CompressedWeights weights = TinyEncoder.weights(TinyEncoder.net(function, true));
            float[] ids = {1, 2, 4, 0, 8, 7, 3};
            float[] rows = Engine.SPARSE.outputs(weights, ids, 1);
            double[] sum = new double[TinyEncoder.WIDTH];
            for (int i = 0; i < (pooling == Pooling.MEAN ? rows.length : sum.length); i++) {
                sum[i % sum.length] += rows[i];
            }
            double length = Math.sqrt(Arrays.stream(sum).map(x -> x * x).sum());
            float[] vector = encoder(weights, pooling).encode("a c \u00bf g f b a a a");
            for (int j = 0; j < sum.length; j++) {
                assertEquals(sum[j] / length, vector[j], 1e-5, function + " " + j);
            }
        }
    }

    @Test
    void aVectorIsTheSameAloneAndAmongOthersOnAnyThread() throws IOException {
        SentenceEncoder encoder = encoder(TinyEncoder.weights(), Pooling.MEAN);
        Random random = new Random(8);
        List<String> texts = new ArrayList<>(List.of(""));
        for (int i = 0; i < 300; i++) {
            texts.add(random.ints(random.nextInt(9), 'a', 'h').mapToObj(Character::toString)
                    .reduce("", (left, right) -> left + " " + right));
        }
        List<float[]> alone = texts.stream().map(encoder::encode).toList();
        List<List<float[]>> together = IntStream.range(0, 4).parallel().mapToObj(i -> encoder.encode(texts)).toList();
        for (List<float[]> vectors : together) {
            assertEquals(texts.size(), vectors.size());
            for (int i = 0; i < texts.size(); i++) {
                assertArrayEquals(alone.get(i), vectors.get(i), texts.get(i));
                double length = 0;
                for (float value : vectors.get(i)) {
                    length += (double) value * value;
                }
                assertEquals(1, length, 1e-6);
            }
        }
        assertEquals(List.of(), encoder.encode(List.of()));
        assertEquals(TinyEncoder.WIDTH, encoder.dimension());
        assertEquals(TinyEncoder.LENGTH, encoder.most());
    }

    @Test
    void aPareFileIsReadToo() throws IOException {
        Path model = folder.resolve("tiny.pare");
        Path tokenizer = Files.writeString(folder.resolve("tokenizer.json"), TinyEncoder.TOKENIZER);
        PareFile.write(model, TinyEncoder.weights());
        SentenceEncoder encoder = SentenceEncoder.open(model, tokenizer, Pooling.FIRST);
        assertArrayEquals(encoder(TinyEncoder.weights(), Pooling.FIRST).encode("a b"), encoder.encode("a b"));
    }

    @Test
    void inputsOfAGraphAreKnownByTheirNames() {
        Bindings bindings = SentenceEncoder.bindings(
                List.of("attention_mask", "input_ids", "position_ids", "token_type_ids"), 3);
        assertEquals(Map.of("input_ids:1", 3), bindings.sizes());
        assertEquals(Set.of("attention_mask", "position_ids", "token_type_ids"), bindings.constants().keySet());
        assertArrayEquals(new float[]{1, 1, 1}, bindings.constants().get("attention_mask").decimals());
        assertArrayEquals(new float[]{0, 1, 2}, bindings.constants().get("position_ids").decimals());
        assertArrayEquals(new float[3], bindings.constants().get("token_type_ids").decimals());
        assertEquals(Map.of("tokens:1", 3), SentenceEncoder.bindings(List.of("tokens"), 3).sizes());
        FormatException e = assertThrows(FormatException.class,
                () -> SentenceEncoder.bindings(List.of("input_ids", "pixel_values"), 3));
        assertEquals("no encoder of BERT's kind: it has the input 'pixel_values'", e.getMessage());
    }

    @Test
    void whatIsNoEncoderIsRefusedInALine() throws IOException {
        FormatException e = assertThrows(FormatException.class, () -> encoder(
                TinyEncoder.weights(TinyEncoder.net(Pointwise.GELU, false)), Pooling.MEAN));
        assertEquals("no encoder of BERT's kind: its step layer0.attention is a Attention, where attention of rows of"
                + " heads is needed", e.getMessage());
        String more = TinyEncoder.TOKENIZER.replace("\"g\": 8", "\"g\": 9");
        e = assertThrows(FormatException.class,
                () -> SentenceEncoder.of(TinyEncoder.weights(), tokenizer(more), Pooling.MEAN));
        assertEquals("the tokenizer has 10 tokens, the network has words for 9: they belong to different models",
                e.getMessage());
        Path file = Files.writeString(folder.resolve("model.onnx"), "none");
        Path tokenizer = Files.writeString(folder.resolve("tokenizer.json"), TinyEncoder.TOKENIZER);
        e = assertThrows(FormatException.class, () -> SentenceEncoder.open(file, tokenizer, Pooling.MEAN));
        assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
        assertTrue(Collections.frequency(e.getMessage().chars().boxed().toList(), (int) '\n') == 0);
    }
}
