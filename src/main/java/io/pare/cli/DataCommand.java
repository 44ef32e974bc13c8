package io.pare.cli;

import io.pare.data.Dataset;
import io.pare.data.Mnist;
import io.pare.data.Sheet;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Looks at data sets. */
@Command(name = "data", mixinStandardHelpOptions = true, header = "Verify data sets, look at their images.%n",
        synopsisSubcommandLabel = "COMMAND", commandListHeading = "%nCommands:%n", optionListHeading = "%nOptions:%n")
final class DataCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        spec.commandLine().usage(out);
    }

    @Command(name = "mnist", mixinStandardHelpOptions = true,
            header = "Check the four MNIST files, and draw images as a PNG sheet.%n",
            description = "Without --data it looks at the files inside the jar. Exit code 2 if a file is damaged.",
            optionListHeading = "%nOptions:%n", footer = {
                "", "Examples:", "  pare data mnist", "  pare data mnist --data ~/fashion-mnist",
                "  pare data mnist --sheet digits.png --part test --rows 20 --columns 30"})
    void mnist(
            @Option(names = "--data", paramLabel = "DIR",
                    description = "Folder with the four IDX files, gzipped or not.") Path data,
            @Option(names = "--sheet", paramLabel = "FILE.png", description = "Draw images into this file.") Path sheet,
            @Option(names = "--part", paramLabel = "train|test", defaultValue = "train",
                    description = "Part to draw (default: ${DEFAULT-VALUE}).") Part part,
            @Option(names = "--rows", paramLabel = "N", defaultValue = "10",
                    description = "Rows of the sheet (default: ${DEFAULT-VALUE}).") int rows,
            @Option(names = "--columns", paramLabel = "N", defaultValue = "20",
                    description = "Columns of the sheet (default: ${DEFAULT-VALUE}).") int columns) {
        PrintWriter out = spec.commandLine().getOut();
        List<Mnist.Check> checks = Mnist.verify(data);
        for (Mnist.Check check : checks) {
            out.printf(Locale.ROOT, "%-24s %-16s %s  %s%n", check.part().fileName(),
                    Arrays.stream(check.shape()).mapToObj(Integer::toString).collect(Collectors.joining("x")),
                    check.genuine() ? "MNIST" : "other", check.sha256());
        }
        Mnist mnist = data == null ? Mnist.embedded() : Mnist.load(data);
        out.printf("train images by class    %s%n", Arrays.toString(mnist.train().classCounts()));
        out.printf("test images by class     %s%n", Arrays.toString(mnist.test().classCounts()));
        if (sheet != null) {
            Dataset set = part == Part.TRAIN ? mnist.train() : mnist.test();
            Sheet.write(sheet, set, rows, columns);
            out.println("sheet                    " + sheet);
        }
        out.flush();
    }

    /** A part of a data set. */
    enum Part {
        TRAIN, TEST
    }
}
