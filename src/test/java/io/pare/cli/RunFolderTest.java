package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pare.data.DataException;
import io.pare.data.IdxFiles;
import io.pare.file.FolderLock;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import io.pare.run.RunFolder;
import io.pare.train.Checkpoint;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The folder of a training: in what order it is written, so that a kill loses nothing, and what damage to it does. */
class RunFolderTest {
    private static final String SETTINGS = "run.json";

    @TempDir
    Path folder;

    private Path out;
    private Path data;

    @BeforeEach
    void data() throws IOException {
        out = Files.createDirectory(folder.resolve("out"));
        data = IdxFiles.folder(folder.resolve("data"), 60, 20);
    }

    /** Gives what was said on stderr. */
    private static String run(int exit, String... args) {
        StringWriter err = new StringWriter();
        int found = Commands.line().setOut(new PrintWriter(new StringWriter())).setErr(new PrintWriter(err))
                .execute(args);
        assertEquals(exit, found, err::toString);
        return err.toString();
    }

    private void train() {
        assertEquals("", run(Commands.OK, "train", "lenet300", "--data", data.toString(), "--epochs", "2",
                "--batch-size", "20", "--threads", "1", "--quiet", "--out", out.toString()));
    }

    @Test
    void theHistoryIsWrittenBeforeTheCheckpointAndBeforeTheWeights() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"),
                "elsewhere changes of a folder are not told in order");
        List<String> written = new ArrayList<>();
        try (WatchService service = out.getFileSystem().newWatchService()) {
            out.register(service, StandardWatchEventKinds.ENTRY_CREATE);
            train();
            while (!written.contains(Checkpoint.WEIGHTS)) {
                WatchKey key = service.poll(60, TimeUnit.SECONDS);
                key.pollEvents().stream().map(event -> event.context().toString())
                        .filter(name -> !name.startsWith(".")).forEach(written::add);
                key.reset();
            }
        }
        assertEquals(List.of(SETTINGS, SETTINGS, Checkpoint.FILE, SETTINGS, Checkpoint.FILE, SETTINGS,
                Checkpoint.WEIGHTS), written);
    }

    @Test
    void anEpochThatTheCheckpointDoesNotKnowIsTrainedAgainAndToldOnce() throws IOException {
        train();
        Path settings = out.resolve(SETTINGS);
        byte[] whole = Files.readAllBytes(settings);
        ObjectMapper mapper = new ObjectMapper();
        JsonNode run = mapper.readTree(whole);
        ArrayNode history = (ArrayNode) run.get("history");
        history.add(((ObjectNode) history.get(1).deepCopy()).put("epoch", 3));
        mapper.writeValue(settings.toFile(), run);
        assertEquals("", run(Commands.OK, "train", "--resume", out.toString(), "--quiet"));
        assertEquals(mapper.readTree(whole), mapper.readTree(settings.toFile()));
        history.removeAll().addObject().put("epoch", 2);
        mapper.writeValue(settings.toFile(), run);
        assertTrue(run(Commands.OK, "train", "--resume", out.toString()).contains("knows 1 of 2 epochs"));
    }

    @Test
    void aRunThatIsSetAsideIsLeftAloneWhileItGoesOn() throws IOException {
        train();
        Files.delete(out.resolve(Checkpoint.WEIGHTS));
        try (FolderLock _ = FolderLock.take(out.resolve("previous"))) {
            assertTrue(run(Commands.FAILURE, "train", "lenet300", "--data", data.toString(), "--epochs", "1",
                    "--batch-size", "20", "--out", out.toString()).contains("previous is in use by another run"));
        }
        assertTrue(Files.exists(out.resolve(Checkpoint.FILE)));
    }

    @Test
    void otherDataThanARunWasBegunWithIsRefused() throws IOException {
        train();
        Path other = IdxFiles.folder(folder.resolve("other"), 80, 20);
        assertTrue(run(Commands.USAGE, "train", "--resume", out.toString(), "--data", other.toString())
                .contains(Checkpoint.FILE + " was made with data 55 images "));
        Path moved = Files.move(data, folder.resolve("moved"));
        assertEquals("", run(Commands.OK, "train", "--resume", out.toString(), "--data", moved.toString(), "-q"));
    }

    private Fuzz fuzz() throws IOException {
        train();
        byte[] whole = Files.readAllBytes(out.resolve(SETTINGS));
        return Fuzz.of(SETTINGS, Mutations.of(List.of(whole)).withWords("null", "-1", "1e999", "[]", "{}", "\"", ",",
                "9223372036854775807", "true"), input -> {
                    Files.write(out.resolve(SETTINGS), input);
                    try (RunFolder run = new RunFolder(out)) {
                        run.settings();
                        run.history(2);
                    }
                }, DataException.class);
    }

    @Test
    void damagedSettingsAreReadOrRefused() throws IOException {
        fuzz().run(1000);
    }

    @Test
    @Tag("long")
    void manyDamagedSettingsAreReadOrRefused() throws IOException {
        fuzz().runLong();
    }
}
