package io.pare.cli;

import io.pare.file.AtomicFile;
import java.nio.file.Files;
import java.nio.file.Path;

/** Looks whether results can go where an option says, before the work whose results they are. */
final class OutputPath {
    private OutputPath() {}

    /** Refuses a folder for results, given as {@code --out}, that is a file or lies in one. */
    static void checkFolder(Path folder) {
        checkFolder("--out", folder);
    }

    /** Refuses a folder that is a file or lies in one. */
    static void checkFolder(String option, Path folder) {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new UsageException(option + " " + folder + " is a file: name a folder");
        }
        checkParents(option, folder);
    }

    /**
     * Refuses a file that is a folder or lies in a file.
     *
     * @throws io.pare.file.FileException if it cannot be written for another reason
     */
    static void checkFile(String option, Path file) {
        if (Files.isDirectory(file)) {
            throw new UsageException(option + " " + file + " is a folder: name a file");
        }
        checkParents(option, file);
        AtomicFile.check(file);
    }

    private static void checkParents(String option, Path path) {
        for (Path parent = path.getParent(); parent != null; parent = parent.getParent()) {
            if (Files.exists(parent) && !Files.isDirectory(parent)) {
                throw new UsageException(
                        option + " " + path + " cannot be: " + parent.getFileName() + " is a file, not a folder");
            }
        }
    }
}
