package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.pare.data.CifarFiles;
import io.pare.data.IdxFiles;
import io.pare.data.Pictures;
import io.pare.train.Checkpoint;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The choice of data sets on the command line, in this JVM. */
class DataSetsTest {
    @TempDir
    Path folder;

    /** What a command came to. */
    private record Result(int exit, String out, String err) {}

    @Test
    void fashionIsTrainedAndEvaluatedWithItsOwnScale() throws IOException {
        Path data = IdxFiles.folder(folder.resolve("data"), 120, 40);
        Path out = folder.resolve("out");
        Path report = folder.resolve("report.json");
        Result result = train(out, "--dataset", "fashion", "--data", data, "--report", report);
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("data                 Fashion-MNIST"), result.out());
        JsonNode json = new ObjectMapper().readTree(Files.readString(report));
        assertEquals("Fashion-MNIST", json.get("dataset").asText());
        assertTrue(json.get("settings").get("flip").asBoolean());
        Result eval = run("eval", out, "--threads", 1);
        assertTrue(eval.out().contains("data           Fashion-MNIST"), eval.out());
        assertTrue(eval.out().contains(String.format("%.4f", json.get("testAccuracy").asDouble())), eval.out());
        assertTrue(eval.out().contains(String.format("%.4f", json.get("testLoss").asDouble())), eval.out());
        Path pare = folder.resolve("f.pare");
        run("export", out, "--out", pare);
        Result packed = run("eval", pare, "--dataset", "fashion", "--data", data);
        assertTrue(packed.out().contains(String.format("%.4f", json.get("testLoss").asDouble())), packed.out());
        Result other = run("eval", pare, "--dataset", "fashion", "--data", data, "--scale", "mnist");
        assertFalse(other.out().contains(String.format("%.4f", json.get("testLoss").asDouble())), other.out());
    }

    @ParameterizedTest
    @ValueSource(strings = {".png", ".jpg"})
    void picturesAreTrainedOnToTheSameBitsWhateverTheLoaders(String ending) throws IOException {
        int side = ending.equals(".png") ? 28 : 40;
        Path data = Pictures.folder(folder.resolve("data"), 30, side, side, ending);
        for (String part : List.of("train", "test")) {
            for (int i = 0; i < 8; i++) {
                // Ten classes, as the network has.
                Path more = data.resolve(part).resolve("z" + i);
                Files.createDirectories(more);
                Files.copy(data.resolve(part).resolve("one/p0" + ending), more.resolve("a" + ending));
            }
        }
        byte[] first = null;
        for (int loaders : new int[]{0, 2}) {
            Path out = folder.resolve("out" + loaders);
            Path report = folder.resolve("report.json");
            Result result = train(out, "--data", data, "--loaders", loaders, "--flip", "--report", report);
            assertEquals(Commands.OK, result.exit(), result.err());
            assertTrue(result.out().contains("data                 " + data), result.out());
            assertEquals(loaders > 0, result.err().contains("2 more to load images"), result.err());
            byte[] weights = Files.readAllBytes(out.resolve(Checkpoint.WEIGHTS));
            assertTrue(first == null || Arrays.equals(first, weights));
            first = weights;
            JsonNode json = new ObjectMapper().readTree(Files.readString(report));
            assertEquals(ending.equals(".jpg"), json.has("skippedImages"));
            Result eval = run("eval", out, "--threads", 1, "--loaders", loaders);
            assertTrue(eval.out().contains(String.format("%.4f", json.get("testLoss").asDouble())), eval.out());
        }
        Result resumed = run("train", "--resume", folder.resolve("out2"), "--quiet");
        assertEquals(Commands.OK, resumed.exit(), resumed.err());
        assertExplained(
                ending.equals(".png") ? "--crop random differs from the run's center" : "--crop center differs from",
                run("train", "--resume", folder.resolve("out2"), "--crop",
                        ending.equals(".png") ? "random" : "center"),
                ending);
    }

    @Test
    void syntheticDataIsLabelledInEveryLineAndReport() throws IOException {
        Path out = folder.resolve("out");
        Path report = folder.resolve("report.json");
        Result result = train(out, "--data", "synthetic", "--images", 60, "--report", report);
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("data                 synthetic noise, not real data"), result.out());
        assertTrue(result.err().lines().filter(line -> line.startsWith("epoch"))
                .allMatch(line -> line.contains("synthetic data")), result.err());
        JsonNode json = new ObjectMapper().readTree(Files.readString(report));
        assertTrue(json.get("dataset").asText().contains("synthetic"));
        assertTrue(run("eval", out).out().contains("synthetic noise"), "eval");
        Result sensitivity = run("sensitivity", "lenet300", "--from", out, "--data", "synthetic", "--images", 60);
        assertTrue(sensitivity.out().startsWith("data           synthetic noise"), sensitivity.out());
    }

    @Test
    void cifarIsFetchedFromAnotherPlaceOnlyWithTheRightChecksum() throws IOException {
        byte[] archive = CifarFiles.archive(Map.of("train.bin", CifarFiles.records(3, 2, 100)));
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/c.tar.gz", exchange -> {
            exchange.sendResponseHeaders(200, archive.length);
            exchange.getResponseBody().write(archive);
            exchange.close();
        });
        server.start();
        try {
            String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/c.tar.gz";
            Path data = folder.resolve("cifar");
            assertExplained("it should be 58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                    run("data", "cifar100", "--data", data, "--download", "--url", url), "checksum");
            try (var left = Files.list(data)) {
                assertEquals(List.of(), left.toList());
            }
            CifarFiles.ten(data, 10);
            Result there = run("data", "cifar10", "--data", data, "--download", "--url", url, "--sheet",
                    folder.resolve("s.png"));
            assertEquals(Commands.OK, there.exit(), there.err());
            assertTrue(there.out().contains("data_batch_5.bin         10               other"), there.out());
            assertTrue(Files.exists(folder.resolve("s.png")));
        } finally {
            server.stop(0);
        }
    }

    @Test
    void cifarMayLieInPictures() throws IOException {
        Path data = Pictures.folder(folder.resolve("data"), 4, 32, 32, ".png");
        assertExplained("has 2 classes, CIFAR-10 has 10", run("data", "cifar10", "--data", data), "classes");
        for (String part : List.of("train", "test")) {
            for (int i = 0; i < 8; i++) {
                Files.createDirectories(data.resolve(part).resolve("z" + i));
                Files.copy(data.resolve(part).resolve("one/p0.png"), data.resolve(part).resolve("z" + i + "/a.png"));
            }
        }
        Result result = run("data", "cifar10", "--data", data);
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("train images by class    [4, 4, 1, 1"), result.out());
        assertExplained("takes images of 1x28x28 in 10 classes; these are " + data,
                train(folder.resolve("out"), "--dataset", "cifar10", "--data", data), "shape");
    }

    @Test
    void aFolderIsLookedThroughAndDamageIsNamed() throws IOException {
        Path data = Pictures.folder(folder.resolve("data"), 4, 50, 40, ".jpg");
        Result good = run("data", "folder", data, "--size", 32);
        assertEquals(Commands.OK, good.exit(), good.err());
        assertTrue(good.out().contains("images damaged           0"), good.out());
        Path bad = Files.writeString(data.resolve("train/two/p1.jpg"), "not a picture");
        Result result = run("data", "folder", data, "--size", 32);
        assertExplained("1 damaged images are named above", result, "damaged");
        assertTrue(result.out().contains("skipped " + bad + ": it is no picture that is read here"), result.out());
        assertExplained(bad + " is no picture", train(folder.resolve("out"), "--data", data), "refused");
        assertFalse(Files.exists(folder.resolve("out")));
    }

    @Test
    void transparentPicturesAreLaidUponTheBackgroundInEveryCommand() throws IOException {
        Path clear = Pictures.folder(folder.resolve("clear"), 10, 28, 28, ".png");
        Path white = Pictures.folder(folder.resolve("white"), 10, 28, 28, ".png");
        for (String part : List.of("train", "test")) {
            for (int i = 0; i < 8; i++) {
                for (Path data : List.of(clear, white)) {
                    Files.createDirectories(data.resolve(part).resolve("z" + i));
                    Files.copy(data.resolve(part).resolve("one/p0.png"),
                            data.resolve(part).resolve("z" + i + "/a.png"));
                }
            }
            for (int i = 0; i < 5; i++) {
                String name = part + "/two/p" + i + ".png";
                Pictures.write(clear.resolve(name), new BufferedImage(28, 28, BufferedImage.TYPE_INT_ARGB));
                BufferedImage paper = new BufferedImage(28, 28, BufferedImage.TYPE_INT_RGB);
                paper.createGraphics().fillRect(0, 0, 28, 28);
                Pictures.write(white.resolve(name), paper);
            }
        }
        Path laid = folder.resolve("laid");
        Path drawn = folder.resolve("drawn");
        assertEquals(Commands.OK, train(laid, "--data", clear, "--background", "white").exit());
        assertEquals(Commands.OK, train(drawn, "--data", white).exit());
        assertArrayEquals(Files.readAllBytes(drawn.resolve(Checkpoint.WEIGHTS)),
                Files.readAllBytes(laid.resolve(Checkpoint.WEIGHTS)));
        // A run's folder knows its background.
        String loss = lossOf(run("eval", drawn, "--threads", 1));
        assertEquals(loss, lossOf(run("eval", laid, "--threads", 1)));
        assertEquals(loss, lossOf(run("eval", laid, "--data", clear, "--background", "#ffffff", "--threads", 1)));
        assertNotEquals(loss, lossOf(run("eval", laid, "--data", clear, "--threads", 1)));
        Path picture = clear.resolve("test/two/p0.png");
        String paper = run("predict", laid, "--image", white.resolve("test/two/p0.png")).out();
        assertEquals(paper.substring(paper.indexOf("  ")),
                run("predict", laid, "--image", picture, "--background", "White").out()
                        .substring(picture.toString().length()));
        assertExplained("--background #fffffe differs from the run's white",
                run("train", "--resume", laid, "--background", "#fffffe"), "resume");
    }

    private static String lossOf(Result eval) {
        return eval.out().lines().filter(line -> line.startsWith("test loss")).findFirst().orElseThrow();
    }

    @Test
    void pythonFilesOfCifarAreNamedWhateverTheNetwork() throws IOException {
        Path data = Files.createDirectories(folder.resolve("cifar-100-python"));
        for (String name : List.of("train", "test", "meta")) {
            Files.writeString(data.resolve(name), "pickled");
        }
        String expected = data + " holds the Python files of CIFAR-100";
        for (String set : List.of("", "--dataset=cifar100", "--dataset=cifar10", "--dataset=folder",
                "--dataset=mnist")) {
            List<Object> more = new ArrayList<>(List.of("--data", data));
            if (!set.isEmpty()) {
                more.add(set);
            }
            assertExplained(expected, train(folder.resolve("out"), more.toArray()), set);
        }
        assertExplained(expected, run("data", "cifar100", "--data", data), "data");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "train lenet5 --dataset imagenet | 'imagenet' is none of mnist, fashion, cifar10, cifar100, cifar100-coarse, emnist, folder, arrays, synthetic",
        "train lenet5 --dataset folder | which folder? Give --data DIR",
        "train lenet5 --dataset cifar10 | where is cifar10? It is not in data/cifar10: give --data DIR, or fetch it: pare",
        "train lenet5 --dataset mnist --data synthetic | contradict each other",
        "train lenet5 --data synthetic --images 0 | --images is 0, must be at least 1",
        "train lenet5 --damaged convert | what cannot be read is skipped or refused",
        "train lenet5 --non-rgb drop | 'drop' is none of convert, skip, refuse",
        "train lenet5 --rotate 181 | --rotate cannot be 181.0: it is degrees from 0 to 180",
        "train lenet5 --zoom 1 | --zoom cannot be 1.0: it is a share from 0 to below 1",
        "train lenet5 --shear -1 | --shear cannot be -1.0",
        "train lenet5 --elastic NaN | --elastic cannot be NaN",
        "train lenet5 --crop left | 'left' is none of center, random, resized",
        "train lenet5 --loaders -1 | --loaders is -1, must be from 0",
        "train lenet5 --resize -1 | --resize is -1",
        "train lenet5 --scale weird | --scale weird is neither one of cifar10, cifar100, fashion",
        "train lenet5 --scale 0.5/0 | cannot scale pixels",
        "train lenet5 --scale imagenet | --scale imagenet is for 3 channels, MNIST has 1",
        "data cifar10 --url http://localhost/x | give both",
        "data cifar10 --data /none --download --url ftp://localhost/x | does not begin with http",
        "data cifar10 --data /none | the folder /none does not exist",
        "data folder /none | the folder /none does not exist"})
    void wrongCommandLinesAreExplained(String line, String expected) {
        Path out = folder.resolve("out");
        List<Object> args = new ArrayList<>(List.of((Object[]) line.split(" ")));
        if (line.startsWith("train")) {
            args.addAll(List.of("--out", out));
        }
        assertExplained(expected, run(args.toArray()), line);
        assertFalse(Files.exists(out));
    }

    private static Result train(Path out, Object... more) {
        List<Object> args =
                new ArrayList<>(List.of("train", "lenet300", "--out", out, "--epochs", 2, "--batch-size", 10,
                        "--threads", 1));
        args.addAll(List.of(more));
        return run(args.toArray());
    }

    private static Result run(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Commands.line().setOut(new PrintWriter(out)).setErr(new PrintWriter(err))
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
        int exit = line.execute(Arrays.stream(args).map(Object::toString).toArray(String[]::new));
        return new Result(exit, out.toString(), err.toString());
    }

    private static void assertExplained(String expected, Result result, String what) {
        assertEquals(Commands.USAGE, result.exit(), what + ": " + result.err());
        assertTrue(result.err().contains(expected), result.err());
        assertEquals(1, result.err().lines().filter(text -> text.startsWith("pare: ")).count(), result.err());
    }
}
