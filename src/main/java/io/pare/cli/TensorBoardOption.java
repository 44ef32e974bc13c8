package io.pare.cli;

import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The option for event files. */
final class TensorBoardOption {
    static final String NAME = "--tensorboard";

    @Option(names = NAME, paramLabel = "DIR",
            description = "Folder for event files, which TensorBoard shows while the run goes on: each epoch's loss, metric,"
                    + " learning rate, non-zeros and weights, and the residuals of ADMM.")
    private Path folder;

    /** The folder, if one was asked for; no file stands in its place. */
    Optional<Path> folder() {
        if (folder != null) {
            OutputPath.checkFolder(NAME, folder);
        }
        return Optional.ofNullable(folder);
    }
}
