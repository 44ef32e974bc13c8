package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs that are killed outright, at random instants and inside writes, and begun again until they end: they end with the
 * bits of an undisturbed run, and nothing is missing from their history.
 *
 * <p>The long form kills {@code -Dpare.test.kills=N} runs of each kind, once to three times each.
 */
@Tag("process")
@Timeout(value = 3, unit = TimeUnit.HOURS)
class KilledRunsTest {
    private static final int MOST_KILLS = 3;
    private static final long PATIENCE_SECONDS = 120;

    @TempDir
    Path folder;

    @Test
    void trainingsThatAreKilledEndWithTheSameBits() throws Exception {
        kill(RunJob.train(folder), 1, 1);
    }

    @Test
    void compressionsThatAreKilledEndWithTheSameBits() throws Exception {
        kill(RunJob.compress(folder), 1, 1);
    }

    /** After the first saved epoch, and in the middle of later stages: there the state is not that of the beginning. */
    @Test
    void compressionsOfOnesOwnThatAreStoppedInLaterStagesEndWithTheSameBits() throws Exception {
        RunJob job = RunJob.compressOwn(folder);
        int events = measure(job);
        Path out = Files.createDirectory(folder.resolve("stopped"));
        int[] at = {events / 4, events / 4, events / 3};
        for (int i = 0; i < at.length; i++) {
            Process process = job.start(out, log());
            watch(process, out, at[i]);
            if (i == 1) {
                new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
            } else {
                process.destroyForcibly();
            }
            Jvm.await(process);
            RunJob.assertNoHalfFile(out, job + ", stopped for the time " + i);
        }
        assertTrue(Files.exists(out.resolve("state.safetensors")), "no epoch was saved, or the run had ended");
        job.finish(out, job + ", stopped three times");
    }

    @Test
    @Tag("long")
    void manyTrainingsThatAreKilledEndWithTheSameBits() throws Exception {
        kill(RunJob.train(folder), Integer.getInteger("pare.test.kills", 200), 2);
    }

    @Test
    @Tag("long")
    void manyCompressionsThatAreKilledEndWithTheSameBits() throws Exception {
        kill(RunJob.compress(folder), Integer.getInteger("pare.test.kills", 100), 2);
    }

    private void kill(RunJob job, int runs, long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        long begin = System.nanoTime();
        int events = measure(job);
        long nanos = System.nanoTime() - begin;
        int kills = 0;
        int inside = 0;
        for (int run = 0; run < runs; run++) {
            Path out = Files.createDirectory(folder.resolve(job + "-" + run));
            int times = 1 + random.nextInt(MOST_KILLS);
            for (int k = 0; k < times; k++) {
                Process process = job.start(out, log());
                String what;
                if ((run + k) % 2 == 0) {
                    int event = 1 + random.nextInt(events);
                    what = "killed at event " + event + " of its folder";
                    watch(process, out, event);
                    inside++;
                } else {
                    long instant = random.nextLong(nanos);
                    what = "killed after " + instant / 1_000_000 + " ms";
                    process.waitFor(instant, TimeUnit.NANOSECONDS);
                }
                process.destroyForcibly();
                Jvm.await(process);
                kills++;
                RunJob.assertNoHalfFile(out, job + " " + run + ", " + what);
            }
            job.finish(out, job + " " + run + " of seed " + seed);
            delete(out);
        }
        System.out.printf("%s: %d runs, %d kills, %d of them at an event of the folder, all with the same bits%n", job,
                runs, kills, inside);
    }

    /** The first run of all is the measure of the others: what it leaves, and how much happens in its folder. */
    private int measure(RunJob job) throws IOException, InterruptedException {
        Path measured = Files.createDirectory(folder.resolve("measured"));
        Process process = job.start(measured, log());
        int events = watch(process, measured, Integer.MAX_VALUE);
        job.undisturbed(process, measured, log());
        return events;
    }

    private Path log() {
        return folder.resolve("log");
    }

    /** Waits for the {@code last} event of a folder, or for the end of the process; gives the events seen. */
    private static int watch(Process process, Path folder, int last) throws IOException, InterruptedException {
        int seen = 0;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        try (WatchService service = folder.getFileSystem().newWatchService()) {
            folder.register(service, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_MODIFY,
                    StandardWatchEventKinds.ENTRY_DELETE);
            while (seen < last && process.isAlive() && System.nanoTime() < end) {
                WatchKey key = service.poll(10, TimeUnit.MILLISECONDS);
                if (key != null) {
                    seen += key.pollEvents().size();
                    key.reset();
                }
            }
        }
        return seen;
    }

    private static void delete(Path out) throws IOException {
        try (var files = Files.list(out)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(out);
    }
}
