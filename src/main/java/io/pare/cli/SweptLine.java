package io.pare.cli;

import io.pare.cli.sweep.SweepFolder;
import io.pare.cli.sweep.SweptRun;
import io.pare.file.FormatException;
import io.pare.run.RunFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** The command line of a sweep's run, with what the sweep adds: where results go, and the number of threads. */
final class SweptLine {
    private static final String OUT = "--out";
    private static final String REPORT = "--report";
    private static final String RESUME = "--resume";
    private static final String THREADS = "--threads";
    /** What the sweep itself decides. */
    private static final Set<String> OWN = Set.of(REPORT, RESUME, TensorBoardOption.NAME, "--help", "--version");

    private final SweepFolder folder;
    private final SweptRun run;
    /** Folder for event files of all runs; {@code null} for none. */
    private final Path events;
    private final CommandSpec spec;
    private final ParseResult parsed;

    private SweptLine(SweepFolder folder, SweptRun run, Path events) {
        this.folder = folder;
        this.run = run;
        this.events = events;
        CommandLine line = Commands.lineFor(run.words().toArray(String[]::new));
        CommandSpec named = line.getCommandSpec();
        for (String word : run.words()) {
            CommandLine child = named.subcommands().get(word);
            if (child == null) {
                break;
            }
            named = child.getCommandSpec();
        }
        this.spec = named;
        for (String word : run.words()) {
            String option = name(word);
            if (OWN.contains(option) || option.equals(OUT) && writesFolder()) {
                throw new ParameterException(line, option + " is for the sweep to give: leave it out");
            }
        }
        if (named.name().equals(SweepCommand.NAME)) {
            throw new ParameterException(line, "a sweep runs no sweeps");
        }
        ParseResult result = line.parseArgs(anew(1).toArray(String[]::new));
        while (result.hasSubcommand()) {
            result = result.subcommand();
        }
        this.parsed = result;
    }

    /**
     * Refuses a run that the command line would refuse.
     *
     * @param file that declares it
     * @param events folder for event files of all runs; {@code null} for none
     * @throws FormatException naming the file and the run
     */
    static SweptLine checked(Path file, SweepFolder folder, SweptRun run, Path events) {
        try {
            return new SweptLine(folder, run, events);
        } catch (ParameterException e) {
            throw new FormatException(file + ", " + run.title() + ": " + Failures.text(e), e);
        }
    }

    /** The run whose line it is. */
    SweptRun run() {
        return run;
    }

    /** The threads that the run asks for itself, or {@code otherwise}. */
    int threads(int otherwise) {
        return saysThreads() ? parsed.matchedOptionValue(THREADS, otherwise) : otherwise;
    }

    /** All words: those that begin the run, or that go on with what is in its folder. */
    List<String> words(int threads) {
        Path results = folder.results(run);
        if (spec.findOption(RESUME) == null || !new RunFolder(results).resumable()) {
            return anew(threads);
        }
        List<String> words = new ArrayList<>(List.of(spec.name(), RESUME + "=" + results));
        run.words().stream().filter(word -> TrainCommand.RESUMED.contains(name(word)))
                .forEach(words::add);
        add(words, threads);
        return words;
    }

    private List<String> anew(int threads) {
        List<String> words = new ArrayList<>();
        run.words().forEach(word -> words.add(word.replace(SweptRun.FOLDER, folder.of(run).toString())));
        if (writesFolder()) {
            words.add(OUT + "=" + folder.results(run));
        }
        add(words, threads);
        return words;
    }

    private void add(List<String> words, int threads) {
        if (spec.findOption(REPORT) != null) {
            words.add(REPORT + "=" + folder.report(run));
        }
        if (events != null && spec.findOption(TensorBoardOption.NAME) != null) {
            words.add(TensorBoardOption.NAME + "=" + events.resolve(run.folder()));
        }
        if (spec.findOption(THREADS) != null && !saysThreads()) {
            words.add(THREADS + "=" + threads);
        }
    }

    private boolean saysThreads() {
        return run.words().stream().anyMatch(word -> name(word).equals(THREADS));
    }

    /** An option without its value. */
    private static String name(String word) {
        return word.replaceFirst("=.*", "");
    }

    /** Whether the command puts what it makes into a folder, rather than into a file that one has to name. */
    private boolean writesFolder() {
        OptionSpec out = spec.findOption(OUT);
        return out != null && out.paramLabel().equals("DIR");
    }
}
