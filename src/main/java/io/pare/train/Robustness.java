package io.pare.train;

import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.data.SplitMix64;
import io.pare.descent.Attack;
import io.pare.exec.Tape;
import io.pare.exec.backend.Precision;
import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.InputScale;
import io.pare.net.Task;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;

/**
 * How many samples of a set a network has right whatever an attack makes of them.
 *
 * @param attack what was tried on each sample
 * @param restarts how often, each time from another random start
 * @param samples that were tried; less than the set has if some could not be read and were skipped
 * @param clean how many of these are right as they are
 * @param robust how many of these stay right under every restart
 */
public record Robustness(Attack attack, int restarts, int samples, int clean, int robust) {
    private static final long STARTS = 0x61747461L;

    /** {@return share of samples that stay right} */
    public double accuracy() {
        return (double) robust / samples;
    }

    /** {@return share of samples that are right as they are, at least {@link #accuracy}} */
    public double cleanAccuracy() {
        return (double) clean / samples;
    }

    /** {@return the attack and the restarts in words} */
    public String words() {
        return restarts == 1 ? attack.toString() : String.format(Locale.ROOT, "%s, %d restarts", attack, restarts);
    }

    /**
     * Attacks every sample, in fp32, on as many threads as the network computes with. Where several processes train the network,
     * each attacks all of them.
     *
     * @param network that is attacked; it takes memory for tapes the first time
     * @param data of classes, of pictures
     * @param scale that brings inputs to the network's range
     * @param attack what is tried
     * @param restarts how often, at least 1
     * @param seed of the random starts
     * @return what stays right
     * @throws IllegalStateException if another thread uses the network, or it is closed
     * @throws IllegalArgumentException if the data are no pictures with one class each, there is no restart, or the network has
     *             batch normalisation, see {@link Network#frozen}
     */
    public static Robustness of(Network network, Dataset data, InputScale scale, Attack attack, int restarts,
            long seed) {
        check(data);
        if (restarts < 1) {
            throw new IllegalArgumentException("restarts of an attack are " + restarts + ", must be at least 1");
        }
        try (var _ = network.section().enter()) {
            return measure(network, data, scale, attack, restarts, seed);
        }
    }

    /** Refuses data that an attack is not for. */
    static void check(Dataset data) {
        if (data.task() != Task.CLASSIFY || !data.pixels()) {
            throw new IllegalArgumentException("an attack is for pictures with one class each, and those of "
                    + data.name() + " are " + (data.pixels() ? "for task " + data.task() : "no pictures")
                    + ": leave it out");
        }
    }

    private static Robustness measure(Network network, Dataset data, InputScale scale, Attack attack, int restarts,
            long seed) {
        int batch = Evaluation.batch(network, data);
        Adversary adversary = network.adversary(batch);
        Adversary.Ball ball = new Adversary.Ball(attack, scale, network.model());
        Tape tape = network.inferenceTape(batch, false, Precision.FP32);
        FloatTensor images = tape.input(Network.IMAGES);
        boolean[] right = new boolean[batch];
        int samples = 0;
        int clean = 0;
        int robust = 0;
        try (Region region = Region.shared("samples as they are");
                Batches batches = Batches.inOrder(data, batch, scale)) {
            FloatTensor asTheyAre = region.tensor(images.shape());
            for (int count = batches.next(asTheyAre, tape.labels()); count > 0; count =
                    batches.next(asTheyAre, tape.labels())) {
                Arrays.fill(right, 0, count, true);
                samples += count;
                images.copyFrom(asTheyAre);
                int left = stillRight(tape, count, right);
                clean += left;
                for (int restart = 0; restart < restarts && left > 0; restart++) {
                    adversary.attack(asTheyAre, tape.labels(), ball, starts(seed, restart), batches.batch());
                    images.copyFrom(adversary.images());
                    left = stillRight(tape, count, right);
                }
                robust += left;
            }
        }
        return new Robustness(attack, restarts, samples, clean, robust);
    }

    /** The family of random starts of a restart. */
    static long starts(long seed, int restart) {
        return SplitMix64.of(seed, STARTS, restart).nextLong();
    }

    /** Runs the tape, unmarks the samples that are wrong now, and counts those that are marked still. */
    private static int stillRight(Tape tape, int count, boolean[] right) {
        tape.forward(0);
        FloatTensor logits = tape.output();
        MemorySegment values = logits.segment();
        int classes = (int) logits.size(1);
        int left = 0;
        for (int row = 0; row < count; row++) {
            right[row] &= Kernels.active().countCorrect(values, (long) row * classes * Float.BYTES, tape.labels(),
                    (long) row * Integer.BYTES, 1, classes, 1) == 1;
            left += right[row] ? 1 : 0;
        }
        return left;
    }
}
