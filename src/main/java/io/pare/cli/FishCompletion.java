package io.pare.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The completions of a command line for the shell fish: a line for each command, option and list of words. */
final class FishCompletion {
    private static final String FUNCTIONS = """
            # Whether the words after the program, options aside, begin with these.
            function __%1$s_in
                set -l words (string match -v -- '-*' (commandline -opc)[2..-1])
                set -l n (count $argv)
                test (count $words) -ge $n; and test "$words[1..$n]" = "$argv"
            end
            # Whether they are these and no more.
            function __%1$s_at
                set -l words (string match -v -- '-*' (commandline -opc)[2..-1])
                test "$words" = "$argv"
            end
            """;

    /** What may name a file: also a word that is one of a network or a recipe. */
    private static final Set<Class<?>> FILES = Set.of(Path.class, String.class);

    private final String program;
    private final StringBuilder script = new StringBuilder();

    private FishCompletion(String program) {
        this.program = program;
    }

    /** The script for {@code root}, whose program the shell finds as {@code program}. */
    static String script(String program, CommandSpec root) {
        FishCompletion completion = new FishCompletion(program);
        completion.script.append(FUNCTIONS.formatted(program));
        completion.command(root, List.of());
        return completion.script.toString();
    }

    private void command(CommandSpec spec, List<String> words) {
        String at = condition("at", words);
        String in = words.isEmpty() ? at : condition("in", words);
        if (spec.positionalParameters().stream().noneMatch(FishCompletion::takesFiles)) {
            line(spec.subcommands().isEmpty() ? in : at, "-f");
        }
        for (PositionalParamSpec parameter : spec.positionalParameters()) {
            String values = values(parameter);
            if (!values.isEmpty()) {
                line(in, values);
            }
        }
        for (OptionSpec option : spec.options()) {
            if (!option.hidden()) {
                option(spec.subcommands().isEmpty() ? in : at, option);
            }
        }
        for (CommandLine child : spec.subcommands().values()) {
            CommandSpec below = child.getCommandSpec();
            line(at, "-a " + below.name() + " -d " + quoted(sentence(below.usageMessage().header())));
            List<String> deeper = new ArrayList<>(words);
            deeper.add(below.name());
            command(below, deeper);
        }
    }

    private void option(String condition, OptionSpec option) {
        StringBuilder names = new StringBuilder();
        for (String name : option.names()) {
            names.append(name.startsWith("--") ? "-l " + name.substring(2) : "-s " + name.substring(1)).append(' ');
        }
        String meaning = " -d " + quoted(sentence(option.description()));
        String argument = option.arity().max() == 0 ? "" : (takesFiles(option) ? "-r " : "-x ") + values(option);
        line(condition, (names + argument).strip() + meaning);
    }

    private static boolean takesFiles(ArgSpec argument) {
        return FILES.contains(argument.auxiliaryTypes()[0]);
    }

    private static String values(ArgSpec argument) {
        return argument.completionCandidates() == null ? ""
                : "-a " + quoted(String.join(" ",
                        StreamSupport.stream(argument.completionCandidates().spliterator(), false).toList()));
    }

    private String condition(String function, List<String> words) {
        return quoted(("__" + program + "_" + function + " " + String.join(" ", words)).strip());
    }

    private void line(String condition, String rest) {
        script.append("complete -c ").append(program).append(" -n ").append(condition).append(' ').append(rest)
                .append('\n');
    }

    /** The first sentence of a text, without its end. */
    private static String sentence(String[] text) {
        String whole = String.join(" ", text).replace("%n", " ").strip();
        return whole.replaceFirst("\\.(\\s.*)?$", "");
    }

    private static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
