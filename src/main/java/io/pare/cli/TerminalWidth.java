package io.pare.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.IntSupplier;

/** Columns of the terminal that this process runs on. Asks anew once a second, and waits only for the first answer. */
final class TerminalWidth implements IntSupplier {
    private static final int USUAL = 80;
    private static final long ASK_NANOS = 1_000_000_000L;

    private int columns = USUAL;
    private Process asking;
    private long asked;

    TerminalWidth() {
        ask();
        if (asking != null) {
            take();
        }
    }

    @Override
    public int getAsInt() {
        if (asking != null && !asking.isAlive()) {
            take();
        }
        if (asking == null && System.nanoTime() - asked > ASK_NANOS) {
            ask();
        }
        return columns;
    }

    private void ask() {
        asked = System.nanoTime();
        try {
            asking = new ProcessBuilder("stty", "size").redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        } catch (IOException e) {
            asking = null;
        }
    }

    /** Waits for the answer. One that is none changes nothing. */
    private void take() {
        try (var in = asking.getInputStream()) {
            String[] size = new String(in.readAllBytes(), StandardCharsets.US_ASCII).trim().split(" ");
            int found = size.length == 2 ? Integer.parseInt(size[1]) : 0;
            columns = found > 0 ? found : columns;
        } catch (IOException | NumberFormatException e) {
            // No terminal: the width that was known last stays.
        } finally {
            asking = null;
        }
    }
}
