package io.pare.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command line: its root command, its exit codes, and how failures are shown. */
@Command(name = "pare", mixinStandardHelpOptions = true, versionProvider = Version.class, description = "Trains neural networks on the JVM and compresses them with ADMM.", synopsisSubcommandLabel = "COMMAND")
public final class Commands implements Runnable {
    /** Done. */
    public static final int OK = 0;
    /** The run failed; stderr says why. */
    public static final int FAILURE = 1;
    /** The command line or an input file is wrong. */
    public static final int USAGE = 2;
    /** Ended because the process that started this one is gone. */
    public static final int KILLED = 137;

    @Spec
    private CommandSpec spec;

    /** Runs one command line and gives its exit code; exits nothing. */
    public static int run(String... args) {
        return new CommandLine(new Commands()).execute(args);
    }

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        spec.commandLine().usage(out);
    }
}
