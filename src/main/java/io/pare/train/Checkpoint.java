package io.pare.train;

import io.pare.data.Augmentation;
import io.pare.data.Checksum;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.exec.backend.Precision;
import io.pare.file.FormatException;
import io.pare.format.NetworkFile;
import io.pare.format.safetensors.Safetensors;
import io.pare.mem.FloatTensor;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The files of a training: {@code checkpoint.safetensors} holds all that a run needs to go on with the same bits, and
 * {@code weights.safetensors} a network alone.
 *
 * <p>A checkpoint holds every parameter under {@code value/}, the optimiser's tensors under their own names, the best
 * weights under {@code best/}; counters are in the metadata, doubles as the hexadecimal form that loses nothing. Both
 * files are replaced in one step, so a process that is killed leaves the last whole one.
 */
public final class Checkpoint {
    /** Name of the file that a run goes on from. */
    public static final String FILE = "checkpoint.safetensors";
    /** Name of the file that holds a network. */
    public static final String WEIGHTS = "weights.safetensors";

    private static final String KIND = "pare.checkpoint";
    private static final String VERSION = "1";

    private Checkpoint() {}

    /** Writes a run's whole state into {@code folder}. */
    public static void save(TrainingRun run, Path folder) throws IOException {
        Trainer trainer = run.trainer();
        Trainer.Progress progress = trainer.progress();
        Safetensors.Writer writer = new Safetensors.Writer().metadata(KIND, VERSION)
                .metadata("model", trainer.network().model().name()).metadata("run", describe(run))
                .metadata("data", run.data())
                .metadata("epoch", Integer.toString(run.nextEpoch()))
                .metadata("batch", Integer.toString(run.nextBatch()))
                .metadata("steps", Long.toString(trainer.steps()))
                .metadata("lossSum", Double.toHexString(progress.lossSum()))
                .metadata("correct", Long.toString(progress.correct()))
                .metadata("seconds", Double.toHexString(run.seconds()))
                .metadata("samples", Long.toString(run.samples()))
                .metadata("bestEpoch", Integer.toString(run.bestEpoch()))
                .metadata("bestAccuracy", Double.toHexString(run.bestAccuracy()))
                .metadata("bestLoss", Double.toHexString(run.bestLoss()));
        for (Weight weight : trainer.network().weights()) {
            writer.add("value/" + weight.name(), weight.value());
            List<String> states = weight.stateNames(trainer.settings().optimizer());
            for (int i = 0; i < states.size(); i++) {
                writer.add(states.get(i) + "/" + weight.name(), weight.state(i));
            }
        }
        for (Map.Entry<String, FloatTensor> entry : run.bestValues().entrySet()) {
            writer.add("best/" + entry.getKey(), entry.getValue());
        }
        writer.write(folder.resolve(FILE));
    }

    /**
     * Puts a new run into the state that a checkpoint holds.
     *
     * @throws FormatException if the file is no checkpoint, is damaged, or is that of another model or of a run with
     *         other settings
     */
    public static void restore(TrainingRun run, Path folder) throws IOException {
        Path path = folder.resolve(FILE);
        Trainer trainer = run.trainer();
        try (Safetensors file = Safetensors.open(path)) {
            Map<String, String> metadata = file.metadata();
            if (!VERSION.equals(metadata.get(KIND))) {
                throw new FormatException(
                        path + " is not a checkpoint of a training; give the folder that --out named");
            }
            expect(path, "model", trainer.network().model().name(), metadata.get("model"));
            expect(path, "settings", describe(run), metadata.get("run"));
            // Those of before this was noted are believed.
            expect(path, "data", run.data(), metadata.getOrDefault("data", run.data()));
            Counters counters = new Counters(path, metadata);
            int epochs = run.plan().epochs();
            int epoch = (int) counters.whole("epoch", 0, epochs);
            int batch = (int) counters.whole("batch", 0, epoch == epochs ? 0 : trainer.stepsPerEpoch() - 1);
            long steps = (long) epoch * trainer.stepsPerEpoch() + batch;
            counters.whole("steps", steps, steps);
            int bestEpoch = (int) counters.whole("bestEpoch", epoch == 0 ? -1 : 0, epoch - 1);
            long samples = counters.whole("samples", 0, Long.MAX_VALUE);
            long correct = counters.whole("correct", 0, Long.MAX_VALUE);
            for (Weight weight : trainer.network().weights()) {
                read(path, file, "value/" + weight.name(), weight.value());
                List<String> states = weight.stateNames(trainer.settings().optimizer());
                for (int i = 0; i < states.size(); i++) {
                    read(path, file, states.get(i) + "/" + weight.name(), weight.state(i));
                }
                read(path, file, "best/" + weight.name(), run.bestValues().get(weight.name()));
            }
            trainer.steps(steps);
            trainer.restoreSums(counters.number("lossSum"), correct);
            run.restore(epoch, batch, counters.number("seconds"), samples, bestEpoch, counters.number("bestAccuracy"),
                    counters.number("bestLoss"));
        }
    }

