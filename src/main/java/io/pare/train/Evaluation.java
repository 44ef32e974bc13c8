package io.pare.train;

import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.exec.Tape;
import io.pare.exec.backend.Precision;
import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.net.InputScale;
import io.pare.net.Net;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * How well a network does on a data set.
 *
 * @param accuracy share of samples whose largest logit is the label's, in [0, 1]
 * @param topFive share of samples whose label is among the five largest logits
 * @param loss mean cross-entropy in nats
 * @param samples number of samples; less than the set has if some could not be read and were skipped
 */
public record Evaluation(double accuracy, double topFive, double loss, int samples) {
    /** Guesses that count in {@link #topFive}. */
    public static final int FIVE = 5;
    /** Networks of no more classes are judged by the first guess alone. */
    private static final int FEW_CLASSES = 10;
    private static final int BATCH = 512;
    /** Input values of a batch at most: 512 CIFAR images, 10 of ImageNet. */
    private static final int VALUES = 512 * 3 * 32 * 32;

    /** The accuracy in words, with that in top-5 for networks of many classes. */
    public String words(int classes) {
        return classes > FEW_CLASSES
                ? String.format(Locale.ROOT, "%.4f, top-5 %.4f", accuracy, topFive)
                : String.format(Locale.ROOT, "%.4f", accuracy);
    }

    /** A batch size whose activations fit into memory. */
    static int batch(Network network, Dataset data) {
        return batch(network.model(), data, network.evaluationBatch());
    }

    static int batch(Net model, Dataset data, int most) {
        int usual = Math.clamp(Math.min(data.size(), VALUES / model.input().features()), 1, BATCH);
        return most > 0 ? Math.min(most, usual) : usual;
    }

    /** Runs every sample once in fp32, without dropout. */
    public static Evaluation of(Network network, Dataset data, InputScale scale) {
        return of(network, data, scale, Precision.FP32);
    }

    /** Runs every sample once, without dropout. */
    public static Evaluation of(Network network, Dataset data, InputScale scale, Precision precision) {
        try (var _ = network.section().enter()) {
            return measure(network, data, scale, precision);
        }
    }

    private static Evaluation measure(Network network, Dataset data, InputScale scale, Precision precision) {
        int batch = batch(network, data);
        int classes = network.model().classes();
        Tape tape = network.inferenceTape(batch, network.sparse(batch, false), precision);
        tape.readMasks();
        FloatTensor images = tape.input(Network.IMAGES);
        MemorySegment labels = tape.labels();
        Kernels kernels = Kernels.active();
        long correct = 0;
        long inFive = 0;
        int seen = 0;
        double loss = 0;
        try (Batches batches = Batches.inOrder(data, batch, scale)) {
            for (int count = batches.next(images, labels); count > 0; count = batches.next(images, labels)) {
                tape.forward(0);
                MemorySegment logits = tape.output().segment();
                correct += kernels.countCorrect(logits, 0, labels, 0, count, classes, 1);
                inFive += kernels.countCorrect(logits, 0, labels, 0, count, classes, FIVE);
                loss += kernels.softmaxCrossEntropy(logits, 0, labels, 0, count, classes, 1f, null, 0);
                seen += count;
            }
        }
        return new Evaluation((double) correct / seen, (double) inFive / seen, loss / seen, seen);
    }
}
