package io.pare.run;

import io.pare.compress.recipe.Sensitivity;
import io.pare.data.Corpus;
import io.pare.data.Dataset;
import io.pare.exec.backend.Precision;
import io.pare.natives.Natives;
import io.pare.net.Net;
import io.pare.train.Network;
import io.pare.train.Teachers;
import java.io.IOException;
import java.util.function.Consumer;

/** Measures what each layer of a trained network can do without: pruned and clustered alone, without retraining. */
public final class SensitivityScan {
    private SensitivityScan() {}

    /**
     * Scans all compressible tensors for {@link Sensitivity#SHARES} and {@link Sensitivity#BITS}. Takes memory for the
     * network and frees it.
     *
     * @param model network
     * @param corpus data that it is measured on
     * @param from the trained weights
     * @param seed of their training: it says which images are validation
     * @param warnings is told if the weights are for another scale than the data's
     * @return validation accuracies, {@link Sensitivity#recipe(String, double)} of which is a first recipe
     * @throws RunException if the file holds another network
     * @throws io.pare.file.FormatException if the file is damaged
     * @throws IOException if the file cannot be read
     */
    public static Sensitivity of(Net model, Corpus corpus, StoredWeights from, long seed, Consumer<String> warnings)
            throws IOException {
        Dataset.Split split = corpus.split(0, seed);
        try (Network network = Network.create(model, seed, Natives.enabled());
                NetworkTraining training = new NetworkTraining(network, Teachers.of(network), split.train(),
                        split.validation(),
                        corpus.scale(), corpus.augmentation().crop(), seed, 0, Precision.FP32)) {
            from.copyTo(network, corpus.scale(), warnings);
            return Sensitivity.scan(training, Sensitivity.SHARES, Sensitivity.BITS);
        }
    }
}
