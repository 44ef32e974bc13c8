package io.pare.cli;

import io.pare.cli.sweep.Cores;
import io.pare.cli.sweep.SweepFolder;
import io.pare.cli.sweep.SweepRow;
import io.pare.cli.sweep.SweptRun;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * Runs what is left of a sweep on this machine, some runs at a time, each in a process of its own on cores of its own.
 *
 * <p>This process starts others and waits; they keep how they ended. Whatever instant it is killed at, its children see
 * that and leave, and the next sweep's child for the same run waits for them. One thread.
 */
final class SweepJobs {
    private static final long POLL_MILLIS = 200;
    /** The exit code of a JVM that SIGTERM ended. */
    private static final int TERMINATED = 143;

    private final SweepFolder folder;
    private final SweepFolder.Plan plan;
    private final Cores cores;
    private final Consumer<String> progress;
    private final Deque<SweptRun> left = new ArrayDeque<>();
    private final BlockingQueue<Job> ended = new LinkedBlockingQueue<>();
    private final List<Job> running = new ArrayList<>();

    /** A run under way, on the cores of that number. */
    private record Job(SweptRun run, int part, Process process) {}

    /** @param progress takes a line for each run that begins or ends */
    SweepJobs(SweepFolder folder, SweepFolder.Plan plan, Cores cores, Consumer<String> progress) {
        this.folder = folder;
        this.plan = plan;
        this.cores = cores;
        this.progress = progress;
    }

    /**
     * Runs all that has not ended well; once.
     *
     * @param command gives the words that start a process for a run
     * @param table takes what has become of all runs, each time one has ended
     * @param stop ends the runs that are under way when it is asked to
     * @return false if that came first
     */
    boolean run(BiFunction<SweepFolder, SweptRun, List<String>> command, Consumer<List<SweepRow>> table,
            StopSignal stop)
            throws IOException {
        List<SweepRow> rows = folder.rows(plan);
        for (SweepRow row : rows) {
            if (row.state() != SweepRow.State.DONE) {
                left.add(row.run());
            }
        }
        progress.accept(String.format(
                "%d of %d runs are left, %d at a time, %d thread%s each unless they say otherwise, %s",
                left.size(), plan.runs().size(), cores.parts().size(), plan.threads(), plan.threads() == 1 ? "" : "s",
                cores.text()));
        try {
            for (int part = 0; part < cores.parts().size(); part++) {
                startNext(part, command);
            }
            while (!running.isEmpty() && !stop.asked()) {
                Job job = ended.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
                if (job != null) {
                    rows.set(job.run().number() - 1, end(job));
                    table.accept(rows);
                    startNext(job.part(), command);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            stopRunning();
        }
        return left.isEmpty() && running.isEmpty();
    }

    private void startNext(int part, BiFunction<SweepFolder, SweptRun, List<String>> command) throws IOException {
        SweptRun run = left.poll();
        if (run == null) {
            return;
        }
        Files.createDirectories(folder.of(run));
        folder.begins(run);
        List<String> words = new ArrayList<>(cores.pin(part));
        words.addAll(command.apply(folder, run));
        // What the JVM itself has to say comes to lie in the run's log, too.
        ProcessBuilder.Redirect log = ProcessBuilder.Redirect.appendTo(folder.log(run).toFile());
        Process process = new ProcessBuilder(words).redirectOutput(log).redirectError(log).start();
        process.getOutputStream().close();
        Job job = new Job(run, part, process);
        running.add(job);
        process.onExit().thenRun(() -> ended.add(job));
        progress.accept(run.title() + " begins");
    }

    private SweepRow end(Job job) throws IOException {
        running.remove(job);
        int exit = job.process().exitValue();
        SweepRow row = folder.row(job.run());
        if (row.state() == SweepRow.State.UNFINISHED && exit != Commands.STOPPED && exit != TERMINATED) {
            // It could not say itself how it ended.
            folder.ends(job.run(), exit);
            row = folder.row(job.run());
        }
        progress.accept(job.run().title() + switch (row.state()) {
            case DONE -> " is done" + (row.summary().isEmpty() ? "" : ": " + row.summary());
            case FAILED -> " failed with exit code " + row.ended().exit();
            case UNFINISHED -> " was stopped";
        });
        return row;
    }

    /** Lets what still runs save and leave. */
    private void stopRunning() {
        running.forEach(job -> job.process().destroy());
        running.forEach(job -> job.process().onExit().join());
    }
}
