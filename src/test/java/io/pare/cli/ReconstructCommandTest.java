package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.format.npy.NpyFile;
import io.pare.format.npy.NpzFile;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.pare.PareFile;
import io.pare.mem.Region;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.text.Pooling;
import io.pare.text.SentenceEncoder;
import io.pare.text.TinyEncoder;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pare compress --recipe reconstruct}: files of networks, and inputs without labels. */
class ReconstructCommandTest {
    private static final int SAMPLES = 200;

    @TempDir
    private Path folder;

    private record Result(int exit, String out, String err) {}

    @BeforeEach
    void files() throws IOException {
        Random random = new Random(1);
        Net net = new NetBuilder("small", Shape.of(1, 6, 6)).conv("conv", 4, 3, 1, 0, true).relu("relu")
                .flatten("flatten").linear("fc", 10).build();
        CompressedWeights weights = new CompressedWeights(net,
                net.parameters().stream().collect(Collectors.toMap(Parameter::name,
                        parameter -> CompressedTensor.of(random(random, (int) parameter.count()), parameter.shape()))),
                InputScale.UNIT);
        PareFile.write(folder.resolve("net.pare"), weights);
        OnnxFile.write(folder.resolve("net.onnx"), weights, OnnxWeights.FLOATS);
        write("inputs", random(random, SAMPLES * 36), SAMPLES);
    }

    private void write(String name, float[] inputs, int samples) throws IOException {
        try (Region region = Region.confined("inputs")) {
            NpyFile.write(folder.resolve(name + ".npy"), region.tensor(samples, 1, 6, 6).copyFrom(inputs));
            NpzFile.write(folder.resolve(name + ".npz"),
                    Map.of("input", region.tensor(samples, 1, 6, 6).copyFrom(inputs)));
        }
    }

