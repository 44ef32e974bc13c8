package io.pare.cli;

import io.pare.data.OddImages;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.Task;
import io.pare.run.PicturePredictor;
import io.pare.run.RunFolder;
import io.pare.run.RunSettings;
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
        header = "Say what a network sees in pictures, straight from its compressed form.",
        description = {
            "Pictures are read as for evaluation. Those of another size than the network's are brought to it, with a note on"
                    + " stderr: of photographs the middle, of drawings (for grey networks) all. MNIST's digits are light on"
                    + " dark: give --invert for ink on paper. A line for each picture: file, then classes with their"
                    + " probabilities, best first; of --task multilabel all labels above the threshold, or none; of"
                    + " regress the numbers.",
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

    @Option(names = "--task", paramLabel = "NAME",
            description = "What the network says of a picture: classify (one class), multilabel (which labels apply) or"
                    + " regress (numbers) (default: that of the run in the folder FILE; else multilabel behind a sigmoid,"
                    + " regress with one output, classify with more).")
    private Task task;

    @Option(names = "--top", paramLabel = "N", defaultValue = "1",
            description = "Of classify: classes to name (default: ${DEFAULT-VALUE}).")
    private int top;

    @Option(names = "--threshold", paramLabel = "P", defaultValue = "0.5",
            description = "Of multilabel: probability above which a label is named (default: ${DEFAULT-VALUE}).")
    private double threshold;

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
        if (!(threshold >= 0 && threshold <= 1)) {
            throw new UsageException("--threshold is " + threshold + ", must be from 0 to 1");
        }
        if (damaged == OddImages.Rule.CONVERT) {
            throw new UsageException("--damaged is convert: what cannot be read is skipped or refused");
        }
        CompressedWeights weights = source.read(scale, spec.commandLine().getErr()::println);
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        Task chosen = chosen(weights.model(), err);
        belongs("--top", chosen == Task.CLASSIFY, "--task classify", chosen);
        belongs("--threshold", chosen == Task.MULTILABEL, "--task multilabel", chosen);
        OddImages odd = new OddImages(damaged, OddImages.Rule.CONVERT, background.colour(), err::println);
        try (PicturePredictor predictor =
                new PicturePredictor(weights, chosen, inverted, odd, note -> err.println("pare: " + note))) {
            predictor.predict(PicturePredictor.find(images, odd), batch, (file, answer) -> {
                out.println(file + text(chosen, answer));
                // Whoever reads may have seen enough, as head has.
                return !out.checkError();
            });
        }
        out.flush();
        return Commands.OK;
    }

    /** The task that was asked for, that of the run in a folder, or what the network looks like. */
    private Task chosen(Net model, PrintWriter err) throws IOException {
        if (task != null) {
            return task;
        }
        RunSettings run = source.folder() == null ? null : new RunFolder(source.folder()).settingsIfAny();
        if (run != null && run.data().task() != null) {
            return run.data().task();
        }
        Task usual = PicturePredictor.usualTask(model);
        if (usual != Task.CLASSIFY) {
            err.println("pare: " + model.name() + (usual == Task.MULTILABEL
                    ? " ends in a sigmoid: --task multilabel is taken, --task classify names the best class"
                    : " gives one number: --task regress is taken"));
        }
        return usual;
    }

    private void belongs(String option, boolean used, String where, Task chosen) {
        if (!used && spec.commandLine().getParseResult().hasMatchedOption(option)) {
            throw new UsageException(option + " belongs to " + where + "; this is " + chosen);
        }
    }

    private String text(Task chosen, float[] answer) {
        return switch (chosen) {
            case CLASSIFY -> best(answer, top, -1);
            case MULTILABEL -> {
                String labels = best(answer, answer.length, threshold);
                yield labels.isEmpty() ? "  none" : labels;
            }
            case REGRESS -> {
                StringBuilder numbers = new StringBuilder();
                for (float number : answer) {
                    numbers.append("  ").append(number);
                }
                yield numbers.toString();
            }
        };
    }

    /** The most probable ones above a probability, best first. */
    private static String best(float[] probabilities, int most, double above) {
        StringBuilder text = new StringBuilder();
        IntStream.range(0, probabilities.length).boxed().filter(c -> probabilities[c] > above)
                .sorted(Comparator.comparingDouble((Integer c) -> -probabilities[c])).limit(most)
                .forEach(c -> text.append(String.format(Locale.ROOT, "  %d %.4f", c, probabilities[c])));
        return text.toString();
    }
}
