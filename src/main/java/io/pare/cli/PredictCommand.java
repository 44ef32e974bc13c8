package io.pare.cli;

import io.pare.data.OddImages;
import io.pare.net.CompressedWeights;
import io.pare.run.PictureClassifier;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
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
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        OddImages odd = new OddImages(damaged, OddImages.Rule.CONVERT, background.colour(), err::println);
        try (PictureClassifier classifier =
                new PictureClassifier(weights, inverted, odd, note -> err.println("pare: " + note))) {
            classifier.predict(PictureClassifier.find(images, odd), batch,
                    (file, probabilities) -> out.println(file + best(probabilities)));
        }
        out.flush();
        return Commands.OK;
    }

    private String best(float[] probabilities) {
        StringBuilder text = new StringBuilder();
        IntStream.range(0, probabilities.length).boxed()
                .sorted(Comparator.comparingDouble((Integer c) -> -probabilities[c])).limit(top)
                .forEach(c -> text.append(String.format(Locale.ROOT, "  %d %.4f", c, probabilities[c])));
        return text.toString();
    }
}
