package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pare.format.pare.PareFile;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What reaches the terminal, and what is said when it does not. */
class OutputTest {
    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @Test
    void aNameSteersNoTerminal() throws IOException {
        Path file = folder.resolve("a\u001b[2J\u001b]0;title\u0007\nfile       fake.pare");
        Net model = new NetBuilder("tiny", Shape.of(1, 2, 2)).flatten("flatten").linear("fc", 3).build();
        PareFile.write(file, PrunedNets.of(model, Map.of(), 2, 1, 3));
        assertEquals(Commands.OK, run("inspect", file.toString()), text(err));
        String line = text(out).lines().findFirst().orElseThrow();
        assertTrue(line.contains("a\\u001b[2J\\u001b]0;title\\u0007\\u000afile       fake.pare, pare, "), line);
        assertEquals(1, text(out).lines().filter(each -> each.startsWith("file ")).count(), text(out));
        Path missing = folder.resolve("b\u001b[2J\npare: fake");
        assertEquals(Commands.USAGE, run("inspect", missing.toString()));
        assertEquals(Commands.USAGE, run("train", "lenet5", "--\u001b[2J"));
        assertEquals(Commands.USAGE, run("\u202etrain"));
        assertEquals(Commands.USAGE, run("compress", "lenet5", "--recipe", "c\u001b[2J\n.yaml"));
        assertTrue(text(err).contains("'c\\u001b[2J\\u000a.yaml'"), text(err));
        assertEquals(4, text(err).lines().filter(each -> each.startsWith("pare: ")).count(), text(err));
        assertPlain(text(out) + text(err));
    }

    @Test
    void hostileNamesInsideAFileAreShownPlainly() throws IOException {
        // A network named ESC]0;pwn BEL ESC[2J ESC[1;31m OK, with a layer named fc ESC[31m LF fake line.
        byte[] bytes = HexFormat.of()
                .parseHex("5041524501d2e459f9ac845c26e620a88726582375f8541bd1736a20863c79a3ea6dec3f051049330def87b3"
                        + "a44480f7bda18614d4f44f");
        Path file = Files.write(folder.resolve("hostile.pare"), bytes);
        run("inspect", file.toString());
        assertTrue((text(out) + text(err)).contains("\\u001b]0;pwn\\u0007\\u001b[2J"), text(out) + text(err));
        assertPlain(text(out) + text(err));
    }

    @Test
    void helpKeepsItsColours() {
        CommandLine line = Commands.line().setOut(writer(out))
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.ON));
        assertEquals(Commands.OK, line.execute("train", "--help"));
        assertTrue(text(out).contains("\u001b[33m--epochs\u001b["), text(out));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "--version", "models", "models lenet5", "train --help", "data"})
    void resultsThatCannotBeWrittenAreAFailure(String line) throws IOException {
        assumeTrue(Files.exists(Path.of("/dev/full")));
        try (OutputStream full = new FileOutputStream("/dev/full")) {
            assertEquals(Commands.FAILURE,
                    Commands.run(TerminalWriter.of(full, StandardCharsets.UTF_8), writer(err), line.split(" ")));
        }
        assertTrue(text(err).startsWith("pare: cannot write results to stdout: No space left on device"), text(err));
        assertEquals(1, text(err).lines().count(), text(err));
    }

    @Test
    void messagesThatCannotBeWrittenChangeNothing() throws IOException {
        assumeTrue(Files.exists(Path.of("/dev/full")));
        try (OutputStream full = new FileOutputStream("/dev/full")) {
            TerminalWriter lost = TerminalWriter.of(full, StandardCharsets.UTF_8);
            assertEquals(Commands.OK, Commands.run(writer(out), lost, "models"));
            assertEquals(Commands.USAGE, Commands.run(writer(out), lost, "modles"));
        }
    }

    @Test
    void errorsOfTheJvmBecomeOneLine() {
        assertFailure(new OutOfMemoryError("Java heap space"), "out of memory (Java heap space): the heap may grow to");
        assertFailure(new OutOfMemoryError("Cannot reserve 1 bytes of direct buffer memory"), "MaxDirectMemorySize");
        assertFailure(new OutOfMemoryError("Unable to allocate 77 bytes"), "ask for less by --memory-limit");
        assertFailure(new OutOfMemoryError("unable to create native thread: limit"), "--threads");
        assertFailure(new StackOverflowError(), "out of stack");
        assertFailure(new AssertionError("of ours"), "unexpected failure: java.lang.AssertionError: of ours (--debug");
        assertFailure(new CompletionException(new OutOfMemoryError("Java heap space")), "out of memory");
        assertFailure(new IllegalArgumentException(), "unexpected failure: java.lang.IllegalArgumentException");
    }

    /** By a command that is a class, and by one that is a method: picocli passes their failures on in two ways. */
    private void assertFailure(Throwable thrown, String words) {
        for (String[] args : new String[][]{{"fails"}, {"fails", "inside"}}) {
            err.reset();
            CommandLine line = Commands.line().addSubcommand(new Fails(thrown)).setErr(writer(err));
            int exit = line.execute(args);
            assertEquals(thrown instanceof IllegalArgumentException ? Commands.USAGE : Commands.FAILURE, exit);
            assertTrue(text(err).startsWith("pare: ") && text(err).contains(words), text(err));
            assertFalse(text(err).contains("picocli"), text(err));
            assertEquals(1, text(err).lines().count(), text(err));
        }
    }

    @Command(name = "fails")
    private record Fails(Throwable thrown) implements Runnable {
        @Override
        public void run() {
            inside();
        }

        @Command
        void inside() {
            switch (thrown) {
                case Error error -> throw error;
                case RuntimeException exception -> throw exception;
                default -> throw new AssertionError(thrown);
            }
        }
    }

    private int run(String... args) {
        return Commands.run(writer(out), writer(err), args);
    }

    private static TerminalWriter writer(OutputStream stream) {
        return TerminalWriter.of(stream, StandardCharsets.UTF_8);
    }

    private static String text(ByteArrayOutputStream stream) {
        return stream.toString(StandardCharsets.UTF_8);
    }

    private static void assertPlain(String text) {
        assertFalse(text.chars().anyMatch(c -> Character.isISOControl(c) && c != '\n' || c == '\u202e'), text);
    }
}
