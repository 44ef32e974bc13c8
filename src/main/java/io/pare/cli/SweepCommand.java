package io.pare.cli;

import io.pare.cli.sweep.Cores;
import io.pare.cli.sweep.KubernetesJob;
import io.pare.cli.sweep.SlurmScript;
import io.pare.cli.sweep.SweepFile;
import io.pare.cli.sweep.SweepFolder;
import io.pare.cli.sweep.SweepRow;
import io.pare.cli.sweep.SweptRun;
import io.pare.file.AtomicFile;
import io.pare.file.FolderLock;
import io.pare.file.TextFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs a command many times, here or by a scheduler, and gathers what the runs came to. */
@Command(name = SweepCommand.NAME, mixinStandardHelpOptions = true, sortOptions = false,
        header = "Run a command many times with other options, and tabulate the results.", description = {
            "Each run has a process and a folder of its own. The same command goes on with a sweep that was stopped or"
                    + " killed: what has ended well is not run again, and what failed is tried once more.",
            ""},
        footer = {"", "Examples:", "  pare sweep ratios.yaml --jobs 2",
            "  pare sweep ratios.yaml --out /shared/ratios --threads 8 --slurm ratios.sh",
            "  pare sweep ratios.yaml --threads 4 --kubernetes job.yaml",
            "  pare sweep ratios.yaml --out /shared/ratios --gather"})
final class SweepCommand implements Callable<Integer> {
    static final String NAME = "sweep";
    private static final int MOST_JOBS = 1024;

    @Parameters(paramLabel = "FILE.yaml",
            description = "A command with options of all runs, and a matrix or a list of those that set runs apart.")
    private Path file;

    @Option(names = "--jobs", paramLabel = "N",
            description = "Runs at a time, which split the cores (default: 1; of --slurm and --kubernetes any number).")
    private Integer jobs;

    @Option(names = "--threads", paramLabel = "N",
            description = "Threads of each run that does not say it itself; they are kept for the whole sweep"
                    + " (default: cores over --jobs).")
    private Integer threads;

    @Option(names = "--out", paramLabel = "DIR",
            description = "Folder of the sweep: a folder below it for each run, and the table (default: runs/FILE).")
    private Path out;

    @Option(names = "--gather", description = "Run nothing: write the table and the page of what has run.")
    private boolean gather;

    @Option(names = "--run", paramLabel = "N",
            description = "Run only number N, from 1, as a scheduler's task; --gather then writes the table.")
    private Integer only;

    @Option(names = "--slurm", paramLabel = "FILE.sh",
            description = "Run nothing: write an array job for sbatch, a task for each run.")
    private Path slurm;

    @Option(names = "--kubernetes", paramLabel = "FILE.yaml",
            description = "Run nothing: write a job with indexed completion for kubectl, a pod for each run.")
    private Path kubernetes;

    @Option(names = "--image", paramLabel = "NAME", defaultValue = "pare",
            description = "Of --kubernetes: an image with java and the jar as " + KubernetesJob.JAR
                    + " (default: ${DEFAULT-VALUE}).")
    private String image;

    @Option(names = "--claim", paramLabel = "NAME", defaultValue = "pare",
            description = "Of --kubernetes: the volume claim for results, which go below /runs there"
                    + " (default: ${DEFAULT-VALUE}).")
    private String claim;

    @Option(names = TensorBoardOption.NAME, paramLabel = "DIR",
            description = "Folder for event files of TensorBoard, a folder below it for each run that can write them.")
    private Path events;

