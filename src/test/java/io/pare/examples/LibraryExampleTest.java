package io.pare.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.AdmmOptions;
import io.pare.compress.GradientTraining;
import io.pare.compress.Training;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.recipe.Compression;
import io.pare.compress.recipe.Pipeline;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The README's example of compressing a network of one's own: a linear classifier here, anything with gradients there. */
class LibraryExampleTest {
    private static final int INPUTS = 40;

    /** The label is the sign of the first input minus the second; the other inputs are noise. */
    private static double sample(SplittableRandom random, double[] x) {
        for (int i = 0; i < INPUTS; i++) {
            x[i] = random.nextGaussian();
        }
        return x[0] > x[1] ? 1 : -1;
    }

    private static double score(FloatTensor w, double[] x) {
        double sum = 0;
        for (int i = 0; i < INPUTS; i++) {
            sum += w.get(i) * x[i];
        }
        return sum;
    }

    private static double gradient(long batch, List<Variable> variables) {
        FloatTensor w = variables.getFirst().value();
        FloatTensor g = variables.getFirst().gradient().fill(0f);
        SplittableRandom random = new SplittableRandom(batch);
        double[] x = new double[INPUTS];
        double loss = 0;
        for (int s = 0; s < 32; s++) {
            double label = sample(random, x);
            double wrong = 1 / (1 + Math.exp(label * score(w, x)));
            loss -= Math.log(1 - wrong) / 32;
            for (int i = 0; i < INPUTS; i++) {
                g.set(i, (float) (g.get(i) - label * wrong * x[i] / 32));
            }
        }
        return loss;
    }

    private static Training.Evaluation evaluate(FloatTensor w) {
        SplittableRandom random = new SplittableRandom(-1);
        double[] x = new double[INPUTS];
        int right = 0;
        for (int s = 0; s < 1000; s++) {
            right += sample(random, x) * score(w, x) > 0 ? 1 : 0;
        }
        return new Training.Evaluation(right / 1000.0, 0);
    }

    @Test
    void aListOfTensorsWithAGradientFunctionIsCompressed() throws IOException {
        try (Region region = Region.shared("example")) {
            FloatTensor w = region.tensor(1, INPUTS);
            for (int i = 0; i < INPUTS; i++) {
                w.set(i, 0.1f);
            }
            try (GradientTraining training =
                    new GradientTraining(50, LibraryExampleTest::gradient, () -> evaluate(w)).weight("w", w)) {
                TrainingOptions options = TrainingOptions.DEFAULTS;
                AdmmOptions admm = AdmmOptions.DEFAULTS;
                Pipeline.Result result = Compression.of(training).retrain(options).prune(20, admm, options)
                        .retrain(options).cluster(Map.of("*", 1), admm, options).retrainValues(options).run();
                assertTrue(result.nonzeros() == 2 && w.get(0) > 0 && w.get(1) < 0, "found " + result.layers());
                assertTrue(result.validation().accuracy() > 0.95, "accuracy " + result.validation());
                assertTrue(result.proofs().values().stream().allMatch(Feasibility::holds));
            }
        }
    }
}
