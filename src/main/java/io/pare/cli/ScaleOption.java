package io.pare.cli;

import io.pare.run.Scales;
import picocli.CommandLine.Option;

/** How pixels become inputs of a network that is finished. */
final class ScaleOption {
    @Option(names = "--scale", paramLabel = "NAME|M/D",
            description = "How pixels become inputs: " + Scales.NAMES
                    + " (default: what FILE says, else the scale of the usual data for inputs of its size).")
    private String text;

    /** What was asked for, or {@code null}. */
    String text() {
        return text;
    }
}
