package io.pare.cli;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows the help of a command, for who asks by {@code pare help train} rather than {@code pare train --help}. */
@Command(name = HelpCommand.NAME, mixinStandardHelpOptions = true, header = "Show what a command takes.",
        optionListHeading = "%nOptions:%n", footer = {"", "Examples:", "  pare help train", "  pare help data mnist"})
final class HelpCommand implements Runnable {
    static final String NAME = "help";

    @Parameters(paramLabel = "COMMAND", arity = "0..*", description = "The command; without it, all are listed.")
    private List<String> words = List.of();

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        CommandLine asked = spec.root().commandLine();
        for (String word : words) {
            CommandLine next = asked.getSubcommands().get(word);
            if (next == null) {
                throw new CommandLine.UnmatchedArgumentException(asked, List.of(word));
            }
            asked = next;
        }
        asked.setOut(spec.commandLine().getOut());
        Commands.help(asked);
    }
}