    /** The numbers in a checkpoint's metadata. */
    private record Counters(Path path, Map<String, String> metadata) {
        long whole(String name, long least, long most) {
            try {
                long value = Long.parseLong(text(name));
                if (value < least || value > most) {
                    throw new FormatException(path + " is damaged: " + name + " is " + value + ", must be "
                            + (least == most ? least : "from " + least + " to " + most));
                }
                return value;
            } catch (NumberFormatException e) {
                throw new FormatException(path + " is damaged: " + name + " is no whole number", e);
            }
        }

        double number(String name) {
            try {
                return Double.parseDouble(text(name));
            } catch (NumberFormatException e) {
                throw new FormatException(path + " is damaged: " + name + " is no number", e);
            }
        }

        private String text(String name) {
            String text = metadata.get(name);
            if (text == null) {
                throw new FormatException(path + " is damaged: its metadata has no " + name);
            }
            return text;
        }
    }

    /** Writes the parameters of a network, with the model's name and shape, how pixels are scaled, and any metadata. */
    public static void saveWeights(Network network, InputScale scale, Path path, Map<String, String> metadata)
            throws IOException {
        saveWeights(network, Ending.NONE, scale, path, metadata);
    }

    /** The same of a network that is written with an ending. */
    public static void saveWeights(Network network, Ending ending, InputScale scale, Path path,
            Map<String, String> metadata) throws IOException {
        Safetensors.Writer writer = NetworkFile.writer(ending.on(network.model()), scale);
        metadata.forEach(writer::metadata);
        for (Weight weight : network.weights()) {
            writer.add(weight.name(), weight.value());
        }
        writer.write(path);
    }

    /** Reads the parameters of a network, of which every one must be there with its shape; gives the metadata. */
    public static Map<String, String> loadWeights(Network network, Path path) throws IOException {
        try (Safetensors file = Safetensors.open(path)) {
            String model = file.metadata().get("model");
            if (model != null) {
                expect(path, "model", network.model().name(), model);
            }
            for (Weight weight : network.weights()) {
                read(path, file, weight.name(), weight.value());
            }
            return file.metadata();
        }
    }

    /** Tells networks of one model apart: a digest of all values in their order. */
    public static String fingerprint(Network network) {
        MessageDigest digest = Checksum.digest();
        for (Weight weight : network.weights()) {
            digest.update(weight.value().segment().asByteBuffer());
        }
        return Checksum.brief(digest);
    }

    private static void read(Path path, Safetensors file, String name, FloatTensor into) throws IOException {
        if (!file.contains(name)) {
            throw new FormatException(path + " has no tensor '" + name + "'");
        }
        long[] shape = file.entry(name).shape();
        if (!Arrays.equals(shape, into.shape())) {
            throw new FormatException(path + ": tensor '" + name + "' has shape " + Arrays.toString(shape)
                    + ", the model needs " + Arrays.toString(into.shape()));
        }
        file.floats(name, into);
    }

    private static void expect(Path path, String what, String wanted, String found) {
        if (!wanted.equals(found)) {
            throw new FormatException(path + " was made with " + what + " " + found + ", this run has " + wanted);
        }
    }

    /**
     * Everything that decides the bits of a run, but for data, threads and machine. Checkpoints hold these words, so they
     * stay as they are.
     */
    private static String describe(TrainingRun run) {
        TrainingSettings s = run.trainer().settings();
        Augmentation a = s.augmentation();
        String more = a.equals(Augmentation.of(a.shift())) ? "" : " " + a.crop() + " flip=" + a.flip();
        return "Plan[epochs=" + run.plan().epochs() + ", rate=" + run.plan().schedule().rate() + ", schedule="
                + words(run.plan().schedule(), run.trainer().stepsPerEpoch()) + "] batchSize=" + s.batchSize() + " "
                + words(s.optimizer()) + " dropout=" + s.dropout() + " "
                + a.shift() + more + (s.accumulate() > 1 ? " accumulate=" + s.accumulate() : "")
                + (s.evaluationBatch() > 0 ? " evaluationBatch=" + s.evaluationBatch() : "") + " seed=" + s.seed()
                + (s.precision() == Precision.FP32 ? "" : " " + s.precision());
    }

    private static String words(Schedule schedule, int stepsPerEpoch) {
        String course = switch (schedule.course()) {
            case COSINE -> "Cosine[floor=" + schedule.floor() + "]";
            case STEP -> "Steps[pieces=3, decay=0.1]";
            case CONSTANT -> "Constant[]";
        };
        long rising = schedule.risingSteps(stepsPerEpoch);
        return rising == 0 ? course : "WarmUp[steps=" + rising + ", after=" + course + "]";
    }

    private static String words(Optimizer optimizer) {
        float decay = (float) optimizer.decay();
        return switch (optimizer.rule()) {
            case ADAM, ADAMW -> "Adaptive[decay=" + decay + ", decoupled="
                    + (optimizer.rule() == Optimizer.Rule.ADAMW) + "]";
            case SGD, NESTEROV -> "Momentum[momentum=" + (float) optimizer.momentum() + ", decay=" + decay
                    + ", nesterov=" + (optimizer.rule() == Optimizer.Rule.NESTEROV) + "]";
        };
    }
}
