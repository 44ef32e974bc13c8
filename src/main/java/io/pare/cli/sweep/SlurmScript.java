package io.pare.cli.sweep;

import io.pare.file.FormatException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A sweep as an array job of Slurm: a task for each run, which runs it and keeps how it ended in the sweep's folder. The
 * folder, the program and the data must be where all nodes see them.
 *
 * @param name of the job
 * @param command starts a sweep; the number of a run follows it
 * @param from folder in which commands find files that their words name
 * @param folder of the sweep
 * @param runs how many there are
 * @param threads of each task
 * @param jobs tasks at a time, at most; 0 for any number
 */
public record SlurmScript(String name, List<String> command, Path from, Path folder, int runs, int threads, int jobs) {
    /** The script, for {@code sbatch}. */
    public String text() {
        String log = folder.resolve("slurm-").toString();
        if (log.chars().anyMatch(c -> c < ' ' || c == '"' || c == '\\')) {
            throw new FormatException(
                    "Slurm takes no folder with quotes or backslashes in its name: give another --out");
        }
        return String.format(Locale.ROOT, """
                #!/bin/sh
                #SBATCH --job-name=%s
                #SBATCH --array=1-%d%s
                #SBATCH --cpus-per-task=%d
                #SBATCH --output="%s%%A_%%a.log"
                #SBATCH --requeue
                # Give partition, time and memory to sbatch, or in lines here. Runs that were cut off go on when this
                # script is submitted again; what has ended well is not run twice.
                set -eu
                cd %s
                exec %s "$SLURM_ARRAY_TASK_ID"
                """, name, runs, jobs == 0 ? "" : "%" + jobs, threads, log.replace("%", "%%"),
                ShellText.word(from.toString()), ShellText.line(command));
    }
}
