package io.pare.cli.sweep;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.pare.file.AtomicFile;
import io.pare.file.FormatException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The folder of a sweep: {@code sweep.json} with its plan, a folder below {@code runs} for each run, and the table.
 *
 * <p>A run's folder has its {@code log}, its {@code report.json}, what it made in {@code out}, and {@code ended.json} once
 * it has ended. All but the log is written in one step, so that a sweep goes on from whatever a kill leaves. Nothing names
 * the folder itself, which may be moved. Safe for use by many processes that run different runs.
 */
public final class SweepFolder {
    /** The table as CSV. */
    public static final String TABLE = "table.csv";
    /** The table as a page with the Pareto front. */
    public static final String PAGE = "index.html";

    private static final String PLAN = "sweep.json";
    private static final String ENDED = "ended.json";
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    /** Lines of a log are looked for in its last bytes only. */
    private static final int TAIL = 1 << 14;

    private final Path folder;

    /**
     * What runs there.
     *
     * @param threads of each run that does not say it itself: they decide the bits
     * @param runs in their order
     */
    public record Plan(int threads, List<SweptRun> runs) {}

    public SweepFolder(Path folder) {
        this.folder = folder;
    }

    public Path path() {
        return folder;
    }

    /** Whether a sweep was begun here. */
    public boolean begun() {
        return Files.exists(folder.resolve(PLAN));
    }

    /**
     * Begins a sweep here, or goes on with it.
     *
     * @param runs of the sweep
     * @param threads that were asked for; 0 for those of the plan that lies here, else for {@code usual}
     * @param usual threads of a run
     * @return the plan, which lies in the folder from now on
     * @throws FormatException if the folder is another sweep's, or holds other things
     */
    public Plan begin(List<SweptRun> runs, int threads, int usual) throws IOException {
        if (begun()) {
            Plan plan = plan();
            check(runs, threads, plan);
            return plan;
        }
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> others = Files.newDirectoryStream(folder, "[!.]*")) {
                if (others.iterator().hasNext()) {
                    throw new FormatException(folder + " holds other things than a sweep: give another --out");
                }
            }
        }
        Plan plan = new Plan(threads > 0 ? threads : usual, runs);
        AtomicFile.write(folder.resolve(PLAN), JSON.writeValueAsString(plan) + "\n");
        return plan;
    }

    private void check(List<SweptRun> runs, int threads, Plan plan) {
        for (int i = 0; i < Math.max(runs.size(), plan.runs().size()); i++) {
            if (i >= runs.size() || i >= plan.runs().size() || !runs.get(i).equals(plan.runs().get(i))) {
                throw new FormatException(folder + " belongs to another sweep, whose "
                        + (i >= plan.runs().size() ? "runs end with " + i
                                : "run " + (i + 1) + " is 'pare " + String.join(" ", plan.runs().get(i).words()) + "'")
                        + ": give another --out");
            }
        }
        if (threads > 0 && threads != plan.threads()) {
            throw new FormatException("--threads is " + threads + ", but the sweep in " + folder + " was begun with "
                    + plan.threads() + ", which decide its bits: leave it out, or give another --out");
        }
    }

    /**
     * Reads the plan that lies here.
     *
     * @throws FormatException if there is none, or it is damaged
     */
    public Plan plan() throws IOException {
        Path file = folder.resolve(PLAN);
        if (!begun()) {
            throw new FormatException(folder + " has no " + PLAN + ": no sweep was begun there");
        }
        try {
            Plan plan = JSON.readValue(Files.readAllBytes(file), Plan.class);
            if (plan == null || plan.threads() < 1 || plan.runs() == null || plan.runs().isEmpty()
                    || plan.runs().stream().anyMatch(run -> run == null || run.folder() == null
                            || run.settings() == null || run.words() == null || run.words().isEmpty())) {
                throw new FormatException(file + " is damaged: it lacks runs or what they are");
            }
            return plan;
        } catch (JsonProcessingException e) {
            throw new FormatException(file + " is damaged: " + e.getOriginalMessage().lines().findFirst().orElse(""),
                    e);
        }
    }

    /** The folder of a run. */
    public Path of(SweptRun run) {
        return folder.resolve("runs").resolve(run.folder());
    }

    /** What the process of a run says. */
    public Path log(SweptRun run) {
        return of(run).resolve("log");
    }

    /** Where a command puts what it makes. */
    public Path results(SweptRun run) {
        return of(run).resolve("out");
    }

    public Path report(SweptRun run) {
        return of(run).resolve("report.json");
    }

    /** Notes that a run is under way: how it ended before counts no longer. */
    public void begins(SweptRun run) throws IOException {
        Files.deleteIfExists(of(run).resolve(ENDED));
    }

    /** Keeps how a run ended, with the last line of its log. */
    public void ends(SweptRun run, int exit) throws IOException {
        AtomicFile.write(of(run).resolve(ENDED), JSON.writeValueAsString(new Ended(exit, lastLine(log(run)))) + "\n");
    }

    /** What has become of each run, as the folder tells. */
    public List<SweepRow> rows(Plan plan) throws IOException {
        List<SweepRow> rows = new ArrayList<>();
        for (SweptRun run : plan.runs()) {
            rows.add(row(run));
        }
        return rows;
    }

    /** What has become of a run. */
    public SweepRow row(SweptRun run) throws IOException {
        Path file = of(run).resolve(ENDED);
        if (!Files.exists(file)) {
            return new SweepRow(run, null, Map.of());
        }
        try {
            Ended ended = JSON.readValue(Files.readAllBytes(file), Ended.class);
            return new SweepRow(run, ended, ended.exit() == 0 ? fields(report(run)) : Map.of());
        } catch (JsonProcessingException e) {
            throw new FormatException(of(run) + " holds a damaged file: "
                    + e.getOriginalMessage().lines().findFirst().orElse("") + ": delete this folder", e);
        }
    }

    /** The numbers, texts and truths of a report that lie in no list or map. */
    private static Map<String, Object> fields(Path report) throws IOException {
        Map<String, Object> fields = new LinkedHashMap<>();
        if (Files.exists(report)) {
            JSON.readTree(Files.readAllBytes(report)).forEachEntry((name, value) -> {
                if (value.isValueNode()) {
                    fields.put(name, value.isNumber() ? value.numberValue()
                            : value.isBoolean() ? value.booleanValue() : value.isNull() ? null : value.asText());
                }
            });
        }
        return fields;
    }

    private static String lastLine(Path log) throws IOException {
        if (!Files.exists(log)) {
            return "";
        }
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            file.seek(Math.max(0, file.length() - TAIL));
            byte[] bytes = new byte[(int) (file.length() - file.getFilePointer())];
            file.readFully(bytes);
            return new String(bytes, StandardCharsets.UTF_8).lines().map(String::strip)
                    .filter(line -> !line.isEmpty()).reduce((_, last) -> last).orElse("");
        }
    }

    /** Writes the table, once as CSV and once as JSON, and the page of that title. */
    public void write(String title, List<SweepRow> rows) {
        SweepTable table = new SweepTable(rows);
        AtomicFile.write(folder.resolve(TABLE), table.csv());
        table.json().write(folder.resolve("table.json"));
        new SweepPage(title, rows).page().write(folder.resolve(PAGE));
    }
}
