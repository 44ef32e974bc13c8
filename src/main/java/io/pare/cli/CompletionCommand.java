package io.pare.cli;

import io.pare.compress.recipe.Recipe;
import io.pare.net.Models;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints a script, made of the commands and options themselves, by which a shell completes them. */
@Command(name = CompletionCommand.NAME, mixinStandardHelpOptions = true,
        header = "Print a script by which a shell completes commands.",
        description = {
            "It completes commands, options, their values and the names of networks and recipes, else files. Make the"
                    + " folder first where it is missing. bash needs its package bash-completion."},
        optionListHeading = "%nOptions:%n", footer = {"", "Examples:",
            "  pare completion bash > ~/.local/share/bash-completion/completions/pare",
            "  pare completion zsh > ~/.pare.zsh && echo 'source ~/.pare.zsh' >> ~/.zshrc",
            "  pare completion fish > ~/.config/fish/completions/pare.fish"})
final class CompletionCommand implements Runnable {
    static final String NAME = "completion";
    private static final String PROGRAM = "pare";

    /** Shells that a script is known for. */
    enum Shell {
        BASH, ZSH, FISH
    }

    @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.")
    private Shell shell;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().getOut().print(script(shell));
    }

    /** The script of {@code shell}. */
    static String script(Shell shell) {
        CommandLine line = Commands.line();
        Map<String, List<String>> names = Map.of("MODEL", Models.names(), "NAME|FILE", Recipe.shipped(), "COMMAND",
                List.copyOf(line.getSubcommands().keySet()));
        spellOut(line.getCommandSpec(), names);
        return switch (shell) {
            // One script serves both: in zsh it switches on what understands bash's.
            case BASH, ZSH -> AutoComplete.bash(PROGRAM, line);
            case FISH -> FishCompletion.script(PROGRAM, line.getCommandSpec());
        };
    }

    /** Gives each argument the words that it takes, as they are typed, and each option the names that negate it. */
    private static void spellOut(CommandSpec spec, Map<String, List<String>> names) {
        for (OptionSpec option : List.copyOf(spec.options())) {
            List<String> words = words(option, names);
            if (option.negatable()) {
                Stream<String> negated = Stream.of(option.names())
                        .map(name -> spec.negatableOptionTransformer().makeNegative(name, spec));
                spec.remove(option);
                spec.addOption(option.toBuilder().negatable(false)
                        .names(Stream.concat(Stream.of(option.names()), negated).toArray(String[]::new)).build());
            } else if (!words.isEmpty()) {
                spec.remove(option);
                // picocli keeps the words of options by their labels, and many options have the same one.
                spec.addOption(option.toBuilder().paramLabel(option.longestName().replaceFirst("^-+", ""))
                        .completionCandidates(words).build());
            }
        }
        for (PositionalParamSpec parameter : List.copyOf(spec.positionalParameters())) {
            List<String> words = words(parameter, names);
            if (!words.isEmpty()) {
                spec.remove(parameter);
                spec.addPositional(parameter.toBuilder().completionCandidates(words).build());
            }
        }
        spec.subcommands().values().forEach(line -> spellOut(line.getCommandSpec(), names));
    }

    private static List<String> words(ArgSpec argument, Map<String, List<String>> names) {
        Class<?> type = argument.auxiliaryTypes()[0];
        return type.isEnum()
                ? Arrays.stream(type.getEnumConstants()).map(value -> Words.word((Enum<?>) value)).toList()
                : names.getOrDefault(argument.paramLabel(), List.of());
    }
}
