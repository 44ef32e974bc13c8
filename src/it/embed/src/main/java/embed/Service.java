package embed;

import io.pare.infer.CompressedModel;
import io.pare.infer.Session;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** One model, eight threads, each with a session of its own. Needs no more than the jar that predicts. */
public final class Service {
    private static final int THREADS = 8;
    private static final int PREDICTIONS = 200;

    private Service() {}

    public static void main(String[] files) throws Exception {
        System.out.println("predict: " + predict(Path.of(files[0])));
    }

    static String predict(Path file) throws IOException, InterruptedException, ExecutionException {
        try (CompressedModel model = CompressedModel.load(file);
                ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            float[] image = new float[model.model().input().features()];
            Arrays.fill(image, 0.5f);
            float[] expected = model.predict(image);
            List<Future<Integer>> found = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                found.add(threads.submit(() -> {
                    Session session = model.session();
                    float[] probabilities = new float[expected.length];
                    int wrong = 0;
                    for (int i = 0; i < PREDICTIONS; i++) {
                        session.predict(image, 1, probabilities);
                        wrong += Arrays.equals(expected, probabilities) ? 0 : 1;
                    }
                    return wrong;
                }));
            }
            int wrong = 0;
            for (Future<Integer> each : found) {
                wrong += each.get();
            }
            return THREADS * PREDICTIONS + " on " + THREADS + " threads, " + wrong + " wrong";
        }
    }
}