    private static float[] random(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private Result run(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> words = new ArrayList<>(List.of("compress"));
        for (Object arg : args) {
            words.add(arg.toString());
        }
        int exit = Commands.line().setOut(new PrintWriter(out)).setErr(new PrintWriter(err))
                .execute(words.toArray(String[]::new));
        return new Result(exit, out.toString(), err.toString());
    }

    private Path at(String name) {
        return folder.resolve(name);
    }

    @Test
    void aFileAndArraysGiveASmallFileOfTheSameKind() throws IOException {
        Path out = at("out");
        Result result = run(at("net.onnx"), "--recipe", "reconstruct", "--calibrate", at("inputs.npy"), "--out", out,
                "--report", at("report.json"), "-q");
        assertEquals(0, result.exit, result.err);
        CompressedWeights weights = PareFile.read(out.resolve("net.pare"));
        CompressedTensor fc = weights.tensor("fc1.weight");
        assertTrue(fc.nonzeros() <= fc.count() / 2 && fc.isCoded(), fc.toString());
        assertTrue(weights.nonzeroWeights() > 0);
        assertEquals(weights.nonzeroWeights(), OnnxFile.contents(out.resolve("net.onnx")).weights().nonzeroWeights());
        JsonNode report = new ObjectMapper().readTree(at("report.json").toFile());
        JsonNode errors = report.get("stages").get(0).get("outputErrors");
        assertEquals(2, errors.size());
        errors.forEach(error -> assertTrue(error.asDouble() > 0 && error.asDouble() < 0.5, errors.toString()));
        assertTrue(result.out.contains("layer errors") && result.out.contains("MAE"), result.out);
    }

    @Test
    void otherFilesAndMethodsDoToo() throws IOException {
        Result result = run(at("net.pare"), "--recipe", "reconstruct", "--calibrate", at("inputs.npz"), "--bits", 32,
                "--ratio", 4, "--method", "sparsegpt", "--samples", 150, "--out", at("out"), "-q");
        assertEquals(0, result.exit, result.err);
        CompressedTensor fc = PareFile.read(at("out").resolve("small.pare")).tensor("fc.weight");
        assertTrue(fc.nonzeros() <= fc.count() / 4 && fc.nonzeros() > fc.count() / 8, fc.toString());
    }

    @Test
    void aRecipeOfItsStageAloneDoesToo() throws IOException {
        Path recipe = Files.writeString(at("sets.yaml"), """
                name: sets
                stages:
                  - reconstruct:
                      constraints: {"*": [{kind: StructuredSparsity, unit: n_of_m, first: 2, second: 4}]}
                """);
        Result result = run(at("net.pare"), "--recipe", recipe, "--calibrate", at("inputs.npy"), "--no-pack", "--out",
                at("out"), "-q");
        assertEquals(0, result.exit, result.err);
        CompressedTensor fc = PareFile.read(at("out").resolve("small.pare")).tensor("fc.weight");
        assertEquals(fc.count() / 2, fc.nonzeros());
        Files.writeString(recipe, Files.readString(recipe) + "  - mask-retrain: {train: {epochs: 1}}\n");
        result = run(at("net.pare"), "--recipe", recipe, "--calibrate", at("inputs.npy"), "--out", at("more"));
        assertEquals(2, result.exit, result.err);
        assertTrue(result.err.contains("sets has mask-retrain, which needs labels, so give --data"), result.err);
    }

    @Test
    void picturesAreInputsToo() throws IOException {
        Files.createDirectories(at("pictures"));
        Random random = new Random(2);
        for (int i = 0; i < 120; i++) {
            BufferedImage picture = new BufferedImage(6, 6, BufferedImage.TYPE_BYTE_GRAY);
            for (int p = 0; p < 36; p++) {
                picture.getRaster().setSample(p % 6, p / 6, 0, random.nextInt(256));
            }
            ImageIO.write(picture, "png", at("pictures").resolve(i + ".png").toFile());
        }
        Result result = run(at("net.pare"), "--recipe", "reconstruct", "--calibrate", at("pictures"), "--out",
                at("out"), "-q");
        assertEquals(0, result.exit, result.err);
        refused("fc.weight: calibration of 60 rows is too small for 64 inputs: their rank needs 4 rows more",
                at("net.pare"), "--calibrate", at("pictures"), "--samples", 60);
    }

    @Test
    void textsAreForSentenceEncoders() throws IOException {
        Path model = at("tiny.pare");
        PareFile.write(model, TinyEncoder.weights());
        Path tokenizer = Files.writeString(at("tiny-tokenizer.json"), TinyEncoder.TOKENIZER);
        StringBuilder lines = new StringBuilder();
        Random random = new Random(4);
        for (int i = 0; i < 60; i++) {
            // With the token before it, as many as the encoder takes; some are shorter.
            lines.append(random.ints(i % 10 == 0 ? 3 : 6, 0, 7).mapToObj(word -> "abcdefg".substring(word, word + 1))
                    .collect(Collectors.joining(" "))).append('\n');
        }
        Path text = Files.writeString(at("lines.txt"), lines);
        Result result = run(model, "--recipe", "reconstruct", "--calibrate", text, "--bits", 8, "--out", at("out"),
                "-q");
        assertEquals(0, result.exit, result.err);
        Path small = at("out").resolve("tiny.pare");
        assertTrue(Files.size(small) < Files.size(model) / 2);
        SentenceEncoder dense = SentenceEncoder.open(model, tokenizer, Pooling.MEAN);
        SentenceEncoder encoder = SentenceEncoder.open(small, tokenizer, Pooling.MEAN);
        double cosine = 0;
        for (int j = 0; j < encoder.dimension(); j++) {
            cosine += dense.encode("a b g")[j] * encoder.encode("a b g")[j];
        }
        assertTrue(cosine > 0.8 && cosine < 0.99999, "cosine " + cosine);
        long bytes = Files.size(small) * 4 / 5;
        result = run(model, "--recipe", "reconstruct", "--calibrate", text, "--file-bytes", bytes, "--out",
                at("within"),
                "-q");
        assertEquals(0, result.exit, result.err);
        long found = Files.size(at("within").resolve("tiny.pare"));
        assertTrue(found <= bytes * 1.05 && found > bytes * 0.8, found + " of " + bytes + " bytes");
        refused("--file-bytes is 99, and the network takes", model, "--calibrate", text, "--file-bytes", 99);
        refused("tiny.pare is for texts of 7 tokens, not of 3: give the ONNX file", model, "--calibrate",
                Files.writeString(at("short.txt"), "a b"));
        refused("is text, which is for the file of a sentence encoder", "lenet5", "--calibrate", text);
        refused("there is neither", at("net.pare"), "--calibrate", text);
    }

    @Test
    void whatCannotBeIsRefusedInALine() throws IOException {
        float[] inputs = random(new Random(3), 80 * 36);
        inputs[50] = Float.NaN;
        write("broken", inputs, 80);
        write("few", random(new Random(3), 3 * 36), 3);
        refused("value 14 of sample 1 is NaN: inputs must be finite", at("net.pare"), "--calibrate", at("broken.npy"));
        refused("fc.weight: calibration of 3 rows is too small for 64 inputs: their rank needs 61 rows more",
                at("net.pare"), "--calibrate", at("few.npy"));
        refused("does not exist", at("net.pare"), "--calibrate", at("nothing.npy"));
        refused("lenet5 has no weights", "lenet5", "--calibrate", at("inputs.npy"));
        refused("compress nothing", at("net.pare"), "--calibrate", at("inputs.npy"), "--ratio", 1, "--bits", 32);
        refused("--data and --calibrate exclude each other", at("net.pare"), "--calibrate", at("inputs.npy"), "--data",
                folder);
        Result other = run(at("net.pare"), "--recipe", "prune", "--calibrate", at("inputs.npy"));
        assertEquals(2, other.exit, other.err);
        assertTrue(other.err.contains("--calibrate belongs to --recipe reconstruct"), other.err);
    }

    private void refused(String why, Object... args) {
        List<Object> all = new ArrayList<>(List.of(args));
        all.addAll(List.of("--recipe", "reconstruct", "--out", at("refused"), "--anew", "-q"));
        Result result = run(all.toArray());
        assertEquals(2, result.exit, result.err);
        assertTrue(result.err.contains(why) && result.err.lines().count() == 1, result.err);
    }
}
