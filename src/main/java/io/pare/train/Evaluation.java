package io.pare.train;

import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.descent.Attack;
import io.pare.exec.Tape;
import io.pare.exec.backend.Backends;
import io.pare.exec.backend.Precision;
import io.pare.mem.FloatTensor;
import io.pare.mpi.Ranks;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Task;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * How well a network does on a data set.
 *
 * @param metrics of the set's task
 * @param loss mean over samples: cross-entropy in nats, or the squared error, which is a mean over outputs too
 * @param samples number of samples; less than the set has if some could not be read and were skipped
 */
public record Evaluation(Metrics metrics, double loss, int samples) {
    private static final int BATCH = 512;
    /** Input values of a batch at most: 512 CIFAR images, 10 of ImageNet. */
    private static final int VALUES = 512 * 3 * 32 * 32;

    /** {@return what the network is to say of a sample} */
    public Task task() {
        return metrics.task();
    }

    /** {@return the metric by which networks are chosen; higher is better} */
    public double score() {
        return metrics.score();
    }

    /** {@return share of samples whose class is predicted; NaN where there are no classes} */
    public double accuracy() {
        return metrics instanceof Metrics.OfClasses classes ? classes.accuracy() : Double.NaN;
    }

    /** {@return the metrics in words, first that by which networks are chosen} */
    public String words() {
        return metrics.toString();
    }

    /** A batch size whose activations fit into memory. */
    static int batch(Network network, Dataset data) {
        return batch(network.model(), data, network.evaluationBatch());
    }

    static int batch(Net model, Dataset data, int most) {
        int usual = Math.clamp(Math.min(data.size(), VALUES / model.input().features()), 1, BATCH);
        return most > 0 ? Math.min(most, usual) : usual;
    }

    /**
     * Runs every sample once in fp32, without dropout. Where several processes train the network, each takes a part.
     *
     * @param network that is asked; it takes memory for a tape the first time
     * @param data one task's samples
     * @param scale that brings inputs to the network's range
     * @return what the network says, and how good it is
     */
    public static Evaluation of(Network network, Dataset data, InputScale scale) {
        return of(network, data, scale, Precision.FP32);
    }

    /**
     * Runs every sample once, without dropout.
     *
     * @param network that is asked; it takes memory for a tape the first time
     * @param data one task's samples
     * @param scale that brings inputs to the network's range
     * @param precision numbers that the tape computes in
     * @return what the network says, and how good it is
     * @throws IllegalStateException if another thread uses the network, or it is closed
     * @throws IllegalArgumentException if the machine does not compute in that precision
     */
    public static Evaluation of(Network network, Dataset data, InputScale scale, Precision precision) {
        try (var _ = network.section().enter()) {
            return measure(network, data, scale, precision, null, 0);
        }
    }

    /**
     * Runs every sample once in fp32, without dropout, as an attack from one random start leaves it.
     *
     * @param network that is asked; it takes memory for tapes the first time
     * @param data pictures with one class each
     * @param scale that brings inputs to the network's range
     * @param attack on each sample; {@code null} for samples as they are
     * @param seed of the random starts
     * @return what the network says, and how good it is
     * @throws IllegalArgumentException as {@link Robustness#of} does
     */
    public static Evaluation under(Network network, Dataset data, InputScale scale, @Nullable Attack attack,
            long seed) {
        try (var _ = network.section().enter()) {
            return measure(network, data, scale, Precision.FP32, attack, seed);
        }
    }

    private static Evaluation measure(Network network, Dataset data, InputScale scale, Precision precision,
            @Nullable Attack attack, long seed) {
        if (attack != null) {
            Robustness.check(data);
        }
        boolean sparse = attack == null && network.sparse(Backends.SPARSE_BATCH, false);
        int batch = sparse ? Backends.SPARSE_BATCH : batch(network, data);
        Tape tape = network.inferenceTape(batch, sparse, precision);
        tape.readMasks();
        FloatTensor images = tape.input(Network.IMAGES);
        MemorySegment labels = tape.labels();
        Ranks ranks = network.ranks();
        Adversary adversary = attack == null ? null : network.adversary(batch);
        Adversary.Ball ball = attack == null ? null : new Adversary.Ball(attack, scale, network.model());
        Tally tally = Tally.of(data, network.model().classes());
        try (Batches batches =
                Batches.inOrder(data, batch, scale, new Batches.Turn(ranks.rank(), 1, ranks.size()))) {
            for (int count = batches.next(images, labels); count > 0; count = batches.next(images, labels)) {
                if (adversary != null) {
                    adversary.attack(images, labels, ball, Robustness.starts(seed, 0),
                            (long) batches.batch() * ranks.size() + ranks.rank());
                    images.copyFrom(adversary.images());
                }
                tape.forward(0);
                tally.add(batches, count, tape.output().segment(), labels);
            }
        }
        return tally.with(ranks).result();
    }
}
