package io.pare.cli;

import io.pare.docs.Page;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The reference of all commands in docs/cli.md, as the command tree has them. */
final class CliPage {
    static final Path PATH = Path.of("docs/cli.md");

    private final StringBuilder text = new StringBuilder();

    private CliPage() {}

    /** The page: its head as it is, the rest anew. */
    static String renewed(String page) {
        int mark = page.indexOf(Page.GENERATED);
        if (mark < 0) {
            throw new IllegalArgumentException(PATH + " lacks the line " + Page.GENERATED);
        }
        CliPage made = new CliPage();
        made.text.append(page, 0, mark).append(Page.GENERATED).append("\n");
        made.commands(Commands.line().getCommandSpec(), "");
        return made.text.toString();
    }

    private void commands(CommandSpec parent, String words) {
        Set<CommandLine> children = new LinkedHashSet<>(parent.subcommands().values());
        for (CommandLine line : children) {
            CommandSpec child = line.getCommandSpec();
            String name = words.isEmpty() ? child.name() : words + " " + child.name();
            command(child, name);
            commands(child, name);
        }
    }

    private void command(CommandSpec spec, String name) {
        text.append("\n## ").append(name).append("\n\n");
        paragraph(spec.usageMessage().header());
        paragraph(spec.usageMessage().description());
        List<String> rows = new ArrayList<>();
        for (PositionalParamSpec parameter : spec.positionalParameters()) {
            if (!parameter.hidden()) {
                rows.add(row(parameter.paramLabel(), parameter));
            }
        }
        for (OptionSpec option : spec.options()) {
            boolean everywhere = option.inherited() || option.usageHelp() || option.versionHelp();
            if (!option.hidden() && !everywhere) {
                rows.add(row(written(option), option));
            }
        }
        if (!rows.isEmpty()) {
            text.append("| argument | meaning |\n|---|---|\n").append(String.join("", rows)).append("\n");
        }
        List<String> footer = lines(spec.usageMessage().footer());
        if (footer.stream().anyMatch(line -> !line.isBlank())) {
            text.append(footer.stream().dropWhile(String::isBlank)
                    .map(line -> line.isBlank() ? "\n" : "    " + line + "\n").collect(Collectors.joining()));
        }
    }

    private void paragraph(String[] sentences) {
        String joined = lines(sentences).stream().map(String::strip).filter(line -> !line.isEmpty())
                .collect(Collectors.joining(" "));
        if (!joined.isEmpty()) {
            text.append(escaped(joined)).append("\n\n");
        }
    }

    private static List<String> lines(String[] parts) {
        return Stream.of(parts).flatMap(part -> part.replace("%n", "\n").lines()).map(String::stripTrailing).toList();
    }

    private static String written(OptionSpec option) {
        String name = option.longestName();
        String shown = option.negatable() ? name.replaceFirst("^--", "--[no-]") : name;
        return option.arity().max() == 0 || option.negatable() ? shown : shown + " " + option.paramLabel();
    }

    private static String row(String name, ArgSpec argument) {
        String required = argument.required() ? " Required." : "";
        String meaning = String.join(" ", lines(argument.description()));
        return "| `" + name.replace("|", "\\|") + "` | " + escaped(meaning) + required + " |\n";
    }

    private static String escaped(String plain) {
        return plain.replaceAll("([|<*\\[])", "\\\\$1");
    }
}
