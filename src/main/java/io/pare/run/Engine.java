package io.pare.run;

import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.exec.backend.Precision;
import io.pare.format.NetworkFile;
import io.pare.infer.CompressedModel;
import io.pare.mem.FloatTensor;
import io.pare.mem.Parallel;
import io.pare.mem.Region;
import io.pare.natives.NativeThreads;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import io.pare.train.Tally;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** What computes when a finished network is measured. Both give the same answers but for rounding. */
public enum Engine {
    /** The trainer's: all weights, in batches, with oneDNN where it can be had. */
    DENSE,
    /** The predictor's: straight from the compressed form, an image at a time, in plain Java; fp32 only. */
    SPARSE;

    /** Samples that a thread takes at once: a multiple of the blocks that the predictor cuts them into. */
    private static final int PART = 64;

    /**
     * {@return the engine that files of a kind are for: {@link #SPARSE} for {@code .pare}}
     *
     * @param file of a network
     * @throws IOException if the file cannot be read
     */
    public static Engine usual(Path file) throws IOException {
        return NetworkFile.format(file) == NetworkFile.Format.PARE ? SPARSE : DENSE;
    }

    /**
     * Runs every sample once, without dropout, on as many threads as {@link NativeThreads#get} says. Takes memory for the
     * network and frees it.
     *
     * @param weights of the network
     * @param data samples and targets
     * @param scale how pixels become inputs
     * @param precision of {@link #DENSE}
     * @return what the network says, and how good it is
     * @throws RunException if {@link #SPARSE} is asked for anything but fp32
     */
    public Evaluation evaluate(CompressedWeights weights, Dataset data, InputScale scale, Precision precision) {
        return evaluate(weights, data, scale, precision, null);
    }

    /**
     * {@return how good the network is, computed on the calling thread and an executor's}
     *
     * @param weights of the network
     * @param data samples and targets
     * @param scale how pixels become inputs
     * @param precision of {@link #DENSE}
     * @param executor of {@link #SPARSE}, which then starts no thread; {@link #DENSE} computes on OpenMP's in any
     *            case. {@code null} for as many threads as {@link NativeThreads#get} says
     */
    public Evaluation evaluate(CompressedWeights weights, Dataset data, InputScale scale, Precision precision,
            @Nullable Executor executor) {
        return switch (this) {
            case DENSE -> dense(weights, data, scale, precision);
            case SPARSE -> {
                check(precision);
                yield sparse(weights, data, scale, executor);
            }
        };
    }

    /**
     * Runs a network on samples, in fp32, on as many threads as {@link NativeThreads#get} says. Takes memory for the
     * network and frees it.
     *
     * @param weights of the network
     * @param samples inputs of all of them, row-major
     * @param count how many samples
     * @return outputs of all of them, row-major
     */
    public float[] outputs(CompressedWeights weights, float[] samples, int count) {
        return outputs(weights, samples, count, null);
    }

    /**
     * Runs a network on the calling thread and an executor's.
     *
     * @param weights of the network
     * @param samples inputs of all of them, row-major
     * @param count how many samples
     * @param executor as of {@link #evaluate(CompressedWeights, Dataset, InputScale, Precision, Executor)}
     * @return outputs of all of them, row-major
     */
    public float[] outputs(CompressedWeights weights, float[] samples, int count, @Nullable Executor executor) {
        return switch (this) {
            case DENSE -> {
                try (Network network = Network.frozen(weights, Natives.enabled())) {
                    yield network.outputs(samples, count);
                }
            }
            case SPARSE -> {
                try (CompressedModel model = CompressedModel.of(weights)) {
                    int features = weights.model().input().features();
                    int classes = weights.model().classes();
                    float[] outputs = new float[Math.multiplyExact(count, classes)];
                    onThreads(executor, count, (from, to) -> {
                        float[] part = Arrays.copyOfRange(samples, from * features, to * features);
                        float[] given = new float[(to - from) * classes];
                        model.logits(part, to - from, given);
                        System.arraycopy(given, 0, outputs, from * classes, given.length);
                    });
                    yield outputs;
                }
            }
        };
    }

    /**
     * Refuses a precision that this engine does not have.
     *
     * @param precision that is asked for
     * @throws RunException saying which it has
     */
    public void check(Precision precision) {
        if (this == SPARSE && precision != Precision.FP32) {
            throw new RunException(
                    "--precision " + precision + " is for --engine dense; the sparse engine has fp32 only");
        }
    }

    private static Evaluation dense(CompressedWeights weights, Dataset data, InputScale scale, Precision precision) {
        try (Network network = Network.frozen(weights, Natives.enabled())) {
            return Evaluation.of(network, data, scale, precision);
        }
    }

    private static Evaluation sparse(CompressedWeights weights, Dataset data, InputScale scale, Executor executor) {
        int threads = threads(executor);
        int batch = threads == 1 ? 1 : threads * PART;
        int classes = weights.model().classes();
        try (CompressedModel model = CompressedModel.of(weights);
                Region region = Region.shared("evaluation");
                Batches batches = Batches.inOrder(data, batch, scale)) {
            FloatTensor images = region.tensor(batch, data.channels(), data.height(), data.width());
            MemorySegment labels = region.allocate((long) batch * Integer.BYTES);
            FloatTensor outputs = region.tensor(batch, classes);
            int features = (int) (images.count() / batch);
            Tally tally = Tally.of(data, classes);
            for (int count = batches.next(images, labels); count > 0; count = batches.next(images, labels)) {
                onThreads(executor, count, (from, to) -> {
                    float[] image = new float[features];
                    float[] logits = new float[classes];
                    for (int i = from; i < to; i++) {
                        MemorySegment.copy(images.segment(), ValueLayout.JAVA_FLOAT, (long) i * features * Float.BYTES,
                                image, 0, features);
                        model.logits(image, 1, logits);
                        MemorySegment.copy(logits, 0, outputs.segment(), ValueLayout.JAVA_FLOAT,
                                (long) i * classes * Float.BYTES, classes);
                    }
                });
                for (int i = 0; i < count; i++) {
                    // One by one: the bits of the loss are then the same for any number of threads.
                    tally.add(batches, i, 1, outputs.segment().asSlice((long) i * classes * Float.BYTES),
                            labels.asSlice((long) i * Integer.BYTES));
                }
            }
            return tally.result();
        }
    }

    /** What is done to samples [from, to). */
    @FunctionalInterface
    private interface Samples {
        void run(int from, int to);
    }

    private static int threads(Executor executor) {
        return executor == null ? NativeThreads.get() : Runtime.getRuntime().availableProcessors();
    }

    /** Divides samples among threads; what comes of each sample is the same for any number of them. */
    private static void onThreads(Executor executor, int count, Samples work) {
        int threads = threads(executor);
        int part = threads == 1 ? Math.max(1, count) : PART;
        Parallel.run(executor, threads, Math.ceilDiv(count, part),
                () -> item -> work.run(item * part, Math.min(count, (item + 1) * part)));
    }
}
