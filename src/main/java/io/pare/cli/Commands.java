package io.pare.cli;

import io.pare.compress.stage.Reconstruct;
import io.pare.data.Crop;
import io.pare.data.OddImages;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.exec.backend.Precision;
import io.pare.format.NetworkFile;
import io.pare.mpi.Ranks;
import io.pare.net.Task;
import io.pare.run.DataSettings;
import io.pare.run.Engine;
import io.pare.text.Pooling;
import java.io.FileDescriptor;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The root of the command line, and its exit codes. */
@Command(name = "pare", mixinStandardHelpOptions = true, versionProvider = Version.class,
        header = "Trains neural networks on the JVM and compresses them with ADMM.",
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n", optionListHeading = "%nOptions:%n", footer = {"",
            "Examples (pare stands for: ${sys:pare.command:-java -jar target/engine.jar}):", "  pare train lenet5",
            "      Trains LeNet-5 on the MNIST inside the jar; needs no network.",
            "  pare train lenet5 --seed 2 --out runs/two --report two.json",
            "  pare train --resume runs/two", "      Resumes an interrupted run.",
            "  pare eval runs/two/weights.safetensors", "  pare doctor",
            "      Says what this machine uses and why, and how fast it is.", "",
            "Exit codes: 0 done; 1 the run failed; 2 wrong command line or input; 130 stopped by Ctrl-C.",
            "Results go to stdout, everything else to stderr. `pare COMMAND --help` tells more."})
public final class Commands implements Runnable {
    /** The commands, in the order in which help names them. */
    private static final List<Class<?>> ALL = List.of(TrainCommand.class, CompressCommand.class,
            SweepCommand.class, SensitivityCommand.class, EvalCommand.class, DataCommand.class, ModelsCommand.class,
            ExportCommand.class, InspectCommand.class, PredictCommand.class, EmbedCommand.class, RunCommand.class,
            BenchInferCommand.class, MeasureCommand.class, DoctorCommand.class, CompletionCommand.class,
            HelpCommand.class);
    /** Names a file of arguments, in which the name of a command may stand. */
    private static final String ARGUMENT_FILE = "@";

    /** Done. */
    public static final int OK = 0;
    /** The run failed; stderr says why. */
    public static final int FAILURE = 1;
    /** The command line or an input is wrong. */
    public static final int USAGE = 2;
    /** Whoever read stdout went away; the code that a shell gives for the signal that ends other programs then. */
    public static final int UNREAD = 141;
    /** Stopped by Ctrl-C or a signal, after everything was saved. */
    public static final int STOPPED = 130;
    /** Ended because the process that started this one is gone. */
    public static final int KILLED = 137;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show stack traces of failures.")
    private boolean debug;

    @Spec
    private CommandSpec spec;

    /** Runs one command line and gives its exit code; exits nothing. */
    public static int run(String... args) {
        return run(TerminalWriter.of(FileDescriptor.out, System.out.charset()),
                TerminalWriter.of(FileDescriptor.err, System.err.charset()), args);
    }

    /** Runs one command line with other streams. */
    static int run(TerminalWriter out, TerminalWriter err, String... args) {
        int code = Ranks.leave(lineFor(args).setOut(out).setErr(err).execute(args));
        return out.exit(code, err);
    }

    /** The whole command line with its handlers, for tests that look at its output. */
    static CommandLine line() {
        return line(command -> true);
    }

    /**
     * What {@code args} need of the command line. Options are fields, which picocli finds by reflection: those of the
     * commands that are not named would take a fifth of the time of a short run.
     */
    static CommandLine lineFor(String... args) {
        Set<String> words = Set.copyOf(List.of(args));
        boolean hidden = words.stream().anyMatch(word -> word.startsWith(ARGUMENT_FILE));
        return line(command -> hidden || words.contains(command.name()));
    }

    private static CommandLine line(Predicate<Command> whole) {
        Commands commands = new Commands();
        CommandLine root = new CommandLine(commands);
        for (Class<?> command : ALL) {
            Command title = command.getAnnotation(Command.class);
            if (whole.test(title)) {
                root.addSubcommand(command);
            } else {
                CommandSpec titled = CommandSpec.create();
                titled.usageMessage().header(title.header());
                root.addSubcommand(title.name(), titled);
            }
        }
        setApart(root);
        return equipped(root, new Failures(() -> commands.debug));
    }

    /** Parts the usage from the header above it by an empty line, which lists of commands shall not have. */
    private static void setApart(CommandLine line) {
        line.getCommandSpec().usageMessage().synopsisHeading("%nUsage: ");
        line.getSubcommands().values().forEach(Commands::setApart);
    }

    private static CommandLine equipped(CommandLine line, Failures failures) {
        return line.setUsageHelpAutoWidth(true).setUsageHelpLongOptionsMaxWidth(30)
                .setColorScheme(Help.defaultColorScheme(Colours.wanted() ? Help.Ansi.ON : Help.Ansi.OFF))
                .registerConverter(Path.class, Commands::path)
                .registerConverter(URI.class, Commands::address)
                .registerConverter(Optimizer.Rule.class, new Words<>(Optimizer.Rule.class))
                .registerConverter(Schedule.Course.class, new Words<>(Schedule.Course.class))
                .registerConverter(DataCommand.Part.class, new Words<>(DataCommand.Part.class))
                .registerConverter(DataSettings.Source.class, new Words<>(DataSettings.Source.class))
                .registerConverter(OddImages.Rule.class, new Words<>(OddImages.Rule.class))
                .registerConverter(Task.class, new Words<>(Task.class))
                .registerConverter(Precision.class, new Words<>(Precision.class))
                .registerConverter(ExportCommand.WeightForm.class, new Words<>(ExportCommand.WeightForm.class))
                .registerConverter(CompletionCommand.Shell.class, new Words<>(CompletionCommand.Shell.class))
                .registerConverter(Crop.class, new Words<>(Crop.class))
                .registerConverter(AttackOption.Kind.class, new Words<>(AttackOption.Kind.class))
                .registerConverter(Engine.class, new Words<>(Engine.class))
                .registerConverter(Pooling.class, new Words<>(Pooling.class))
                .registerConverter(Reconstruct.Solver.class, new Words<>(Reconstruct.Solver.class))
                .registerConverter(NetworkFile.Kind.class, new Words<>(NetworkFile.Kind.class))
                .setParameterExceptionHandler(failures).setExecutionExceptionHandler(failures)
                .setExecutionStrategy(Commands::execute);
    }

    private static Path path(String text) {
        if (text.isBlank()) {
            throw new TypeConversionException("a path is needed, '" + text + "' is empty");
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("'" + text + "' is no path: " + e.getReason());
        }
    }

    private static URI address(String text) {
        try {
            return new URI(text);
        } catch (URISyntaxException e) {
            throw new TypeConversionException("'" + text + "' is no address: " + e.getReason());
        }
    }

    private static int execute(ParseResult parsed) {
        for (CommandLine line : parsed.asCommandLineList()) {
            if (line.isUsageHelpRequested()) {
                help(line);
                return OK;
            }
        }
        try {
            return new CommandLine.RunLast().execute(parsed);
        } catch (Error e) {
            // Only exceptions find their way to the handler.
            throw new CommandLine.ExecutionException(parsed.commandSpec().commandLine(), e.toString(), e);
        }
    }

    /** Shows what a command takes, in colours where a terminal has them. */
    static void help(CommandLine line) {
        TerminalWriter.control(line.getOut(), line.getUsageMessage(line.getColorScheme()));
        line.getOut().flush();
    }

    @Override
    public void run() {
        help(spec.commandLine());
    }
}
