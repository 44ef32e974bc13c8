package io.pare.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.format.pare.PareFile;
import io.pare.infer.CompressedModel;
import io.pare.infer.Session;
import io.pare.net.PrunedNets;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a service uses a compressed network. No native library is loaded, and nothing needs freeing but the model. */
class PredictFromFileTest {
    /** One model for the whole service; any thread may call it. */
    static int classify(Path file, int[] pixels) throws IOException {
        try (var model = CompressedModel.load(file)) {
            float[] image = new float[pixels.length];
            for (int i = 0; i < image.length; i++) {
                image[i] = model.scale().apply(0, pixels[i]);
            }
            float[] probabilities = model.predict(image);
            int best = 0;
            for (int c = 1; c < probabilities.length; c++) {
                best = probabilities[c] > probabilities[best] ? c : best;
            }
            return best;
        }
    }

    /** A thread that predicts all the time keeps a session and its arrays, and makes no garbage. */
    static void classifyMany(CompressedModel model, float[] images, int count, float[] probabilities) {
        Session session = model.session();
        session.predict(images, count, probabilities);
    }

    @Test
    void predictsFromAFile(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("lenet5.pare");
        PareFile.write(file, PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3));
        int[] pixels = new int[784];
        pixels[400] = 255;
        try (var model = CompressedModel.load(file)) {
            float[] images = new float[2 * 784];
            images[400] = 1;
            images[784 + 400] = 1;
            float[] probabilities = new float[20];
            classifyMany(model, images, 2, probabilities);
            assertEquals(model.classify(Arrays.copyOf(images, 784)), classify(file, pixels));
            assertEquals(probabilities[3], probabilities[13], 1e-6);
        }
    }
}
