package io.pare.train;

import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.descent.Attack;
import io.pare.exec.Tape;
import io.pare.net.Net;
import io.pare.net.Parameter;
import io.pare.net.Task;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The off-heap memory of a training, in bytes, found before any of it is taken.
 *
 * @param parameters all that is trained, and statistics
 * @param gradients of all that is trained
 * @param states of the optimiser
 * @param activations values, gradients of values and working memory, which all tapes share
 * @param inputs of all tapes, with labels
 * @param ahead batches that are loaded in advance
 */
public record TrainingMemory(long parameters, long gradients, long states, long activations, long inputs, long ahead) {
    /**
     * {@return the memory of a network with {@link Trainer}s one after the other, and of evaluations in between, on
     * masks that leave most weights; it depends on the number of threads}
     *
     * @param model that is trained
     * @param settings of the trainers
     * @param useNative whether oneDNN may be used, whose layouts take memory
     * @param evaluated sets that are evaluated while they live, all of one task; without any it is classification
     */
    public static TrainingMemory of(Net model, List<TrainingSettings> settings, boolean useNative,
            List<Dataset> evaluated) {
        long parameters = 0;
        long trained = 0;
        for (Parameter parameter : model.parameters()) {
            long bytes = parameter.count() * Float.BYTES;
            parameters += bytes;
            trained += parameter.trained() ? bytes : 0;
        }
        long image = (long) model.input().features() * Float.BYTES;
        boolean loads = evaluated.stream().anyMatch(data -> data.loaders() > 0);
        Tapes tapes = new Tapes();
        long states = 0;
        long ahead = 0;
        Task task = evaluated.stream().findFirst().map(Dataset::task).orElse(Task.CLASSIFY);
        Set<TapeOf> made = new HashSet<>();
        for (TrainingSettings each : settings) {
            states = Math.max(states, each.optimizer().states().size());
            if (made.add(TapeOf.training(each))) {
                tapes.add(Network.footprint(model, each, task, useNative));
            }
            if (each.attack() != null && made.add(TapeOf.attack(each.passSize()))) {
                tapes.add(Network.attackFootprint(model, each.passSize(), useNative));
            }
            for (Dataset data : evaluated) {
                int batch = Evaluation.batch(model, data, each.evaluationBatch());
                if (made.add(TapeOf.evaluation(batch))) {
                    tapes.add(Network.footprint(model, batch, useNative));
                }
                if (each.attack() != null && made.add(TapeOf.attack(batch))) {
                    tapes.add(Network.attackFootprint(model, batch, useNative));
                }
                ahead = Math.max(ahead, loads ? Batches.AHEAD * image * (each.passSize() + batch) : 0);
            }
        }
        return new TrainingMemory(parameters, trained, trained * states, tapes.shared, tapes.own, ahead);
    }

    /**
     * {@return bytes of one evaluation of a network, parameters apart}
     *
     * @param model that is evaluated
     * @param data whose samples are asked for
     * @param useNative whether oneDNN may be used, whose layouts take memory
     */
    public static long inference(Net model, Dataset data, boolean useNative) {
        Tape.Footprint tape = Network.footprint(model, Evaluation.batch(model, data, 0), useNative);
        return tape.shared() + tape.own();
    }

    /** What tells one tape from another. */
    private record TapeOf(int batch, boolean training, boolean dropout, @Nullable Object distillation, int parts,
            boolean recompute) {
        static TapeOf training(TrainingSettings settings) {
            return new TapeOf(settings.passSize(), true, settings.dropout(), settings.distillation(),
                    settings.accumulate(), settings.recompute());
        }

        static TapeOf attack(int batch) {
            return new TapeOf(batch, true, false, Attack.class, 1, false);
        }

        static TapeOf evaluation(int batch) {
            return new TapeOf(batch, false, false, null, 1, false);
        }
    }

    /** Tapes in one workspace, which keeps its smaller pieces when it has to grow. */
    private static final class Tapes {
        private long largest;
        private long shared;
        private long own;

        void add(Tape.Footprint tape) {
            own += tape.own();
            if (tape.shared() > largest) {
                largest = tape.shared();
                shared += largest;
            }
        }
    }

    /** {@return all of it} */
    public long total() {
        return parameters + gradients + states + activations + inputs + ahead;
    }

    /** In words, in megabytes of a million bytes. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s (parameters %s, gradients %s, optimiser %s, activations %s, images %s)",
                megabytes(total()), megabytes(parameters), megabytes(gradients), megabytes(states),
                megabytes(activations), megabytes(inputs + ahead));
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, bytes < 10_000_000 ? "%.1f MB" : "%,.0f MB", bytes / 1e6);
    }
}
