package io.pare.run;

import io.pare.data.DataException;
import io.pare.file.AtomicFile;
import io.pare.file.FolderLock;
import io.pare.file.Jackson;
import io.pare.mpi.Ranks;
import io.pare.train.Checkpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a training run: {@code run.json} with settings and history, a checkpoint, and at the end weights.
 *
 * <p>Owns the lock on the folder once {@link #lock} has taken it, until {@link #close}. One thread at a time. What is in
 * the folder and cannot be read is a {@link DataException}.
 */
public final class RunFolder implements AutoCloseable {
    private static final String SETTINGS = "run.json";
    private static final String PREVIOUS = "previous";

    private final Path folder;
    private final @Nullable PrivateFolder own;
    private @Nullable FolderLock lock;

    /**
     * Names a folder; touches nothing yet.
     *
     * @param folder need not exist
     */
    public RunFolder(Path folder) {
        this.folder = folder;
        this.own = null;
    }

    private RunFolder(PrivateFolder own) {
        this.folder = own.path();
        this.own = own;
    }

    /**
     * {@return the folder for the first of several processes; for the others a temporary one, which {@link #close} deletes,
     * with a copy of the run that lies in the first one's}
     *
     * @param folder need not exist
     * @param ranks the processes, all of which call
     * @throws IOException if the run cannot be read or copied
     */
    public static RunFolder of(Path folder, Ranks ranks) throws IOException {
        return ranks.size() == 1
                ? new RunFolder(folder)
                : new RunFolder(PrivateFolder.of(folder, ranks, List.of(SETTINGS, Checkpoint.FILE)));
    }

    /** {@return the folder itself} */
    public Path path() {
        return folder;
    }

    /**
     * Has the folder, which is created if need be, to itself until this is closed.
     *
     * @throws io.pare.file.FileException if another run has it
     */
    public void lock() {
        if (lock == null) {
            lock = FolderLock.take(folder);
        }
    }

    /** The same for a folder in which a run lies already; others are refused and stay as they are. */
    public void lockForResume() {
        read();
        lock();
    }

    /** Gives the folder back. */
    @Override
    public void close() {
        if (lock != null) {
            lock.close();
        }
        if (own != null) {
            own.close();
        }
    }

    /** {@return where the weights of a finished run are} */
    public Path weights() {
        return folder.resolve(Checkpoint.WEIGHTS);
    }

    /** {@return whether a run that did not come to its end lies here} */
    public boolean unfinished() {
        return Files.exists(folder.resolve(Checkpoint.FILE)) && Files.notExists(weights());
    }

    /** {@return whether a run lies here that has a checkpoint to go on from, or that is finished} */
    public boolean resumable() {
        return Files.exists(folder.resolve(SETTINGS)) && Files.exists(folder.resolve(Checkpoint.FILE));
    }

    /**
     * Moves an unfinished run into a subfolder, from which it can be resumed. The checkpoint that lies there goes
     * first and the one of this run comes last, so that a kill in between leaves no checkpoint beside the history of
     * another run.
     *
     * @return that folder
     */
    public Path setAside() {
        Path kept = folder.resolve(PREVIOUS);
        try (FolderLock _ = FolderLock.take(kept)) {
            Files.deleteIfExists(kept.resolve(Checkpoint.FILE));
            for (String name : List.of(SETTINGS, Checkpoint.FILE)) {
                if (Files.exists(folder.resolve(name))) {
                    Files.move(folder.resolve(name), kept.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            return kept;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes the traces of a finished run away, so that what lies here next is of one run. */
    public void clear() {
        try {
            Files.deleteIfExists(weights());
            Files.deleteIfExists(folder.resolve(Checkpoint.FILE));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Writes settings and history, in one step.
     *
     * @param settings of the run
     * @param history an entry for each epoch
     */
    public void write(RunSettings settings, List<EpochRecord> history) {
        Jackson.needForJson("training runs");
        AtomicFile.write(folder.resolve(SETTINGS), new RunText(settings, history).json());
    }

    /** {@return the settings of the run here} */
    public RunSettings settings() {
        return read().settings();
    }

    /** {@return the settings of the run here, or {@code null} if none lies here that can be read} */
    public @Nullable RunSettings settingsIfAny() {
        try {
            return settings();
        } catch (DataException e) {
            return null;
        }
    }

    /**
     * {@return the first {@code epochs} entries of the history: it is written before the checkpoint, so that a crash
     * may have left one more than the checkpoint knows}
     *
     * @param epochs that the checkpoint knows
     */
    public List<EpochRecord> history(int epochs) {
        return new ArrayList<>(read().history().stream().filter(entry -> entry.epoch() <= epochs).toList());
    }

    private RunText read() {
        Path file = folder.resolve(SETTINGS);
        if (!Files.isDirectory(folder)) {
            throw new DataException(folder + " is no folder of a run: give the one that --out named");
        }
        if (!resumable()) {
            throw new DataException(folder + " has no " + (Files.exists(file) ? Checkpoint.FILE : SETTINGS)
                    + ": no run was begun there, or it was stopped before its first checkpoint; start it again");
        }
        Jackson.needForJson("training runs");
        RunText run = RunText.read(file);
        if (run == null || run.settings() == null || run.history() == null || run.history().contains(null)) {
            throw new DataException(file + " is damaged: it lacks settings or history");
        }
        RunSettings settings = run.settings();
        if (settings.model() == null || settings.descent().optimizer().rule() == null
                || settings.descent().schedule().course() == null) {
            throw new DataException(file + " is damaged: its settings lack model, optimizer or schedule");
        }
        return run;
    }
}
