package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.report.Printable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Odd values for each option of each command: exit code 2, one line, and where it is a number, the option's name. */
class OddOptionsTest {
    private static final Set<Class<?>> WHOLE = Set.of(int.class, Integer.class, long.class, Long.class);
    private static final Set<Class<?>> REAL = Set.of(double.class, Double.class, float.class, Float.class);
    /** Judged with the data that they belong to, which is looked for first. */
    private static final Set<String> LATE = Set.of("--rows", "--columns", "--images", "--resize", "--rotate",
            "--zoom", "--shear", "--elastic");

    @TempDir
    Path folder;

    private final List<String> wrong = new ArrayList<>();

    @Test
    void eachIsRefusedInOneLine() throws IOException {
        commands(Commands.line(), List.of()).forEach(command -> {
            CommandLine line = command.line();
            for (OptionSpec option : line.getCommandSpec().options()) {
                if (option.arity().max() > 0 && !option.typeInfo().isBoolean()) {
                    odd(option).forEach(word -> tryOut(command, option, word));
                }
            }
        });
        assertEquals(List.of(), wrong);
        try (Stream<Path> written = Files.list(folder)) {
            assertEquals(List.of(), written.toList());
        }
    }

    private record Each(CommandLine line, List<String> path) {}

    private static Stream<Each> commands(CommandLine line, List<String> path) {
        if (line.getSubcommands().isEmpty()) {
            return line.getCommandName().equals("doctor") ? Stream.of() : Stream.of(new Each(line, path));
        }
        return line.getSubcommands().entrySet().stream().flatMap(sub -> {
            List<String> longer = new ArrayList<>(path);
            longer.add(sub.getKey());
            return commands(sub.getValue(), longer);
        });
    }

    private static List<String> odd(OptionSpec option) {
        return REAL.contains(option.type())
                ? List.of("NaN", "-1", "1e999")
                : WHOLE.contains(option.type()) ? List.of("-1") : List.of("\u001b[2J");
    }

    /** What each command needs does not exist, so that a good value is exit 2, too, and none starts any work. */
    private List<String> needed(String command) {
        String none = folder.resolve("none").toString();
        return switch (command) {
            case "train", "compress" -> List.of("lenet300", "--data", none);
            case "sensitivity" -> List.of("lenet300", "--from", none, "--data", none);
            case "sweep", "eval", "inspect", "bench-infer", "folder" -> List.of(none);
            case "measure" -> List.of(none, "--out", folder.resolve("cost.json").toString());
            case "export" -> List.of(none, "--as", "pare", "--out", folder.resolve("out.pare").toString());
            case "predict" -> List.of(none, "--image", none);
            case "embed" -> List.of(none, "--text", none, "--out", folder.resolve("vectors.npy").toString());
            case "models" -> List.of("none");
            default -> List.of("--data", none);
        };
    }

    private void tryOut(Each command, OptionSpec option, String word) {
        String name = option.longestName();
        boolean number = WHOLE.contains(option.type()) || REAL.contains(option.type());
        boolean named = number && !LATE.contains(name) && !(name.equals("--seed") && word.equals("-1"));
        List<String> args = new ArrayList<>(command.path());
        args.addAll(needed(command.line().getCommandName()));
        args.add(name + "=" + word);
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Commands.run(TerminalWriter.of(new ByteArrayOutputStream(), StandardCharsets.UTF_8),
                TerminalWriter.of(err, StandardCharsets.UTF_8), args.toArray(new String[0]));
        List<String> lines = err.toString(StandardCharsets.UTF_8).lines().filter(text -> !text.startsWith("Try: "))
                .toList();
        if (exit != Commands.USAGE || lines.size() != 1 || !lines.getFirst().startsWith("pare: ")
                || lines.getFirst().contains("unexpected") || lines.getFirst().contains("Exception")
                || lines.getFirst().contains("case-sensitive")
                || named && !lines.getFirst().contains(name)) {
            wrong.add(Printable.line(args + " gives " + exit + " " + lines));
        }
    }
}
