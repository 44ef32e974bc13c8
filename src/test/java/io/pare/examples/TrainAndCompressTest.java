package io.pare.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.recipe.Recipe;
import io.pare.data.IdxFiles;
import io.pare.exec.backend.Precision;
import io.pare.infer.CompressedModel;
import io.pare.net.CompressedWeights;
import io.pare.run.CompressionJob;
import io.pare.run.CompressionResult;
import io.pare.run.DataSets;
import io.pare.run.DataSettings;
import io.pare.run.Engine;
import io.pare.run.RunFolder;
import io.pare.run.RunSettings;
import io.pare.run.StoredWeights;
import io.pare.run.TrainingJob;
import io.pare.train.Evaluation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a data set to a small file and a prediction. */
class TrainAndCompressTest {
    /** One weight in ten, eight values a layer. Recipes for real networks take tens of epochs, as those of Pare do. */
    private static final Recipe RECIPE = Recipe.parse("tenth", """
            name: tenth
            train: {epochs: 2, batchSize: 20}
            stages:
              - admm-prune: {keep: {ratio: 10}}
              - mask-retrain: {}
              - admm-cluster: {bits: {"*": 3}}
            """);

    /** Trains a network on digits. Stopped and called again with {@code TrainingJob.resumed}, it would go on. */
    static DataSets.Opened train(Path digits, Path folder) throws IOException {
        RunSettings settings = RunSettings.of("lenet300").with(DataSettings.in(digits))
                .with(new RunSettings.Steps(2, 20));
        DataSets.Opened data = DataSets.open(settings, System.err::println);
        try (RunFolder run = new RunFolder(folder); TrainingJob job = TrainingJob.fresh(run, settings, data)) {
            job.run();
            job.finish();
        }
        return data;
    }

    /** Prunes it, gives it codebooks, packs it and writes it. Stopped and called again, it goes on. */
    static CompressionResult compress(DataSets.Opened data, Path trained, Path folder) throws IOException {
        try (CompressionJob job = new CompressionJob(data.model(), data.corpus(), folder)
                .from(StoredWeights.of(trained)).recipe(RECIPE)) {
            return job.run();
        }
    }

    /** What the network sees in an image of values from 0 to 255. */
    static int classify(Path file, int[] pixels) throws IOException {
        try (var model = CompressedModel.load(file)) {
            return model.classify(model.scale().apply(pixels));
        }
    }

    @Test
    void aNetworkIsTrainedCompressedWrittenAndAsked(@TempDir Path folder) throws IOException {
        Path digits = IdxFiles.folder(folder.resolve("digits"), 220, 40);
        Path trained = folder.resolve("trained");
        DataSets.Opened data = train(digits, trained);
        CompressionResult result = compress(data, trained, folder.resolve("small"));
        assertEquals(266_200 / 10, result.found().nonzeros(), 20);
        assertEquals(Files.size(result.file()), result.fileBytes());
        assertTrue(result.fileBytes() < 4 * 266_200 / 20, result.fileBytes() + " bytes");
        CompressedWeights weights = StoredWeights.of(result.file()).read(null).weights();
        Evaluation test =
                Engine.SPARSE.evaluate(weights, data.corpus().test(), data.corpus().scale(), Precision.FP32);
        assertEquals(result.test().accuracy(), test.accuracy(), 1.0 / 40);
        int[] pixels = new int[784];
        pixels[400] = 255;
        int seen = classify(result.file(), pixels);
        assertTrue(seen >= 0 && seen < 10, "class " + seen);
    }
}
