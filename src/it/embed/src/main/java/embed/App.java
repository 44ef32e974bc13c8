package embed;

import io.pare.compress.AdmmOptions;
import io.pare.compress.GradientTraining;
import io.pare.compress.Training;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.recipe.Compression;
import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.Recipe;
import io.pare.format.pare.PareFile;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.NativeStatus;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.run.CompressionJob;
import io.pare.run.CompressionResult;
import io.pare.run.DataSets;
import io.pare.run.DataSettings;
import io.pare.run.RunFolder;
import io.pare.run.RunSettings;
import io.pare.run.StoredWeights;
import io.pare.run.TrainingJob;
import io.pare.train.Network;
import io.pare.train.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;

/** What programs do with Pare, one word each; each prints a line that tells how it went. */
public final class App {
    private App() {}

    public static void main(String[] words) throws Exception {
        for (String word : words) {
            System.out.println(word + ": " + switch (word) {
                case "predict" -> predict();
                case "project" -> project();
                case "own-network" -> ownNetwork();
                case "built-in" -> builtIn();
                case "natives" -> natives();
                default -> throw new IllegalArgumentException(word);
            });
        }
    }

    /** A network with random weights, written and served. */
    private static String predict() throws IOException, InterruptedException, ExecutionException {
        Path file = Path.of("target", "lenet300.pare");
        try (Network network = Network.create(Models.byName("lenet300"), 1, false)) {
            Map<String, FloatTensor> values = new LinkedHashMap<>();
            for (Weight weight : network.weights()) {
                values.put(weight.name(), weight.value());
            }
            PareFile.write(file, CompressedWeights.of(network.model(), values, InputScale.UNIT));
        }
        return Service.predict(file);
    }

    /** The greatest hundred of ten thousand stay. */
    private static String project() {
        int n = 10_000;
        try (Arena arena = Arena.ofShared(); Projections projections = Projections.open(1)) {
            MemorySegment w = arena.allocate(n * 4L, 64);
            MemorySegment z = arena.allocate(n * 4L, 64);
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 0; i < n; i++) {
                w.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
            }
            projections.topK(w, 0, z, 0, n, 100);
            int kept = 0;
            for (int i = 0; i < n; i++) {
                kept += z.getAtIndex(ValueLayout.JAVA_FLOAT, i) == 0 ? 0 : 1;
            }
            return kept + " kept of " + n;
        }
    }

    /** A linear classifier of the program's own: of its forty weights two matter. */
    private static String ownNetwork() throws IOException {
        try (Region region = Region.shared("embed")) {
            FloatTensor w = region.tensor(1, 40);
            for (int i = 0; i < 40; i++) {
                w.set(i, 0.1f);
            }
            TrainingOptions options = TrainingOptions.DEFAULTS;
            try (GradientTraining training =
                    new GradientTraining(50, App::gradient, () -> evaluate(w)).weight("w", w)) {
                Pipeline.Result result = Compression.of(training).retrain(options)
                        .prune(20, AdmmOptions.DEFAULTS, options).retrain(options).run();
                boolean proved = result.proofs().values().stream().allMatch(Feasibility::holds);
                return result.nonzeros() + " weights left, proved " + proved;
            }
        }
    }

    private static double sample(SplittableRandom random, double[] x) {
        for (int i = 0; i < x.length; i++) {
            x[i] = random.nextGaussian();
        }
        return x[0] > x[1] ? 1 : -1;
    }

    private static double score(FloatTensor w, double[] x) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += w.get(i) * x[i];
        }
        return sum;
    }

    private static double gradient(long batch, List<Variable> variables) {
        FloatTensor w = variables.getFirst().value();
        FloatTensor g = variables.getFirst().gradient().fill(0f);
        SplittableRandom random = new SplittableRandom(batch);
        double[] x = new double[40];
        double loss = 0;
        for (int s = 0; s < 32; s++) {
            double label = sample(random, x);
            double wrong = 1 / (1 + Math.exp(label * score(w, x)));
            loss -= Math.log(1 - wrong) / 32;
            for (int i = 0; i < x.length; i++) {
                g.set(i, (float) (g.get(i) - label * wrong * x[i] / 32));
            }
        }
        return loss;
    }

    private static Training.Evaluation evaluate(FloatTensor w) {
        SplittableRandom random = new SplittableRandom(-1);
        double[] x = new double[40];
        int right = 0;
        for (int s = 0; s < 1000; s++) {
            right += sample(random, x) * score(w, x) > 0 ? 1 : 0;
        }
        return new Training.Evaluation(right / 1000.0, 0);
    }

    /** A network that comes with Pare: trained, compressed by recipe, written, proved. A rehearsal: the data is noise. */
    private static String builtIn() throws IOException {
        Path folder = Files.createTempDirectory("embed");
        Path trained = folder.resolve("trained");
        RunSettings settings = RunSettings.of("lenet300").with(DataSettings.synthetic(256))
                .with(new RunSettings.Steps(1, 64));
        DataSets.Opened data = DataSets.open(settings, line -> {});
        try (RunFolder run = new RunFolder(trained); TrainingJob job = TrainingJob.fresh(run, settings, data)) {
            job.run();
            job.finish();
        }
        try (CompressionJob job = new CompressionJob(data.model(), data.corpus(), folder.resolve("small"))
                .from(StoredWeights.of(trained)).recipe(Recipe.load("lenet300-prune")).rehearsal(2)) {
            CompressionResult result = job.run();
            return "written and read back, test of " + result.test().samples() + " samples";
        }
    }

    private static String natives() {
        NativeStatus status = Natives.status();
        return status.available() + ", " + status.reason();
    }
}
