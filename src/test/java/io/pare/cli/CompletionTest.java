package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What real shells complete by the scripts that {@code pare completion} prints. */
@Tag("process")
class CompletionTest {
    /** Calls the function that bash calls at Tab. */
    private static final String BASH = """
            . ./script
            compopt() { :; }
            COMP_WORDS=($1 "$2")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _complete_pare
            printf '%s\\n' "${COMPREPLY[@]}"
            """;
    /** Types into another zsh, on a terminal of its own, which leaves at Tab. */
    private static final String ZSH = """
            zmodload zsh/zpty
            zpty asked "ZDOTDIR=$PWD/zsh zsh --no-globalrcs -i"
            zpty -r asked output '*ready*'
            zpty -w -n asked "$1 $2"$'\\t'
            while zpty -r asked output; do :; done
            cat zsh/offered
            """;
    /** Notes what the completion of zsh offers, on the way to its line editor. */
    private static final String ZSHRC = """
            PS1=ready
            autoload -U compinit && compinit -u -D
            source ./script
            compadd() {
                if [[ -z ${argv[(r)-[ADO]]} ]]; then
                    local -a offered
                    builtin compadd -A offered "$@"
                    print -rl -- $offered >> zsh/offered
                fi
                builtin compadd "$@"
            }
            complete-and-leave() { zle complete-word; exit }
            zle -N complete-and-leave
            bindkey '^I' complete-and-leave
            """;
    private static final String FISH = """
            source ./script
            complete -C "$argv[1] $argv[2]" | string replace -r '\\t.*' ''
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void files() throws IOException {
        Files.createFile(folder.resolve("mine.onnx"));
        Files.createDirectory(folder.resolve("minefield"));
    }

    @Test
    void theCommandPrintsTheScript() throws Exception {
        Jvm.Result result = Jvm.plain().run("completion", "fish");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertEquals(CompletionCommand.script(CompletionCommand.Shell.FISH), result.out());
        assertEquals("", result.err());
        Jvm.Result unknown = Jvm.plain().run("completion", "tcsh");
        assertEquals(Commands.USAGE, unknown.exit());
        assertTrue(unknown.err().contains("'tcsh' is none of bash, zsh, fish"), unknown.err());
    }

    @Test
    void bash() throws Exception {
        completes(CompletionCommand.Shell.BASH, "bash", "--norc", "-c", BASH, "bash");
    }

    @Test
    void zsh() throws Exception {
        Files.writeString(Files.createDirectory(folder.resolve("zsh")).resolve(".zshrc"), ZSHRC);
        completes(CompletionCommand.Shell.ZSH, "zsh", "-f", "-c", ZSH, "zsh");
    }

    @Test
    void fish() throws Exception {
        String[] fish = {"fish", "--no-config", "-c", FISH};
        completes(CompletionCommand.Shell.FISH, fish);
        assertEquals(List.of(), offered(fish, "pare", "mine"));
        assertEquals(List.of(), offered(fish, "pare doctor", "mine"));
        assertEquals(List.of(), offered(fish, "pare train --epochs", "mine"));
        assertEquals(List.of("mine.onnx", "minefield"), offered(fish, "pare --debug train", "mine"));
    }

    private void completes(CompletionCommand.Shell script, String... shell) throws Exception {
        assumeTrue(Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(place -> Files.isExecutable(Path.of(place, shell[0]))),
                "no " + shell[0] + " on this machine");
        Files.writeString(folder.resolve("script"), CompletionCommand.script(script));
        assertTrue(offered(shell, "pare", "").containsAll(List.of("train", "completion", "help")));
        assertEquals(List.of("sensitivity"), offered(shell, "pare", "se"));
        assertEquals(List.of("--version"), offered(shell, "pare", "--ver"));
        assertEquals(List.of("train"), offered(shell, "pare help", "tr"));
        assertEquals(List.of("mnist"), offered(shell, "pare data", "mn"));
        assertEquals(List.of("--sheet"), offered(shell, "pare data mnist", "--sh"));
        assertEquals(List.of("--optimizer"), offered(shell, "pare train", "--opt"));
        assertEquals(List.of("adam", "adamw"), offered(shell, "pare train --optimizer", "ad"));
        assertEquals(List.of("cosine"), offered(shell, "pare train --optimizer adam --schedule", "cos"));
        assertEquals(List.of("--no-dropout"), offered(shell, "pare train --epochs 3", "--no-dr"));
        assertEquals(List.of("lenet300", "lenet5", "lenet5-relu"), offered(shell, "pare train", "lenet"));
        assertEquals(List.of("lenet5-joint", "lenet5-joint-620"),
                offered(shell, "pare compress --recipe", "lenet5-j"));
        assertEquals(List.of("mine.onnx", "minefield"), offered(shell, "pare inspect", "mine"));
        assertEquals(List.of("mine.onnx", "minefield"), offered(shell, "pare train --report", "mine"));
    }

    /** What {@code shell} offers for {@code word} after {@code line}, in order, folders without a slash. */
    private List<String> offered(String[] shell, String line, String word) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(Stream.concat(Stream.of(shell), Stream.of(line, word)).toList());
        builder.environment().put("HOME", folder.toString());
        Path log = folder.resolve("log");
        Files.deleteIfExists(folder.resolve("zsh/offered"));
        Process process = builder.directory(folder.toFile()).redirectErrorStream(true).redirectOutput(log.toFile())
                .start();
        process.getOutputStream().close();
        Jvm.await(process);
        return List
                .copyOf(new TreeSet<>(Files.readAllLines(log).stream().map(name -> name.strip().replaceFirst("/$", ""))
                        .filter(name -> !name.isEmpty()).toList()));
    }
}
