package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** The help of the whole program is what the parser of the command line would write. */
class OverviewTest {
    private static final Path PATH = Path.of("src/main/resources/io/pare/cli", Overview.RESOURCE);
    private static final String RENEW = "mvn -B -ntp test -Dtest=OverviewTest -Dpare.test.renew=true";
    private static final String COMMAND = "pare.command";

    private final String before = System.getProperty(COMMAND);

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty(COMMAND);
        } else {
            System.setProperty(COMMAND, before);
        }
    }

    private static String parsers(Ansi colours) {
        CommandLine line = Commands.line().setUsageHelpAutoWidth(false).setUsageHelpWidth(Overview.COLUMNS);
        return line.getUsageMessage(colours).replace(System.lineSeparator(), "\n");
    }

    @Test
    void theTextIsTheParsers() throws IOException {
        System.setProperty(COMMAND, Overview.COMMAND);
        String expected = parsers(Ansi.ON);
        if (Boolean.getBoolean("pare.test.renew")) {
            Files.createDirectories(PATH.getParent());
            Files.writeString(PATH, expected);
        } else {
            assertEquals(expected, Files.readString(PATH), PATH + " is stale: run " + RENEW + " to renew it");
            assertEquals(parsers(Ansi.OFF), Overview.text(false));
        }
    }

    @Test
    void itSaysHowTheProgramWasStarted() {
        System.setProperty(COMMAND, "./pare");
        assertTrue(Overview.text(true).contains("(pare stands for: ./pare)"), Overview.text(true));
        assertTrue(Overview.text(true).contains("\u001b["), Overview.text(true));
        assertFalse(Overview.text(false).contains("\u001b"), Overview.text(false));
    }

    @Test
    void coloursAreForTerminalsThatHaveThem() {
        Map<String, String> xterm = Map.of("TERM", "xterm");
        assertTrue(Colours.wanted(xterm, true));
        assertFalse(Colours.wanted(xterm, false));
        assertFalse(Colours.wanted(Map.of(), true));
        assertFalse(Colours.wanted(Map.of("TERM", "dumb"), true));
        assertFalse(Colours.wanted(Map.of("TERM", "xterm", "NO_COLOR", "1"), true));
        assertTrue(Colours.wanted(Map.of("TERM", "xterm", "NO_COLOR", ""), true));
        assertFalse(Colours.wanted(Map.of("TERM", "xterm", "CLICOLOR", "0"), true));
        assertTrue(Colours.wanted(Map.of("CLICOLOR_FORCE", "1"), false));
        assertFalse(Colours.wanted(Map.of("CLICOLOR_FORCE", "0"), false));
        assertFalse(Colours.wanted(Map.of("CLICOLOR_FORCE", "1", "NO_COLOR", "1"), true));
    }
}
