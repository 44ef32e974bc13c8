package io.pare.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * The help of the whole program, as {@code pare --help} shows it.
 *
 * <p>It is a text of the jar. The parser of the command line would write the same, but takes three times as long to load
 * as everything else here. A test keeps the two equal.
 */
final class Overview {
    /** Stands in the text for what the user types to start this program. */
    static final String COMMAND = "{command}";
    /** Columns that the text was laid out for. */
    static final int COLUMNS = 80;
    static final String RESOURCE = "overview.txt";

    private static final String COLOURS = "\u001b\\[[\\d;]*m";

    private Overview() {}

    /** The text, with a terminal's colours or without. */
    static String text(boolean coloured) {
        try (InputStream in = Overview.class.getResourceAsStream(RESOURCE)) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8).replace(COMMAND, Invocation.of());
            return coloured ? text : text.replaceAll(COLOURS, "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
