package io.pare.cli;

import io.pare.data.DataException;
import io.pare.format.CompressedWeights;
import io.pare.infer.CompressedModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says what a network sees in pictures. */
@Command(name = "predict", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Say what a network sees in pictures, straight from its compressed form.%n",
        description = {
            "Pictures of another size than the network's are brought to it, photographs cut as for evaluation, with a note on stderr. MNIST's digits are light on dark: give --invert"
                    + " for ink on paper. A line for each picture: file, then classes with their probabilities, best first.",
            ""},
        footer = {"", "Examples:", "  pare predict runs/prune/lenet5.pare --image seven.png",
            "  pare predict runs/lenet5 --image scans --invert --top 3 --batch 16"})
final class PredictCommand implements Callable<Integer> {
    @Mixin
    private NetworkSource source;

    @Option(names = "--image", paramLabel = "FILE|DIR", required = true,
            description = "A picture, or a folder of them; may be given more than once.")
    private List<Path> images;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "1",
            description = "Pictures that the network is given at once (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--top", paramLabel = "N", defaultValue = "1",
            description = "Classes to name (default: ${DEFAULT-VALUE}).")
    private int top;

    @Option(names = "--invert", description = "Dark is ink.")
    private boolean inverted;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (batch < 1 || top < 1) {
            throw new UsageException("--batch and --top must be at least 1");
        }
        CompressedWeights weights = source.read();
        List<Path> files = files();
        int classes = weights.model().classes();
        int features = weights.model().input().features();
        PrintWriter out = spec.commandLine().getOut();
        try (CompressedModel model = CompressedModel.of(weights)) {
            for (int from = 0; from < files.size(); from += batch) {
                int count = Math.min(batch, files.size() - from);
                float[] inputs = new float[Math.multiplyExact(count, features)];
                for (int i = 0; i < count; i++) {
                    float[] input = ImageReader.read(files.get(from + i), weights.model().input(), weights.scale(),
                            inverted, note -> spec.commandLine().getErr().println("pare: " + note));
                    System.arraycopy(input, 0, inputs, i * features, features);
                }
                float[] probabilities = model.predict(inputs, count);
                for (int i = 0; i < count; i++) {
                    out.println(files.get(from + i) + best(probabilities, i * classes, classes));
                }
            }
        }
        out.flush();
        return Commands.OK;
    }

    private String best(float[] probabilities, int from, int classes) {
        StringBuilder text = new StringBuilder();
        IntStream.range(0, classes).boxed()
                .sorted(Comparator.comparingDouble((Integer c) -> -probabilities[from + c])).limit(top)
                .forEach(c -> text.append(String.format(Locale.ROOT, "  %d %.4f", c, probabilities[from + c])));
        return text.toString();
    }

    private List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path image : images) {
            if (!Files.isDirectory(image)) {
                files.add(image);
                continue;
            }
            try (Stream<Path> inside = Files.list(image)) {
                List<Path> pictures = inside
                        .filter(path -> path.toString().toLowerCase(Locale.ROOT).matches(".*\\.(png|jpe?g|bmp|gif)"))
                        .sorted().toList();
                if (pictures.isEmpty()) {
                    throw new DataException(image + " holds no picture (.png, .jpg, .bmp, .gif)");
                }
                files.addAll(pictures);
            }
        }
        return files;
    }
}