    @Option(names = {"-q", "--quiet"}, description = "No progress, only results.")
    private boolean quiet;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        check();
        SweepFolder folder = new SweepFolder(out != null ? out : Path.of("runs", name()));
        OutputPath.checkFolder(folder.path());
        if (only != null) {
            return one(folder);
        }
        if (gather) {
            SweepFolder.Plan plan = folder.plan();
            folder.begin(runs(lines(folder)), asked(), plan.threads());
            return gathered(folder, plan);
        }
        List<SweptLine> lines = lines(folder);
        if (slurm != null || kubernetes != null) {
            return scheduled(folder, lines);
        }
        SweepFolder.Plan plan = folder.begin(runs(lines), asked(), usual());
        try (FolderLock _ = FolderLock.take(folder.path()); StopSignal stop = new StopSignal()) {
            SweepJobs sweep = new SweepJobs(folder, plan, Cores.split(jobs == null ? 1 : jobs), progress());
            boolean ended = sweep.run(this::command, rows -> folder.write(title(), rows), stop);
            int exit = gathered(folder, plan);
            if (!ended) {
                spec.commandLine().getErr().println("stopped; the same command goes on");
            }
            return ended ? exit : Commands.STOPPED;
        }
    }

    private void check() {
        long ways = Stream.of(gather, only != null, slurm != null, kubernetes != null).filter(way -> way).count();
        if (ways > 1) {
            throw new UsageException("--gather, --run, --slurm and --kubernetes exclude each other");
        }
        inside("--jobs", jobs, MOST_JOBS);
        inside("--run", only, SweepFile.MOST_RUNS);
        if (jobs != null && (gather || only != null)) {
            throw new UsageException("--jobs belongs to runs of a whole sweep");
        }
        inside("--threads", threads, ThreadOption.MOST);
        for (String option : List.of("--image", "--claim")) {
            if (kubernetes == null && spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new UsageException(option + " belongs to --kubernetes");
            }
        }
        if (events != null) {
            if (gather || kubernetes != null) {
                throw new UsageException(TensorBoardOption.NAME + " belongs to runs here and to --slurm");
            }
            OutputPath.checkFolder(TensorBoardOption.NAME, events);
        }
        if (slurm != null) {
            OutputPath.checkFile("--slurm", slurm);
        }
        if (kubernetes != null) {
            OutputPath.checkFile("--kubernetes", kubernetes);
        }
    }

    private static void inside(String option, Integer value, int most) {
        if (value != null && (value < 1 || value > most)) {
            throw new UsageException(option + " is " + value + ", must be from 1 to " + most);
        }
    }

    /** The sweep's name: its file's, without the ending. */
    private String name() {
        return file.toAbsolutePath().normalize().getFileName().toString().replaceFirst("\\.ya?ml$", "");
    }

    private int asked() {
        return threads == null ? 0 : threads;
    }

    private int usual() {
        return Math.max(1, ThreadOption.processors() / (jobs == null ? 1 : jobs));
    }

    private Consumer<String> progress() {
        PrintWriter err = spec.commandLine().getErr();
        return quiet ? line -> {
        } : err::println;
    }

    /** The lines of all runs of the file, as far as the command line understands them. */
    private List<SweptLine> lines(SweepFolder folder) throws IOException {
        return SweepFile.read(file).stream().map(run -> SweptLine.checked(file, folder, run, events)).toList();
    }

    private static List<SweptRun> runs(List<SweptLine> lines) {
        return lines.stream().map(SweptLine::run).toList();
    }

    /** A command line that runs one run in the folder of a sweep that has begun. */
    private List<String> command(SweepFolder folder, SweptRun run) {
        return Launch.command(words(folder, Integer.toString(run.number())).toArray(String[]::new));
    }

    private String title() {
        return "Sweep " + name();
    }

    private List<String> words(SweepFolder folder, String... number) {
        List<String> words = new ArrayList<>(List.of(NAME, file.toAbsolutePath().normalize().toString(), "--out",
                folder.path().toAbsolutePath().normalize().toString()));
        if (events != null) {
            words.addAll(List.of(TensorBoardOption.NAME, events.toAbsolutePath().normalize().toString()));
        }
        words.add("--run");
        words.addAll(List.of(number));
        return words;
    }

    /** Runs one run in this process; what it says goes into its log. */
    private int one(SweepFolder folder) throws IOException {
        if (!folder.begun()) {
            // Tasks on many machines begin at once.
            List<SweptRun> runs = runs(lines(folder));
            try (FolderLock _ = FolderLock.await(folder.path())) {
                folder.begin(runs, asked(), usual());
            }
        }
        // The plan counts once it is there, whatever becomes of the file while the sweep goes on.
        SweepFolder.Plan plan = folder.begin(folder.plan().runs(), asked(), usual());
        if (only > plan.runs().size()) {
            throw new UsageException("--run is " + only + ", must be from 1 to " + plan.runs().size());
        }
        SweptRun run = plan.runs().get(only - 1);
        try (FolderLock _ = FolderLock.await(folder.of(run))) {
            if (folder.row(run).state() == SweepRow.State.DONE) {
                progress().accept(run.title() + " has ended well before");
                return Commands.OK;
            }
            folder.begins(run);
            int exit = logged(folder, run, SweptLine.checked(file, folder, run, events).words(plan.threads()));
            if (exit != Commands.STOPPED) {
                folder.ends(run, exit);
            }
            return exit;
        }
    }

    private static int logged(SweepFolder folder, SweptRun run, List<String> words) throws IOException {
        try (TerminalWriter log = TerminalWriter.of(Files.newOutputStream(folder.log(run), StandardOpenOption.CREATE,
                StandardOpenOption.APPEND), StandardCharsets.UTF_8)) {
            log.println(Invocation.of(words.toArray(String[]::new)));
            return Commands.run(log, log, words.toArray(String[]::new));
        }
    }

    private int scheduled(SweepFolder folder, List<SweptLine> lines) throws IOException {
        int most = jobs == null ? 0 : jobs;
        PrintWriter results = spec.commandLine().getOut();
        if (kubernetes != null) {
            int each = threads == null ? usual() : threads;
            AtomicFile.write(kubernetes, new KubernetesJob(name(), TextFile.read(file), image, claim, lines.size(),
                    each, widest(lines, each), most).text());
            results.printf("%-14s %s%n", "manifest", kubernetes);
            return Commands.OK;
        }
        SweepFolder.Plan plan = folder.begin(runs(lines), asked(), usual());
        AtomicFile.write(slurm, new SlurmScript(name(),
                Stream.concat(Launch.independentCommand().stream(), words(folder).stream()).toList(),
                Path.of("").toAbsolutePath(), folder.path().toAbsolutePath().normalize(), lines.size(),
                widest(lines, plan.threads()), most).text());
        results.printf("%-14s %s%n", "script", slurm);
        results.printf("%-14s %s%n", "results in", folder.path());
        return Commands.OK;
    }

    /** The most threads that any run takes. */
    private static int widest(List<SweptLine> lines, int usual) {
        return lines.stream().mapToInt(line -> line.threads(usual)).max().orElse(usual);
    }

    /** Writes the table and the page, and says in short what they have. */
    private int gathered(SweepFolder folder, SweepFolder.Plan plan) throws IOException {
        List<SweepRow> rows = folder.rows(plan);
        folder.write(title(), rows);
        PrintWriter results = spec.commandLine().getOut();
        for (SweepRow.State state : SweepRow.State.values()) {
            results.printf("%-14s %d of %d%n", state.word(), count(rows, state), rows.size());
        }
        results.printf("%-14s %s%n", "table", folder.path().resolve(SweepFolder.TABLE));
        results.printf("%-14s %s%n", "page", folder.path().resolve(SweepFolder.PAGE));
        results.flush();
        PrintWriter err = spec.commandLine().getErr();
        for (SweepRow row : rows) {
            if (row.state() == SweepRow.State.FAILED) {
                err.println("pare: " + row.run().title() + " failed with exit code " + row.ended().exit() + ": "
                        + row.ended().line().replaceFirst("^pare: ", ""));
            }
        }
        return count(rows, SweepRow.State.FAILED) > 0 ? Commands.FAILURE : Commands.OK;
    }

    private static long count(List<SweepRow> rows, SweepRow.State state) {
        return rows.stream().filter(row -> row.state() == state).count();
    }
}
