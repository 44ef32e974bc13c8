package io.pare.train;

import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.data.PixelScale;
import io.pare.graph.Tape;
import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;

/**
 * How well a network does on a data set.
 *
 * @param accuracy share of samples whose largest logit is the label's, in [0, 1]
 * @param loss mean cross-entropy in nats
 * @param samples number of samples
 */
public record Evaluation(double accuracy, double loss, int samples) {
    private static final int BATCH = 512;

    /** Runs every sample once, without dropout. */
    public static Evaluation of(Network network, Dataset data, PixelScale scale) {
        int batch = Math.min(BATCH, Math.max(1, data.size()));
        int classes = network.model().classes();
        Tape tape = network.inferenceTape(batch, network.sparse(batch, false));
        tape.readMasks();
        FloatTensor images = tape.input(Network.IMAGES);
        MemorySegment labels = tape.labels();
        Batches batches = Batches.inOrder(data, batch, scale);
        long correct = 0;
        double loss = 0;
        for (int count = batches.next(images, labels); count > 0; count = batches.next(images, labels)) {
            tape.forward(0);
            MemorySegment logits = tape.output().segment();
            correct += Kernels.active().countCorrect(logits, 0, labels, 0, count, classes);
            loss += Kernels.active().softmaxCrossEntropy(logits, 0, labels, 0, count, classes, 1f, null, 0);
        }
        return new Evaluation((double) correct / data.size(), loss / data.size(), data.size());
    }
}
