package io.pare.cli;

import io.pare.data.DataException;
import io.pare.data.ImageFolder;
import io.pare.data.OddImages;
import io.pare.data.PictureFormats;
import io.pare.data.PictureReader;
import io.pare.infer.CompressedModel;
import io.pare.net.CompressedWeights;
import io.pare.net.Shape;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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
            "Pictures are read as for evaluation. Those of another size than the network's are brought to it, with a note on"
                    + " stderr: of photographs the middle, of drawings (for grey networks) all. MNIST's digits are light on"
                    + " dark: give --invert for ink on paper. A line for each picture: file, then classes with their"
                    + " probabilities, best first.",
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

    @Mixin
    private ScaleOption scale;

    @Option(names = "--damaged", paramLabel = "RULE", defaultValue = "refuse",
            description = "Pictures that cannot be read: refuse or skip (default: ${DEFAULT-VALUE}).")
    private OddImages.Rule damaged;

    @Mixin
    private BackgroundOption background;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (batch < 1 || top < 1) {
            throw new UsageException("--batch and --top must be at least 1");
        }
        if (damaged == OddImages.Rule.CONVERT) {
            throw new UsageException("--damaged is convert: what cannot be read is skipped or refused");
        }
        CompressedWeights weights = source.read(scale, spec.commandLine().getErr()::println);
        Shape input = weights.model().input();
        if (input.channels() != 1 && input.channels() != 3) {
            throw new UsageException("pictures have 1 or 3 channels, " + weights.model().name() + " takes "
                    + input.channels());
        }
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        OddImages odd = new OddImages(damaged, OddImages.Rule.CONVERT, background.colour(), err::println);
        List<Path> files = files(odd);
        int classes = weights.model().classes();
        int features = input.features();
        int predicted = 0;
        try (CompressedModel model = CompressedModel.of(weights);
                PictureReader reader = new PictureReader(
                        new ImageFolder.Shape(input.channels(), input.height(), input.width(), 0),
                        weights.scale(), inverted,
                        odd, note -> err.println("pare: " + note))) {
            int most = Math.min(batch, files.size());
            float[] inputs = new float[Math.multiplyExact(most, features)];
            List<Path> read = new ArrayList<>();
            for (int next = 0; next < files.size();) {
                read.clear();
                while (read.size() < most && next < files.size()) {
                    Path file = files.get(next++);
                    if (reader.read(file, inputs, read.size() * features)) {
                        read.add(file);
                    }
                }
                if (!read.isEmpty()) {
                    float[] probabilities = model.predict(Arrays.copyOf(inputs, read.size() * features), read.size());
                    for (int i = 0; i < read.size(); i++) {
                        out.println(read.get(i) + best(probabilities, i * classes, classes));
                    }
                }
                predicted += read.size();
            }
        }
        if (predicted == 0) {
            throw new DataException("none of " + files.size() + " pictures can be read");
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

    private List<Path> files(OddImages odd) throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path image : images) {
            if (!Files.isDirectory(image)) {
                files.add(image);
                continue;
            }
            PictureFormats.Others others = new PictureFormats.Others();
            int before = files.size();
            try (Stream<Path> inside = Files.list(image)) {
                for (Path file : inside.filter(Files::isRegularFile).sorted().toList()) {
                    if (PictureFormats.named(file)) {
                        files.add(file);
                    } else {
                        others.add(file);
                    }
                }
            }
            odd.leftOut(image, others);
            if (files.size() == before) {
                throw new DataException(image + " holds no picture (" + PictureFormats.endings() + ")");
            }
        }
        return files;
    }
}
