package io.pare.run;

import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.exec.backend.Precision;
import io.pare.format.NetworkFile;
import io.pare.infer.CompressedModel;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.rewrite.BatchNormFolding;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import io.pare.train.Tally;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** What computes when a finished network is measured. Both give the same answers but for rounding. */
public enum Engine {
    /** The trainer's: all weights, in batches, with oneDNN where it can be had. */
    DENSE,
    /** The predictor's: straight from the compressed form, an image at a time, in plain Java; fp32 only. */
    SPARSE;

    /**
     * The engine that files of a kind are for: {@link #SPARSE} for {@code .pare}.
     *
     * @throws IOException if the file cannot be read
     */
    public static Engine usual(Path file) throws IOException {
        return NetworkFile.format(file) == NetworkFile.Format.PARE ? SPARSE : DENSE;
    }

    /**
     * Runs every sample once, without dropout. Takes memory for the network and frees it.
     *
     * @param scale how pixels become inputs
     * @param precision of {@link #DENSE}
     * @throws RunException if {@link #SPARSE} is asked for anything but fp32
     */
    public Evaluation evaluate(CompressedWeights weights, Dataset data, InputScale scale, Precision precision) {
        return switch (this) {
            case DENSE -> dense(weights, data, scale, precision);
            case SPARSE -> {
                check(precision);
                yield sparse(weights, data, scale);
            }
        };
    }

    /**
     * What a network gives for samples, one after another; fp32. Takes memory for the network and frees it.
     *
     * @param samples inputs of all of them, row-major
     * @return outputs of all of them, row-major
     */
    public float[] outputs(CompressedWeights weights, float[] samples, int count) {
        return switch (this) {
            case DENSE -> {
                // A sixth of MobileNetV2's time; activations behind a folded one run within the convolution.
                CompressedWeights folded = BatchNormFolding.fold(weights);
                try (Network network = Network.create(folded.model(), 0, Natives.enabled())) {
                    network.copyFrom(folded);
                    yield network.outputs(samples, count);
                }
            }
            case SPARSE -> {
                try (CompressedModel model = CompressedModel.of(weights)) {
                    float[] outputs = new float[Math.multiplyExact(count, weights.model().classes())];
                    model.logits(samples, count, outputs);
                    yield outputs;
                }
            }
        };
    }

    /**
     * Refuses a precision that this engine does not have.
     *
     * @throws RunException saying which it has
     */
    public void check(Precision precision) {
        if (this == SPARSE && precision != Precision.FP32) {
            throw new RunException(
                    "--precision " + precision + " is for --engine dense; the sparse engine has fp32 only");
        }
    }

    private static Evaluation dense(CompressedWeights weights, Dataset data, InputScale scale, Precision precision) {
        try (Network network = Network.create(weights.model(), 0, Natives.enabled())) {
            network.copyFrom(weights);
            return Evaluation.of(network, data, scale, precision);
        }
    }

    private static Evaluation sparse(CompressedWeights weights, Dataset data, InputScale scale) {
        try (CompressedModel model = CompressedModel.of(weights);
                Region region = Region.shared("evaluation");
                Batches batches = Batches.inOrder(data, 1, scale)) {
            FloatTensor image = region.tensor(1, data.channels(), data.height(), data.width());
            MemorySegment label = region.allocate(Integer.BYTES);
            float[] logits = new float[weights.model().classes()];
            FloatTensor outputs = region.tensor(logits.length);
            Tally tally = Tally.of(data, logits.length);
            while (batches.next(image, label) > 0) {
                model.logits(image.toArray(), 1, logits);
                tally.add(batches, 1, outputs.copyFrom(logits).segment(), label);
            }
            return tally.result();
        }
    }
}
