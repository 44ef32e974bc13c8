package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.data.IdxFiles;
import io.pare.report.EventReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What trainings and compressions write for TensorBoard, beside what their reports say. */
class TensorBoardTest {
    private static final String RECIPE = """
            name: brief
            model: lenet300
            dense: {epochs: 1, batchSize: 40, shift: 0}
            train: {epochs: 2, batchSize: 40}
            stages:
              - admm-prune: {keep: {ratio: 50, removeDead: false}}
              - mask-retrain: {}
            """;
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private String data() throws IOException {
        return IdxFiles.folder(folder.resolve("data"), 120, 40).toString();
    }

    private static void run(int exit, String... words) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        TerminalWriter writer = TerminalWriter.of(said, StandardCharsets.UTF_8);
        int found = Commands.run(writer, writer, words);
        writer.flush();
        assertEquals(exit, found, said.toString(StandardCharsets.UTF_8));
    }

    @Test
    void aTrainingWritesEachEpochAndAnotherOneTakesItsPlace() throws IOException {
        Path out = folder.resolve("run");
        Path events = folder.resolve("events");
        for (String epochs : List.of("4", "3")) {
            run(Commands.OK, "train", "lenet300", "--data", data(), "--epochs", epochs, "--batch-size", "20", "--quiet",
                    "--threads", "1", "--lr", "0.01", "--out", out.toString(), "--tensorboard", events.toString());
        }
        JsonNode history = JSON.readTree(out.resolve("run.json").toFile()).get("history");
        assertEquals(3, history.size());
        Map<String, TreeMap<Long, Float>> numbers = EventReader.numbers(events);
        assertEquals(Set.of("accuracy/train", "accuracy/validation", "learning-rate", "loss/train", "loss/validation",
                "nonzeros/all", "nonzeros/fc1.weight", "nonzeros/fc2.weight", "nonzeros/fc3.weight"), numbers.keySet());
        for (JsonNode row : history) {
            long epoch = row.get("epoch").longValue();
            assertEquals((float) row.get("trainLoss").doubleValue(), numbers.get("loss/train").get(epoch));
            assertEquals((float) row.get("trainAccuracy").doubleValue(), numbers.get("accuracy/train").get(epoch));
            assertEquals((float) row.get("validationLoss").doubleValue(), numbers.get("loss/validation").get(epoch));
            assertEquals((float) row.get("validationAccuracy").doubleValue(),
                    numbers.get("accuracy/validation").get(epoch));
        }
        numbers.forEach((tag, points) -> assertEquals(Set.of(1L, 2L, 3L), points.keySet(), tag));
        // A cosine ends near its floor of 0.
        assertTrue(numbers.get("learning-rate").get(3L) < numbers.get("learning-rate").get(1L) / 10);
        List<EventReader.Event> last = EventReader.read(files(events).getLast());
        double[][] weights = last.getLast().histograms().get("weights/fc3.weight");
        assertEquals(numbers.get("nonzeros/fc3.weight").get(3L), (float) weights[0][2]);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    @Test
    void aCompressionWritesItsDenseTrainingAndItsStages() throws IOException {
        Path recipe = Files.writeString(folder.resolve("brief.yaml"), RECIPE);
        Path report = folder.resolve("report.json");
        Path events = folder.resolve("events");
        run(Commands.OK, "compress", "lenet300", "--recipe", recipe.toString(), "--data", data(), "--threads", "1",
                "--quiet", "--no-pack", "--out", folder.resolve("out").toString(), "--report", report.toString(),
                "--tensorboard",
                events.toString());
        assertEquals(2, files(events).size());
        assertEquals(1, EventReader.numbers(events.resolve("dense")).get("loss/train").size());
        Map<String, TreeMap<Long, Float>> numbers = EventReader.numbers(events.resolve("brief"));
        List<JsonNode> epochs = new ArrayList<>();
        JSON.readTree(report.toFile()).get("stages").forEach(stage -> stage.get("epochs").forEach(epochs::add));
        assertEquals(4, epochs.size());
        for (JsonNode row : epochs) {
            long epoch = row.get("epoch").longValue();
            assertEquals((float) row.get("trainLoss").doubleValue(), numbers.get("loss/train").get(epoch));
            assertEquals((float) row.get("learningRate").doubleValue(), numbers.get("learning-rate").get(epoch));
            for (JsonNode layer : row.get("layers")) {
                assertEquals((float) layer.get("kept").longValue(),
                        numbers.get("nonzeros/" + layer.get("name").asText()).get(epoch));
            }
            for (JsonNode residual : row.get("residuals")) {
                assertEquals((float) (residual.get("primal").doubleValue() / residual.get("norm").doubleValue()),
                        numbers.get("primal-residual/" + residual.get("tensor").asText()).get(epoch));
            }
        }
        assertEquals(Set.of(1L, 2L), numbers.get("dual-residual/fc1.weight").keySet());
    }

    /** Two kills: the second comes after a resume. */
    @Test
    @Tag("process")
    void whatAKilledTrainingWroteIsReadAndGoesOn() throws Exception {
        Path out = folder.resolve("run");
        Path events = folder.resolve("events");
        Jvm jvm = Jvm.plain("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Dpare.native=off",
                "-Dpare.kernels=scalar");
        Process process = jvm.start(folder.resolve("said"), "train", "lenet300", "--data", data(), "--epochs", "5000",
                "--batch-size", "20", "--threads", "1", "--quiet", "--out", out.toString(), "--tensorboard",
                events.toString());
        int seen = 0;
        while (seen < 3) {
            assertTrue(process.isAlive(), Files.readString(folder.resolve("said")));
            seen = Files.isDirectory(events)
                    ? EventReader.numbers(events).getOrDefault("loss/train", new TreeMap<>()).size()
                    : 0;
        }
        process.destroyForcibly();
        Jvm.await(process);
        TreeMap<Long, Float> before = EventReader.numbers(events).get("loss/train");
        assertTrue(before.size() >= 3 && before.lastKey() == before.size(), before.toString());

        process = jvm.start(folder.resolve("said"), "train", "--resume", out.toString(), "--quiet", "--tensorboard",
                events.toString());
        TreeMap<Long, Float> after = before;
        while (files(events).size() < 2 || after.size() < before.size() + 2) {
            assertTrue(process.isAlive(), Files.readString(folder.resolve("said")));
            after = EventReader.numbers(events).get("loss/train");
        }
        process.destroyForcibly();
        Jvm.await(process);
        // The epoch whose checkpoint was cut off was trained again, to the same bits.
        assertEquals(before, new TreeMap<>(after.headMap(before.lastKey(), true)));
        assertEquals(after.size(), after.lastKey());
    }
}
