package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.data.IdxFiles;
import io.pare.exec.backend.Precision;
import io.pare.format.NetworkFile;
import io.pare.net.CompressedWeights;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.train.Checkpoint;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The command line in this JVM: results, exit codes, and every wrong input in one clear line. */
class CommandsTest {
    @TempDir
    Path folder;

    private Path data;
    private Path out;

    /** What a command came to. */
    private record Result(int exit, String out, String err) {}

    @BeforeEach
    void data() throws IOException {
        data = IdxFiles.folder(folder.resolve("data"), 120, 40);
        out = folder.resolve("out");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--help", "train --help", "eval --help", "data --help", "data mnist --help",
        "doctor --help"})
    void helpGoesToStdoutAndShowsExamples(String line) {
        Result result = run(line.isEmpty() ? new String[0] : line.split(" "));
        assertEquals(Commands.OK, result.exit());
        assertEquals("", result.err());
        assertTrue(result.out().contains("Usage: pare"), result.out());
        assertTrue(line.equals("data --help") || result.out().contains("pare ") && result.out().contains("xample")
                || line.startsWith("doctor"), result.out());
        assertTrue(result.out().lines().allMatch(text -> text.length() <= 120), result.out());
    }

    @Test
    void aTrainingWritesResultsWeightsAndReport() throws IOException {
        Path report = folder.resolve("deep/report.json");
        Result result = train("--report", report.toString(), "--epochs", "2");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(
                result.out().startsWith(
                        "model                lenet300\ndata                 " + data + "\ntest accuracy        0."),
                result.out());
        assertTrue(result.err().contains("epoch  2/2"), result.err());
        JsonNode json = new ObjectMapper().readTree(Files.readString(report));
        for (String field : List.of("model", "dataset", "seed", "threads", "commit", "jdk", "onednn", "openblas", "isa",
                "epochs", "trainLoss", "validationAccuracy", "testAccuracy", "imagesPerSecond", "seconds")) {
            assertTrue(json.hasNonNull(field), field);
        }
        assertEquals(2, json.get("history").size());
        assertTrue(json.get("testAccuracy").asDouble() >= 0 && json.get("testAccuracy").asDouble() <= 1);
        Result eval = run("eval", out.toString(), "--data", data.toString(), "--threads", "1");
        assertEquals(Commands.OK, eval.exit(), eval.err());
        assertTrue(eval.out().contains(String.format("%.4f", json.get("testAccuracy").asDouble())), eval.out());
    }

    @Test
    void modelsPrintsTheTableOfAll() {
        Result result = run("models");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("138,357,544") && result.out().contains("resnet50"), result.out());
    }

    @Test
    void modelsPrintsTheTableOfOneForOtherImagesAndClasses() {
        Result result = run("models", "resnet20", "--input", "3x64x64", "--classes", "100");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().matches("(?s)resnet20 on 3x64x64, 100 classes.*layer3\\.0\\.conv1 +Conv2d +64x16x16"
                + " +18,432 +4,718,592 +0\\.066 MB\n.*linear +Linear +100 +6,500 .*"), result.out());
    }

    @Test
    void quietSaysNothingButResults() {
        Result result = train("--quiet");
        assertEquals(Commands.OK, result.exit());
        assertEquals("", result.err());
        assertTrue(result.out().contains("test accuracy"), result.out());
    }

    @Test
    void theSameSeedGivesTheSameBits() throws IOException {
        train("--seed", "7");
        byte[] first = Files.readAllBytes(out.resolve(Checkpoint.WEIGHTS));
        train("--seed", "7");
        assertTrue(Arrays.equals(first, Files.readAllBytes(out.resolve(Checkpoint.WEIGHTS))));
        train("--seed", "7", "--recompute");
        assertTrue(Arrays.equals(first, Files.readAllBytes(out.resolve(Checkpoint.WEIGHTS))));
        train("--seed", "8");
        assertFalse(Arrays.equals(first, Files.readAllBytes(out.resolve(Checkpoint.WEIGHTS))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"train|which model? Give lenet5 or lenet5-relu or lenet300",
        "train lenet6|unknown model 'lenet6'; known are lenet5",
        "train lenet5 --epoch 3|unknown option '--epoch'; did you mean --epochs",
        "trian lenet5|unknown command 'trian'; did you mean train",
        "train lenet5 lenet300|one argument too many: 'lenet300'",
        "train lenet5 --lr 0,1|'0,1' is no number",
        "train lenet5 --optimizer adm|'adm' is none of adam, adamw, sgd, nesterov",
        "train lenet5 --schedule linear|'linear' is none of cosine, step, constant",
        "train lenet5 --threads 0|--threads is 0, must be from 1",
        "train lenet5 --precision fp16|'fp16' is none of fp32, bf16",
        "train lenet5 --threads two|'two' is no whole number",
        "train lenet5 --epochs 0|--epochs is 0, must be at least 1",
        "train lenet5 --batch-size -1|--batch-size is -1, must be at least 1",
        "train lenet5 --accumulate 3|--accumulate 3 does not divide --batch-size 64",
        "train lenet5 --memory-limit 4X|'4X' is no size such as 4G or 900M",
        "train lenet5 --memory-limit 10M|does not hold lenet5, batch 64",
        "train lenet5 --lr 0|--lr is 0.0, must be above 0 and at most 100",
        "train lenet5 --lr NaN|--lr is NaN, must be above 0",
        "train lenet5 --warm-up 11|--warm-up is 11.0, must be from 0 to 10",
        "train lenet5 --momentum 2|--momentum is 2.0, must be from 0 to 1",
        "train lenet5 --momentum 0.5|--momentum belongs to --optimizer sgd",
        "train lenet5 --schedule constant --lr-floor 0.1|--lr-floor belongs to --schedule cosine",
        "train lenet5 --shift 99|--shift is 99.0, must be from 0 to 28",
        "train lenet5 --validation 60000|leaves nothing of 60000 images to train on",
        "train lenet5 --validation -5|--validation is -5",
        "train lenet5 --batch-size 60000|more than the 55000 images",
        "train lenet5 --data /none|the folder /none does not exist",
        "train --resume /none|/none is no folder of a run",
        "train lenet5 --resume a --out b|name different folders",
        "train lenet5 --from /none|/none does not exist",
        "train --from a --resume b|exclude each other",
        "eval|Missing required parameter: 'FILE'",
        "eval /none|/none does not exist",
        "models lenet6|unknown model 'lenet6'; known are lenet5",
        "models --classes 5|need a network",
        "models resnet20 --classes 0|--classes is 0, must be at least 1",
        "models resnet20 --input 3x32|'3x32' is no shape such as 3x224x224",
        "models resnet20 --input 3x0x32|'3x0x32' is no shape such as 3x224x224",
        "models alexnet --input 3x32x32|layer pool2 has a window of 3, which does not fit",
        "train lenet5 --schedule step --lr-floor 0.1|--lr-floor belongs to --schedule cosine",
        "data mnist --part half|'half' is none of train, test",
        "data mnist --sheet src|--sheet src is a folder: name a file",
        "data mnist --sheet x.png --rows 0|a sheet of 0 x 20 images",
        "data mnist --sheet x.png --rows 2000000000|a sheet of 2000000000 x 20 images is too large"})
    void wrongCommandLinesAreExplained(String line, String expected) {
        Result result = run((line + (line.contains("lenet5") && !line.contains("--out")
                ? " --out " + out
                : "")).split(" "));
        assertExplained(Commands.USAGE, expected, result);
        assertFalse(Files.exists(out), "something was written");
    }

    @Test
    void debugShowsTheTrace() {
        Result result = run("train", "lenet5", "--data", "/none", "--out", out.toString(), "--debug");
        assertEquals(Commands.USAGE, result.exit());
        assertTrue(result.err().contains("\tat io.pare.data."), result.err());
    }

    @Test
    void damagedDataIsExplained() throws IOException {
        Path images = data.resolve("train-images-idx3-ubyte");
        Files.write(images, Arrays.copyOf(Files.readAllBytes(images), 1000));
        assertExplained(Commands.USAGE, "train-images-idx3-ubyte is cut short", train());
        assertExplained(Commands.USAGE, "train-images-idx3-ubyte is cut short",
                run("data", "mnist", "--data", data.toString()));
    }

    @Test
    void aPlaceThatCannotBeWrittenIsFoundBeforeTraining() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "mine");
        Result result = run("train", "lenet300", "--data", data.toString(), "--out", file.resolve("out").toString());
        assertExplained(Commands.USAGE, "cannot be: file is a file, not a folder", result);
        assertFalse(result.err().contains("epoch"), result.err());
        Result report = train("--report", file.resolve("report.json").toString());
        assertExplained(Commands.USAGE, "cannot be: file is a file, not a folder", report);
        assertFalse(report.err().contains("epoch"), report.err());
        for (String line : List.of("train lenet300", "compress lenet300 --recipe lenet300-prune")) {
            Result itself = run((line + " --data " + data + " --out " + file).split(" "));
            assertExplained(Commands.USAGE, "--out " + file + " is a file: name a folder", itself);
            assertEquals(1, itself.err().split(Pattern.quote(file.toString()), -1).length - 1, itself.err());
        }
        Result nowhere = train("--report", "/proc/report.json");
        assertExplained(Commands.FAILURE, "cannot write /proc/report.json: no file can be made in /proc", nowhere);
        assertEquals("mine", Files.readString(file));
    }

    @Test
    void aReportOnAFullDiskIsExplainedAndTheWeightsAreKept() {
        assumeTrue(Files.exists(Path.of("/dev/full")));
        assertExplained(Commands.FAILURE, "cannot write /dev/full: the disk is full", train("--report", "/dev/full"));
        assertTrue(Files.exists(out.resolve(Checkpoint.WEIGHTS)));
    }

    @Test
    void checkpointsOfAnotherModelOrWithOtherSettingsAreExplained() {
        train();
        assertExplained(Commands.USAGE, "holds a run of lenet300, not of lenet5",
                run("train", "lenet5", "--resume", out.toString()));
        assertExplained(Commands.USAGE, "--seed 5 differs from the run's 1",
                run("train", "--resume", out.toString(), "--seed", "5"));
        assertExplained(Commands.USAGE, "lenet300", run("eval", out.toString(), "--model", "lenet5", "--data",
                data.toString()));
        assertEquals(Commands.OK, run("train", "--resume", out.toString(), "--seed", "1", "-q").exit());
    }

    @Test
    void aRunCanBeginWithTrainedWeights() throws IOException {
        train();
        Path longer = folder.resolve("longer");
        // A rate too small to move any weight, so that those begun with come out again.
        Result result = run("train", "lenet300", "--from", out.toString(), "--data", data.toString(), "--epochs", "1",
                "--batch-size", "32", "--validation", "64", "--threads", "1", "--lr", "1e-30", "--out",
                longer.toString());
        assertEquals(Commands.OK, result.exit(), result.err());
        Path weights = out.resolve(Checkpoint.WEIGHTS);
        assertTrue(result.err().contains("weights of " + weights), result.err());
        assertEquals(weights.toString(), new ObjectMapper().readTree(Files.readString(longer.resolve("run.json")))
                .get("settings").get("from").asText());
        Net model = Models.byName("lenet300");
        CompressedWeights before = NetworkFile.read(weights, model, Map.of());
        CompressedWeights after = NetworkFile.read(longer.resolve(Checkpoint.WEIGHTS), model, Map.of());
        for (String name : List.of("fc1.weight", "fc3.bias")) {
            assertArrayEquals(before.tensor(name).toArray(), after.tensor(name).toArray(), name);
        }
        assertExplained(Commands.USAGE, "holds a network lenet300, not lenet5",
                run("train", "lenet5", "--from", out.toString(), "--data", data.toString(), "--out",
                        folder.resolve("five").toString()));
        assertFalse(Files.exists(folder.resolve("five")));
        assertExplained(Commands.USAGE, "would be lost", run("train", "lenet300", "--from", out.toString(), "--data",
                data.toString(), "--out", out.toString()));
        assertTrue(Files.exists(weights));
    }

    @Test
    void aResumedRunKeepsItsPrecision() throws IOException {
        assumeTrue(Precision.BF16.obstacle().isEmpty());
        Path report = folder.resolve("report.json");
        Result first = train("--precision", "bf16", "--report", report.toString());
        assertEquals(Commands.OK, first.exit(), first.err());
        assertTrue(first.err().contains("; bf16;"), first.err());
        JsonNode json = new ObjectMapper().readTree(Files.readString(report));
        assertEquals("bf16", json.get("precision").asText());
        assertEquals("bf16", json.get("settings").get("precision").asText());
        Result again = run("train", "--resume", out.toString());
        assertEquals(Commands.OK, again.exit(), again.err());
        assertTrue(again.err().contains("; bf16;"), again.err());
        assertExplained(Commands.USAGE, "--precision fp32 differs from the run's bf16",
                run("train", "--resume", out.toString(), "--precision", "fp32"));
        for (String precision : List.of("fp32", "bf16")) {
            Result eval = run("eval", out.toString(), "--data", data.toString(), "--threads", "1", "--precision",
                    precision, "--report", report.toString());
            assertEquals(Commands.OK, eval.exit(), eval.err());
            assertEquals(precision, new ObjectMapper().readTree(Files.readString(report)).get("precision").asText());
        }
        assertExplained(Commands.USAGE, "the sparse engine has fp32 only", run("eval", out.toString(), "--data",
                data.toString(), "--precision", "bf16", "--engine", "sparse"));
    }

    @Test
    void aRunOfOldWithoutAPrecisionIsInFp32() throws IOException {
        train();
        Path settings = out.resolve("run.json");
        String text = Files.readString(settings);
        String old = text.replaceAll(",\\s*\"precision\" : \"fp32\"", "");
        assertTrue(old.length() < text.length(), text);
        Files.writeString(settings, old);
        Result again = run("train", "--resume", out.toString(), "--precision", "fp32");
        assertEquals(Commands.OK, again.exit(), again.err());
        assertTrue(again.err().contains("; fp32;"), again.err());
    }

    @Test
    void damagedCheckpointsAreExplainedAndLeftAlone() throws IOException {
        train();
        Path checkpoint = out.resolve(Checkpoint.FILE);
        byte[] whole = Files.readAllBytes(checkpoint);
        for (int length : new int[]{0, 5, 100, whole.length / 2, whole.length - 1}) {
            byte[] part = Arrays.copyOf(whole, length);
            Files.write(checkpoint, part);
            assertExplained(Commands.USAGE, Checkpoint.FILE, run("train", "--resume", out.toString()));
            assertEquals(length, Files.size(checkpoint));
        }
        Files.write(checkpoint, whole);
        Files.writeString(out.resolve("run.json"), "{\"settings\": ");
        assertExplained(Commands.USAGE, "run.json is damaged", run("train", "--resume", out.toString()));
        Files.writeString(out.resolve("run.json"), "{}");
        assertExplained(Commands.USAGE, "run.json is damaged", run("train", "--resume", out.toString()));
    }

    @Test
    void weightsThatAreNoneAreExplained() throws IOException {
        Path file = Files.write(folder.resolve("w.safetensors"), "nonsense".getBytes(StandardCharsets.UTF_8));
        assertExplained(Commands.USAGE, "w.safetensors", run("eval", file.toString()));
        Files.createDirectories(out);
        assertExplained(Commands.USAGE, "give the folder of a run", run("eval", out.toString()));
        Files.createFile(out.resolve(Checkpoint.FILE));
        assertExplained(Commands.USAGE, "is not finished", run("eval", out.toString()));
    }

    @Test
    void anUnfinishedRunIsNotOverwritten() throws IOException {
        train();
        Files.delete(out.resolve(Checkpoint.WEIGHTS));
        byte[] checkpoint = Files.readAllBytes(out.resolve(Checkpoint.FILE));
        Result again = train("--seed", "3");
        assertEquals(Commands.OK, again.exit(), again.err());
        Path previous = out.resolve("previous");
        assertTrue(again.err().contains("--resume " + previous), again.err());
        assertTrue(Arrays.equals(checkpoint, Files.readAllBytes(previous.resolve(Checkpoint.FILE))));
        assertEquals(Commands.OK, run("train", "--resume", previous.toString()).exit());
    }

    @Test
    void theDataCommandVerifiesAndDraws() {
        Path sheet = folder.resolve("sheet.png");
        Result result = run("data", "mnist", "--data", data.toString(), "--sheet", sheet.toString(), "--part", "TEST");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("120x28x28") && result.out().contains("other"), result.out());
        assertTrue(Files.exists(sheet));
        assertTrue(run("data", "mnist").out().contains("60000x28x28      MNIST"));
    }

    @ParameterizedTest
    @CsvSource({"lenet.pare,", "lenet.safetensors,", "lenet.onnx,", "other.bin,safetensors_compressed",
        "other.onnx,onnx_codebook"})
    void everyKindOfFileHoldsTheSameNetwork(String name, String kind) throws IOException {
        train();
        Path file = folder.resolve(name);
        List<String> export = new ArrayList<>(List.of("export", out.toString(), "--out", file.toString()));
        if (kind != null) {
            export.addAll(List.of("--as", kind));
        }
        Result exported = run(export.toArray(new String[0]));
        assertEquals(Commands.OK, exported.exit(), exported.err());
        assertTrue(exported.out().contains("of lenet300"), exported.out());
        String expected = line(run("eval", out.toString(), "--data", data.toString()).out(), "test accuracy");
        for (String engine : List.of("dense", "sparse")) {
            Result eval = run("eval", file.toString(), "--data", data.toString(), "--engine", engine);
            assertEquals(Commands.OK, eval.exit(), eval.err());
            assertEquals(expected, line(eval.out(), "test accuracy"));
        }
        Path report = folder.resolve("inspect.json");
        Result inspected = run("inspect", file.toString(), "--report", report.toString());
        assertEquals(Commands.OK, inspected.exit(), inspected.err());
        assertTrue(inspected.out().contains("266,200 of 266,200 kept"), inspected.out());
        JsonNode json = new ObjectMapper().readTree(Files.readString(report));
        assertEquals(4 * 266_610, json.get("float32Bytes").asInt());
        assertEquals(6, json.get("tensors").size());
    }

    @Test
    void picturesOfAnySizeArePredicted() throws IOException {
        train();
        Path pictures = Files.createDirectories(folder.resolve("pictures"));
        BufferedImage small = new BufferedImage(28, 28, BufferedImage.TYPE_INT_RGB);
        BufferedImage large = new BufferedImage(56, 84, BufferedImage.TYPE_INT_RGB);
        BufferedImage paper = new BufferedImage(28, 28, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 84; y++) {
            for (int x = 0; x < 56; x++) {
                int grey = (y / 3 * 28 + x / 2) % 256;
                large.setRGB(x, y, grey * 0x10101);
                small.setRGB(x / 2, y / 3, grey * 0x10101);
                paper.setRGB(x / 2, y / 3, (255 - grey) * 0x10101);
            }
        }
        ImageIO.write(small, "png", pictures.resolve("a.png").toFile());
        ImageIO.write(large, "png", pictures.resolve("b.png").toFile());
        Path inverted = folder.resolve("paper.png");
        ImageIO.write(paper, "png", inverted.toFile());
        List<String> lines =
                run("predict", out.toString(), "--image", pictures.toString(), "--top", "3", "--batch", "2")
                        .out().lines().toList();
        BufferedImage grey = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
        for (int p = 0; p < 784; p++) {
            grey.getRaster().setSample(p % 28, p / 28, 0, small.getRGB(p % 28, p / 28) & 0xff);
        }
        Path greyFile = folder.resolve("grey.png");
        ImageIO.write(grey, "png", greyFile.toFile());
        String asGrey = run("predict", out.toString(), "--image", greyFile.toString(), "--top", "3").out();
        assertTrue(asGrey.strip().endsWith(lines.get(0).substring(lines.get(0).indexOf("  "))), asGrey);
        BufferedImage deep = new BufferedImage(28, 28, BufferedImage.TYPE_USHORT_GRAY);
        for (int p = 0; p < 784; p++) {
            deep.getRaster().setSample(p % 28, p / 28, 0, (small.getRGB(p % 28, p / 28) & 0xff) * 0x101);
        }
        Path deepFile = folder.resolve("deep.png");
        ImageIO.write(deep, "png", deepFile.toFile());
        String asDeep = run("predict", out.toString(), "--image", deepFile.toString(), "--top", "3").out();
        assertTrue(asDeep.strip().endsWith(lines.get(0).substring(lines.get(0).indexOf("  "))), asDeep);
        assertEquals(2, lines.size());
        assertEquals(best(lines.get(0)), best(lines.get(1)), "the same drawing, larger");
        String ink = run("predict", out.toString(), "--image", inverted.toString(), "--invert", "--top", "3").out();
        assertTrue(ink.strip().endsWith(lines.get(0).substring(lines.get(0).indexOf("  "))), ink);
    }

    /** The first class that a line of predict names. */
    private static String best(String line) {
        return line.substring(line.indexOf("  ")).strip().split(" ")[0];
    }

    @Test
    void predictNamesWhatItLeavesOutAndSkipsWhatIsDamaged() throws IOException {
        train();
        Path pictures = Files.createDirectories(folder.resolve("pictures"));
        ImageIO.write(new BufferedImage(28, 28, BufferedImage.TYPE_INT_RGB), "png", pictures.resolve("b.png").toFile());
        ImageIO.write(new BufferedImage(28, 28, BufferedImage.TYPE_INT_RGB), "gif", pictures.resolve("c.gif").toFile());
        Files.writeString(pictures.resolve("a.png"), "not a picture");
        Files.writeString(pictures.resolve("d.webp"), "RIFF");
        Files.writeString(pictures.resolve("notes"), "none either");
        String[] line = {"predict", out.toString(), "--image", pictures.toString()};
        assertExplained(Commands.USAGE, "a.png is no picture", run(line));
        line = Arrays.copyOf(line, 6);
        line[4] = "--damaged";
        line[5] = "skip";
        Result skipped = run(line);
        assertEquals(Commands.OK, skipped.exit(), skipped.err());
        assertEquals(List.of("b.png", "c.gif"), skipped.out().lines()
                .map(text -> Path.of(text.substring(0, text.indexOf("  "))).getFileName().toString()).toList());
        assertTrue(skipped.err().contains("left out of " + pictures + ": 1 .webp, 1 without an ending"), skipped.err());
        assertTrue(skipped.err().contains("skipped " + pictures.resolve("a.png") + ": it is no picture"),
                skipped.err());
        line[3] = pictures.resolve("a.png").toString();
        assertExplained(Commands.USAGE, "none of 1 pictures can be read", run(line));
        line[5] = "convert";
        assertExplained(Commands.USAGE, "--damaged is convert", run(line));
        assertExplained(Commands.USAGE, "'mauve' is no colour", run("predict", out.toString(), "--image",
                pictures.toString(), "--background", "mauve"));
    }

    @Test
    void picturesAndFilesThatAreNoneAreExplained() throws IOException {
        train();
        Path text = Files.writeString(folder.resolve("a.png"), "not a picture");
        assertExplained(Commands.USAGE, "is no picture", run("predict", out.toString(), "--image", text.toString()));
        assertExplained(Commands.USAGE, "none.png does not exist",
                run("predict", out.toString(), "--image", folder.resolve("none.png").toString()));
        Path empty = Files.createDirectories(folder.resolve("empty"));
        assertExplained(Commands.USAGE, "holds no picture",
                run("predict", out.toString(), "--image", empty.toString()));
        assertExplained(Commands.USAGE, "neither a .pare nor", run("inspect", text.toString()));
        assertExplained(Commands.USAGE, "say which by --as",
                run("export", out.toString(), "--out", folder.resolve("x.bin").toString()));
        assertExplained(Commands.USAGE, "'tar' is none of pare, safetensors",
                run("export", out.toString(), "--out", "x", "--as", "tar"));
        Path pare = folder.resolve("x.pare");
        run("export", out.toString(), "--out", pare.toString());
        byte[] whole = Files.readAllBytes(pare);
        Files.write(pare, Arrays.copyOf(whole, whole.length - 7));
        assertExplained(Commands.USAGE, "x.pare", run("eval", pare.toString()));
    }

    private static String line(String text, String start) {
        return text.lines().filter(line -> line.startsWith(start)).findFirst().orElseThrow();
    }

    private Result train(String... more) {
        List<String> args = new ArrayList<>(List.of("train", "lenet300", "--data", data.toString(), "--out",
                out.toString(), "--epochs", "1", "--batch-size", "10", "--threads", "1", "--lr", "0.0001"));
        for (int i = 0; i < more.length; i++) {
            int at = args.indexOf(more[i]);
            if (at >= 0 && more[i].startsWith("--")) {
                args.set(at + 1, more[++i]);
            } else {
                args.add(more[i]);
            }
        }
        return run(args.toArray(new String[0]));
    }

    private static Result run(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Commands.line().setOut(new PrintWriter(out)).setErr(new PrintWriter(err))
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
        int exit = line.execute(args);
        return new Result(exit, out.toString(), err.toString());
    }

    private static void assertExplained(int exit, String expected, Result result) {
        assertEquals(exit, result.exit(), result.err());
        assertTrue(result.err().contains(expected), result.err());
        assertFalse(result.err().contains("\tat "), result.err());
        assertTrue(result.err().lines().filter(text -> text.startsWith("pare: ")).count() == 1, result.err());
    }

    @Test
    void whatIsBuiltForOneCommandIsThatOfAll() {
        CommandLine all = Commands.line();
        all.getSubcommands().forEach((name, expected) -> {
            CommandLine found = Commands.lineFor("--debug", name);
            assertEquals(List.copyOf(all.getSubcommands().keySet()), List.copyOf(found.getSubcommands().keySet()));
            assertEquals(expected.getUsageMessage(), found.getSubcommands().get(name).getUsageMessage());
            assertEquals(all.getUsageMessage(), found.getUsageMessage());
        });
        assertEquals(all.getSubcommands().get("train").getUsageMessage(),
                Commands.lineFor("@words").getSubcommands().get("train").getUsageMessage());
    }

    @ParameterizedTest
    @CsvSource({"train,train --help", "data mnist,data mnist --help", "help,help --help", "'',--help"})
    void helpIsAWordTo(String asked, String option) {
        Result word = run(("help " + asked).strip().split(" "));
        assertEquals(Commands.OK, word.exit(), word.err());
        assertEquals(run(option.split(" ")).out(), word.out());
    }

    @Test
    void helpForWhatIsNoCommandIsAWrongCommandLine() {
        assertExplained(Commands.USAGE, "unknown command 'nonsense'", run("help", "nonsense"));
        assertExplained(Commands.USAGE, "unknown command 'trian'; did you mean train", run("help", "trian"));
        assertExplained(Commands.USAGE, "'mnst'", run("help", "data", "mnst"));
        assertExplained(Commands.USAGE, "one argument too many: 'more'", run("help", "train", "more"));
    }

    @Test
    void argumentsInAFileNameACommandToo() throws IOException {
        Path words = Files.writeString(folder.resolve("words"), "models lenet5");
        StringWriter text = new StringWriter();
        String[] args = {"@" + words};
        assertEquals(Commands.OK, Commands.lineFor(args).setOut(new PrintWriter(text)).execute(args));
        assertTrue(text.toString().contains("430,500"), text.toString());
    }
}
