package io.pare.run;

import io.pare.data.Corpus;
import io.pare.data.Dataset;
import io.pare.descent.Attack;
import io.pare.descent.Stop;
import io.pare.mpi.Ranks;
import io.pare.natives.Natives;
import io.pare.train.Checkpoint;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import io.pare.train.Reduction;
import io.pare.train.Robustness;
import io.pare.train.Trainer;
import io.pare.train.TrainingRun;
import io.pare.train.Weight;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Trains a network in a folder: a checkpoint after each epoch, the best epoch by validation data, its weights at the end.
 *
 * <pre>{@code
 * try (RunFolder folder = new RunFolder(path);
 *         TrainingJob job = TrainingJob.fresh(folder, RunSettings.of("lenet300"), data)) {
 *     job.run();
 *     Evaluation test = job.test();
 *     job.finish();
 * }
 * }</pre>
 *
 * <p>A job that was stopped at any instant is resumed from its folder, to the same bits. {@code NativeThreads.set} says
 * with how many threads it computes.
 *
 * <p>Owns its network, which lies off-heap, and the threads that load images, until {@link #close}; the folder stays the
 * caller's. Say what is to be done, then {@link #begin} or {@link #run}. One thread at a time.
 */
public final class TrainingJob implements AutoCloseable {
    /** One zero in so many weights is more than training leaves. */
    private static final int PRUNED = 100;

    private final RunFolder folder;
    private final DataSets.Opened data;
    private final boolean resumed;
    private RunSettings settings;
    private StoredWeights from;
    private @Nullable MemoryFit memory;
    private Ranks ranks = Ranks.alone();
    private Reduction reduction = Reduction.USUAL;
    private Stop stop = Stop.BY_INTERRUPT;
    private Consumer<String> notes = line -> {
    };
    private Consumer<String> warnings = line -> {
    };

    private boolean used;
    private Dataset.Split split;
    private Network network;
    private Trainer trainer;
    private TrainingRun run;
    private List<EpochRecord> history;

    private TrainingJob(RunFolder folder, RunSettings settings, DataSets.Opened data, boolean resumed) {
        this.folder = folder;
        this.settings = settings;
        this.data = data;
        this.resumed = resumed;
    }

    /**
     * {@return a new run; an unfinished one in the folder is set aside, a finished one is replaced}
     *
     * @param folder of the run
     * @param settings written into the folder
     * @param data that {@code settings} name, and the model to train
     */
    public static TrainingJob fresh(RunFolder folder, RunSettings settings, DataSets.Opened data) {
        return new TrainingJob(folder, settings, data, false);
    }

    /**
     * {@return the run in a folder, from its last checkpoint}
     *
     * @param folder of the run
     * @param settings those of {@link RunFolder#settings}; threads, place of the data and recomputation may be others
     * @param data that {@code settings} name, and the model to train
     */
    public static TrainingJob resumed(RunFolder folder, RunSettings settings, DataSets.Opened data) {
        return new TrainingJob(folder, settings, data, true);
    }

    /**
     * Begins with these weights, in place of drawn ones; not for a resumed run, which has its own.
     *
     * @param weights of the same model
     * @return this
     */
    public TrainingJob from(StoredWeights weights) {
        if (resumed) {
            throw new RunException("--from and --resume exclude each other: a resumed run has its weights");
        }
        from = weights;
        settings = settings.from(weights.file().toString());
        return this;
    }

    /**
     * Stays within a limit: by more passes a step, then by values that are computed twice.
     *
     * @param limit of the process; without this, {@link MemoryFit#container(Ranks)}
     * @return this
     */
    public TrainingJob memory(MemoryFit limit) {
        memory = limit;
        return this;
    }

    /**
     * Trains together with the same jobs of other processes: each sees its part of every batch, and the first one writes.
     *
     * @param together the processes; each has its folder by {@link RunFolder#of}
     * @param by how gradients are brought together
     * @return this
     */
    public TrainingJob on(Ranks together, Reduction by) {
        ranks = together;
        reduction = by;
        return this;
    }

    /**
     * Stops before the end when that says so; by default when the thread is interrupted. {@link #run} then saves where the run
     * stands, after whole steps, and gives {@code false}; resumed, it goes on to the same bits.
     *
     * @param when it stops, looked at after each step
     * @return this job
     */
    public TrainingJob stop(Stop when) {
        stop = when;
        return this;
    }

    /**
     * Takes a line that says what is planned, or what became of a run that lay in the folder.
     *
     * @param listener called by the thread that runs
     * @return this
     */
    public TrainingJob notes(Consumer<String> listener) {
        notes = listener;
        return this;
    }

    /**
     * Takes a line for what is odd about the first weights, and for a loss that grows out of all proportion.
     *
     * @param listener called by the thread that runs
     * @return this
     */
    public TrainingJob warnings(Consumer<String> listener) {
        warnings = listener;
        return this;
    }

    /**
     * Takes the folder, makes the network and gives it its first weights, or those of the checkpoint.
     *
     * @throws RunException if the settings do not fit the data, or the memory limit holds nothing
     * @throws io.pare.data.DataException if there is no run to resume
     * @throws io.pare.file.FormatException if a checkpoint or file of weights is damaged, or is of something else
     * @throws io.pare.file.FileException if another run has the folder, or it cannot be written
     * @throws IllegalArgumentException if a setting is out of its range
     * @throws IOException if a file cannot be read or written
     */
    public void begin() throws IOException {
        if (used) {
            throw new IllegalStateException("a job begins once");
        }
        used = true;
        Corpus corpus = data.corpus();
        if (memory == null) {
            memory = MemoryFit.container(ranks);
        }
        ranks.together(() -> {
            prepare(corpus);
            return corpus;
        });
        network = Network.create(data.model(), settings.seed(), Natives.enabled()).on(ranks, reduction);
        ranks.together(() -> {
            restore(corpus);
            return corpus;
        });
        if (ranks.size() > 1) {
            compare();
        }
    }

    private void prepare(Corpus corpus) {
        if (resumed) {
            folder.lockForResume();
        } else {
            settings = settings.with(settings.data().found(data.source(), corpus.task()));
            settings = settings.variation() != null
                    ? settings
                    : settings.with(RunSettings.Variation.of(corpus.augmentation()));
        }
        split = split(corpus);
        settings = fitted(corpus);
    }

    private void restore(Corpus corpus) throws IOException {
        trainer = new Trainer(network, split.train(), corpus.scale(), settings.training());
        run = new TrainingRun(trainer, split.validation(), corpus.scale(), settings.plan());
        if (resumed) {
            resume();
        } else {
            clear(corpus);
        }
    }

    /** Refuses ranks that would not do the same. */
    private void compare() {
        ranks.requireSame(Map.of("its network", data.model().fingerprint(), "its weights",
                Checkpoint.fingerprint(network), "its options", settings.with(settings.data().at(null)).toString(),
                "how gradients are summed", reduction.toString(), "its training data", split.train().fingerprint(),
                "its validation data", split.validation().fingerprint(), "the epoch it is in",
                run.nextEpoch() + ", batch " + run.nextBatch()));
    }

    private Dataset.Split split(Corpus corpus) {
        Dataset train = corpus.train();
        if (settings.validation() == 0 && corpus.validation() != null) {
            return corpus.split(0, settings.seed());
        }
        int held = settings.validation() > 0 ? settings.validation() : corpus.usuallyHeld();
        if (held >= train.size()) {
            throw new RunException("--validation " + held + " leaves nothing of " + train.size()
                    + " images to train on; hold back fewer");
        }
        int batchSize = settings.steps().batchSize();
        if (batchSize > train.size() - held) {
            throw new RunException("--batch-size " + batchSize + " is more than the "
                    + (train.size() - held) + " images there are to train on");
        }
        return corpus.split(held, settings.seed());
    }

    /** In as many passes as the memory limit asks for. */
    private RunSettings fitted(Corpus corpus) {
        long best = data.model().elementCount() * Float.BYTES;
        return settings.in(memory.fit(data.model(), List.of(settings.training().on(ranks.size())),
                List.of(split.validation(), corpus.test()), best + MemoryFit.images(corpus),
                "best weights and images in memory take", resumed, notes).getFirst());
    }

    private void resume() throws IOException {
        Checkpoint.restore(run, folder.path());
        if (settings.keepZeros()) {
            network.keepZeros();
        }
        history = folder.history(run.nextEpoch());
        if (history.size() < run.nextEpoch()) {
            notes.accept("warning: the history in " + folder.path() + " knows " + history.size() + " of "
                    + run.nextEpoch() + " epochs: an earlier version was killed while it wrote");
        }
    }

    private void clear(Corpus corpus) throws IOException {
        if (from != null) {
            from.copyTo(network, corpus.scale(), warnings);
            zeros();
        }
        folder.lock();
        if (folder.unfinished()) {
            notes.accept("the unfinished run in " + folder.path() + " is kept: --resume " + folder.setAside());
        }
        history = new ArrayList<>();
        folder.clear();
        folder.write(settings, history);
    }

    /** Keeps zeros where that was asked for, and says what becomes of those of a pruned network otherwise. */
    private void zeros() {
        if (settings.keepZeros()) {
            network.keepZeros();
            return;
        }
        long zeros = 0;
        for (Weight weight : network.weights()) {
            for (long i = 0; weight.decays() && i < weight.value().count(); i++) {
                zeros += weight.value().get(i) == 0 ? 1 : 0;
            }
        }
        long all = network.model().weightCount();
        if (zeros * PRUNED >= all) {
            warnings.accept(String.format(Locale.ROOT,
                    "warning: %s is pruned, and training fills its %,d zeros of %,d weights; --keep-zeros"
                            + " leaves them, and compress retrains by mask-retrain",
                    from.file(), zeros, all));
        }
    }

    /**
     * Begins, if {@link #begin} has not, and trains until the run is done, the listener stops it or {@link #stop} says so;
     * may be called again to go on. After each epoch, settings with history and then a checkpoint are written, and the
     * listener is told.
     *
     * @param listener is called by this thread
     * @return whether the run is done; if so the network holds the best epoch's weights. If not, it was saved where
     *         {@link #stop} said so, and {@link #save} keeps it where the listener did
     * @throws io.pare.train.TrainingException if the loss is no longer a finite number
     * @throws io.pare.file.FileException if a checkpoint cannot be written; the one before stays good
     * @throws IOException if a file cannot be read or written
     */
    public boolean run(TrainingRun.Listener listener) throws IOException {
        if (!used) {
            begin();
        }
        Keeper keeper = new Keeper(listener,
                Divergence.of(split.train(), network.model().classes(), "give a smaller --lr", warnings));
        boolean done = run.run(keeper);
        if (!done && keeper.reason != null) {
            save();
            notes.accept("stopped, for " + keeper.reason + ": --resume " + folder.path() + " goes on");
        }
        return done;
    }

    /**
     * Runs without anybody to tell.
     *
     * @return whether the run is done
     * @throws IOException if a file cannot be read or written
     */
    public boolean run() throws IOException {
        return run(new TrainingRun.Listener() {});
    }

    /** Keeps history and checkpoints. */
    private final class Keeper implements TrainingRun.Listener {
        private final TrainingRun.Listener listener;
        private final Divergence divergence;
        /** Why the run stops; {@code null} while it goes on. */
        private String reason;

        Keeper(TrainingRun.Listener listener, Divergence divergence) {
            this.listener = listener;
            this.divergence = divergence;
        }

        @Override
        public boolean step(Trainer.Progress progress) {
            divergence.see(progress.loss());
            boolean goesOn = listener.step(progress);
            reason = stop.reason();
            boolean stops = !goesOn || reason != null;
            if (ranks.size() == 1) {
                return !stops;
            }
            if (stops) {
                trainer.wishToStop();
            }
            if (trainer.stops() && !stops) {
                reason = "another rank is to stop";
            }
            return !trainer.stops();
        }

        @Override
        public void epoch(Trainer.Progress progress, Evaluation validated, boolean bestSoFar) {
            history.add(new EpochRecord(progress.epoch() + 1, progress.loss(), progress.accuracy(), validated.loss(),
                    validated.score()));
            if (trainer.slow() != null) {
                warnings.accept(trainer.slow());
            }
            listener.epoch(progress, validated, bestSoFar);
        }

        /** The history comes first: a kill in between leaves one epoch too many in it, which a reader can leave out. */
        @Override
        public void checkpoint(TrainingRun saved) {
            try {
                if (ranks.first()) {
                    folder.write(settings, history);
                    Checkpoint.save(saved, folder.path());
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            listener.checkpoint(saved);
        }
    }

    /**
     * Writes a checkpoint of where the run stands, between two epochs or in one.
     *
     * @throws io.pare.file.FileException if it cannot be written; the one before stays good
     * @throws IOException if it cannot be written
     */
    public void save() throws IOException {
        if (ranks.first()) {
            Checkpoint.save(begun(), folder.path());
        }
    }

    /** {@return the network as it is now, on test data, in fp32} */
    public Evaluation test() {
        begun();
        return Evaluation.of(network, data.corpus().test(), data.corpus().scale());
    }

    /** {@return the network as it is now, on test data under the attack that it trains under; {@code null} for none} */
    public @Nullable Robustness robustness() {
        begun();
        Attack attack = settings.variation().attack();
        return attack == null
                ? null
                : Robustness.of(network, data.corpus().test(), data.corpus().scale(), attack, 1, settings.seed());
    }

    /**
     * Ends a run that is done: writes its history and the best weights into the folder.
     *
     * @throws IllegalStateException if the run is not done
     * @throws IOException if the files cannot be written; the run can be resumed and then ends at once
     */
    public void finish() throws IOException {
        finish(Map.of());
    }

    /**
     * Ends a run that is done, with more metadata in the file of weights.
     *
     * @param metadata further entries of the file's header
     * @throws IllegalStateException if the run is not done
     * @throws io.pare.file.FileException if they cannot be written; the run can be resumed and then ends at once
     * @throws IOException if the files cannot be written
     */
    public void finish(Map<String, String> metadata) throws IOException {
        if (!begun().done()) {
            throw new IllegalStateException("the run has done " + run.nextEpoch() + " of " + settings.steps().epochs()
                    + " epochs: call run() until it is done");
        }
        Map<String, String> all = new LinkedHashMap<>(metadata);
        all.put("seed", Long.toString(settings.seed()));
        if (!ranks.first()) {
            return;
        }
        folder.write(settings, history);
        Checkpoint.saveWeights(network, data.ending(), data.corpus().scale(), folder.weights(), all);
    }

    /** {@return the settings in full, as they are kept in the folder} */
    public RunSettings settings() {
        return settings;
    }

    /** {@return what it trains on and what it chooses by} */
    public Dataset.Split split() {
        begun();
        return split;
    }

    /**
     * {@return the network: the best epoch's once {@link #run} has said that the run is done; gone after {@link
     * #close}}
     */
    public Network network() {
        begun();
        return network;
    }

    /** {@return where the run stands} */
    public TrainingRun progress() {
        return begun();
    }

    /** {@return a row for each epoch so far} */
    public List<EpochRecord> history() {
        begun();
        return List.copyOf(history);
    }

    private TrainingRun begun() {
        if (run == null) {
            throw new IllegalStateException("the job has not begun: call begin() or run()");
        }
        return run;
    }

    /** Frees the network; harmless twice. */
    @Override
    public void close() {
        try (Network _ = network; Trainer _ = trainer) {
            // The trainer first, and the network whatever that throws.
        }
    }
}
