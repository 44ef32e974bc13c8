package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.format.npy.NpyFile;
import io.pare.format.pare.PareFile;
import io.pare.format.tensors.StoredTensors;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.text.Pooling;
import io.pare.text.SentenceEncoder;
import io.pare.text.TinyEncoder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands about sentences. */
class SentenceCommandsTest {
    @TempDir
    Path folder;

    private Path model;
    private Path tokenizer;

    private record Result(int exit, String out, String err) {}

    @BeforeEach
    void writeModel() throws IOException {
        model = folder.resolve("tiny.pare");
        PareFile.write(model, TinyEncoder.weights());
        tokenizer = Files.writeString(folder.resolve("tiny-tokenizer.json"), TinyEncoder.TOKENIZER);
    }

    private static Result run(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = new String[args.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = args[i].toString();
        }
        int exit = Commands.line().setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(words);
        return new Result(exit, out.toString(), err.toString());
    }

    private static float[] read(Path file) throws IOException {
        try (StoredTensors tensors = NpyFile.open(file); Region region = Region.confined("vectors")) {
            FloatTensor vectors = tensors.floats(NpyFile.ARRAY, region);
            assertEquals(2, vectors.shape().length);
            return vectors.toArray();
        }
    }

    @Test
    void embedWritesARowForEachLine() throws IOException {
        Path text = Files.writeString(folder.resolve("lines.txt"), "\ufeffa b\r\n" + "c d e\n".repeat(199) + "f");
        Path out = folder.resolve("vectors.npy");
        for (int threads : new int[]{1, 3}) {
            Result result = run("embed", model, "--text", text, "--out", out, "--threads", threads);
            assertEquals(Commands.OK, result.exit, result.err);
            assertTrue(result.out.contains("texts          201\n") && result.out.contains("dimension      15\n"),
                    result.out);
            SentenceEncoder encoder = SentenceEncoder.open(model, tokenizer, Pooling.MEAN);
            float[] vectors = read(out);
            assertEquals(201 * 15, vectors.length);
            for (int line : new int[]{0, 1, 199, 200}) {
                float[] row = new float[15];
                System.arraycopy(vectors, line * 15, row, 0, 15);
                assertArrayEquals(encoder.encode(line == 0 ? "a b" : line < 200 ? "c d e" : "f"), row, "line " + line);
            }
        }
        assertEquals(Commands.OK,
                run("embed", model, "--pooling", "first", "--tokenizer", tokenizer, "--text", text, "--out", out).exit);
        float[] first = SentenceEncoder.open(model, tokenizer, Pooling.FIRST).encode("a b");
        assertEquals(first[3], read(out)[3]);
    }

    @Test
    void evalComparesCosinesWithScores() throws IOException {
        SentenceEncoder encoder = SentenceEncoder.open(model, tokenizer, Pooling.MEAN);
        StringBuilder rising = new StringBuilder();
        StringBuilder falling = new StringBuilder();
        String[] others = {"a", "a b", "c d", "g f e"};
        for (String other : others) {
            double cosine = 0;
            for (int j = 0; j < encoder.dimension(); j++) {
                cosine += (double) encoder.encode("a")[j] * encoder.encode(other)[j];
            }
            rising.append("a,\"" + other + "\"," + cosine + "\n");
            falling.append("\"a\"," + other + "," + -cosine + "\n");
        }
        Path report = folder.resolve("report.json");
        Path pairs = Files.writeString(folder.resolve("pairs.csv"), rising);
        Result result = run("eval", model, "--sts", pairs, "--report", report);
        assertEquals(Commands.OK, result.exit, result.err);
        assertEquals("model          tiny.pare\npairs          4\nspearman       1.0000\n", result.out);
        assertTrue(Files.readString(report).contains("\"pairs\""), Files.readString(report));
        Files.writeString(pairs, falling);
        assertTrue(run("eval", model, "--sts", pairs).out.contains("spearman       -1.0000"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
            a\\n\\nb        | lines.txt, line 2 is empty
            a\\n \\nb       | lines.txt, line 2 is empty
            ''              | lines.txt is empty: give it a line for each text
            a\\nb\\u00ff    | lines.txt, line 2: not UTF-8
            """)
    void linesThatAreNoTextsAreRefused(String text, String message) throws IOException {
        Path lines = folder.resolve("lines.txt");
        Files.write(lines,
                text.replace("\\n", "\n").replace("\\u00ff", "\u00ff").getBytes(StandardCharsets.ISO_8859_1));
        Path out = folder.resolve("vectors.npy");
        refused(message, run("embed", model, "--text", lines, "--out", out));
        assertFalse(Files.exists(out));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
            a,b             | line 1 has not two sentences and a score
            a,b,1\\na,,2    | line 2 has not two sentences and a score
            a,b,c,1         | line 1 has not two sentences and a score
            a,b,high        | line 1: the score 'high' is no finite number
            a,b,NaN         | line 1: the score 'NaN' is no finite number
            a,"b,1          | line 1 has a quote that does not end
            a,b,1           | has 1 pairs, a correlation needs at least two
            """)
    void pairsThatAreNoneAreRefused(String text, String message) throws IOException {
        Path pairs = Files.writeString(folder.resolve("pairs.csv"), text.replace("\\n", "\n"));
        refused(message, run("eval", model, "--sts", pairs));
    }

    @Test
    void optionsAndModelsOfOtherKindsAreRefused() throws IOException {
        Path pairs = Files.writeString(folder.resolve("pairs.csv"), "a,b,1\nb,c,2\n");
        refused("--engine does not go with --sts", run("eval", model, "--sts", pairs, "--engine", "sparse"));
        Files.move(tokenizer, folder.resolve("tokenizer.json"));
        assertEquals(Commands.OK, run("eval", model, "--sts", pairs).exit);
        Files.delete(folder.resolve("tokenizer.json"));
        refused("name the model's tokenizer by --tokenizer FILE", run("eval", model, "--sts", pairs));
        Files.writeString(tokenizer, TinyEncoder.TOKENIZER.replace("WordPiece", "BPE"));
        refused("its model is BPE, where BERT's is WordPiece", run("eval", model, "--sts", pairs));
    }

    private static void refused(String message, Result result) {
        assertTrue(result.err.contains(message), result.err);
        assertEquals(1, result.err.lines().count(), result.err);
        assertEquals(Commands.USAGE, result.exit, result.err);
    }
}
