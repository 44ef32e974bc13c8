package io.pare.cli;

import io.pare.data.Archive;
import io.pare.data.Cifar;
import io.pare.data.Corpus;
import io.pare.data.Dataset;
import io.pare.data.Download;
import io.pare.data.ImageFolder;
import io.pare.data.Mnist;
import io.pare.data.OddImages;
import io.pare.data.Sheet;
import io.pare.run.DataSets;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** Looks at data sets, and fetches some. */
@Command(name = "data", mixinStandardHelpOptions = true, header = "Verify and fetch data sets, look at their images.",
        synopsisSubcommandLabel = "COMMAND", commandListHeading = "%nCommands:%n", optionListHeading = "%nOptions:%n")
final class DataCommand implements Runnable {
    private static final int MEGABYTE = 1_000_000;
    private static final int FEW_CLASSES = 20;

    @Spec
    private CommandSpec spec;

    /** The options that draw a sheet. */
    static final class SheetOptions {
        @Spec(Target.MIXEE)
        private CommandSpec spec;

        @Option(names = "--sheet", paramLabel = "FILE.png", description = "Draw images into this file.")
        private Path sheet;

        @Option(names = "--part", paramLabel = "train|test", defaultValue = "train",
                description = "Part to draw (default: ${DEFAULT-VALUE}).")
        private Part part;

        @Option(names = "--rows", paramLabel = "N", defaultValue = "10",
                description = "Rows of the sheet (default: ${DEFAULT-VALUE}).")
        private int rows;

        @Option(names = "--columns", paramLabel = "N", defaultValue = "20",
                description = "Columns of the sheet (default: ${DEFAULT-VALUE}).")
        private int columns;

        /** Refuses what could not be drawn, before any data is read. */
        void check() {
            for (String option : List.of("--part", "--rows", "--columns")) {
                if (sheet == null && spec.commandLine().getParseResult().hasMatchedOption(option)) {
                    throw new UsageException(option + " belongs to --sheet FILE.png: give both");
                }
            }
            if (sheet != null) {
                OutputPath.checkFile("--sheet", sheet);
            }
        }

        /** Prints how many images of each class there are, and draws. */
        void finish(Corpus corpus) {
            PrintWriter out = spec.commandLine().getOut();
            out.printf("train images by class    %s%n", counts(corpus.train()));
            if (corpus.validation() != null) {
                out.printf("validation images        %s%n", counts(corpus.validation()));
            }
            out.printf("test images by class     %s%n", counts(corpus.test()));
            if (sheet != null) {
                Sheet.write(sheet, part == Part.TRAIN ? corpus.train() : corpus.test(), rows, columns);
                out.println("sheet                    " + sheet);
            }
            out.flush();
        }

        private static String counts(Dataset part) {
            int[] counts = part.classCounts();
            return counts.length <= FEW_CLASSES
                    ? Arrays.toString(counts)
                    : String.format(Locale.ROOT, "%d to %d in each of %d", Arrays.stream(counts).min().getAsInt(),
                            Arrays.stream(counts).max().getAsInt(), counts.length);
        }
    }

    @Override
    public void run() {
        Commands.help(spec.commandLine());
    }

    @Command(name = "mnist", mixinStandardHelpOptions = true,
            header = "Check the four files of MNIST or Fashion-MNIST, and draw images as a PNG sheet.",
            description = "Without --data it looks at the files inside the jar. Exit code 2 if a file is damaged.",
            optionListHeading = "%nOptions:%n", footer = {
                "", "Examples:", "  pare data mnist", "  pare data mnist --data ~/fashion-mnist",
                "  pare data mnist --sheet digits.png --part test --rows 20 --columns 30"})
    void mnist(
            @Option(names = "--data", paramLabel = "DIR",
                    description = "Folder with the four IDX files, gzipped or not.") Path data,
            @Mixin SheetOptions sheet) {
        PrintWriter out = spec.commandLine().getOut();
        sheet.check();
        List<Mnist.Check> checks = Mnist.verify(data);
        for (Mnist.Check check : checks) {
            out.printf(Locale.ROOT, "%-24s %-16s %s  %s%n", check.part().fileName(),
                    Arrays.stream(check.shape()).mapToObj(Integer::toString).collect(Collectors.joining("x")),
                    check.genuine() ? "MNIST" : "other", check.sha256());
        }
        sheet.finish((data == null ? Mnist.embedded() : Mnist.load(data)).corpus());
    }

    @Command(name = "cifar10", mixinStandardHelpOptions = true,
            header = "Fetch and check CIFAR-10 in its binary form (163 MB).", optionListHeading = "%nOptions:%n",
            description = "A download that was cut short goes on where it stopped, and counts only with the right SHA-256."
                    + " The images may also lie as pictures in train and test, in a folder for each class.",
            footer = {"", "Examples:", "  pare data cifar10 --download",
                "  pare data cifar10 --data ~/cifar --sheet c.png"})
    void cifar10(@Mixin CifarOptions options, @Mixin SheetOptions sheet) {
        cifar(Cifar.CIFAR10, options, sheet);
    }

    @Command(name = "cifar100", mixinStandardHelpOptions = true,
            header = "Fetch and check CIFAR-100 in its binary form (161 MB).", optionListHeading = "%nOptions:%n",
            footer = {"", "Examples:", "  pare data cifar100 --download"})
    void cifar100(@Mixin CifarOptions options, @Mixin SheetOptions sheet) {
        cifar(Cifar.CIFAR100, options, sheet);
    }

    /** The options of the CIFAR commands. */
    static final class CifarOptions {
        @Option(names = "--data", paramLabel = "DIR", description = "Folder of the files (default: data/NAME).")
        private Path data;

        @Option(names = "--download", description = "Fetch the archive into the folder and unpack it, if need be.")
        private boolean download;

        @Option(names = "--url", paramLabel = "URL", description = "Another place to fetch the same archive from.")
        private URI url;
    }

    private void cifar(Cifar kind, CifarOptions options, SheetOptions sheet) {
        PrintWriter out = spec.commandLine().getOut();
        sheet.check();
        Path folder = options.data != null ? options.data : Path.of("data", kind.name().toLowerCase(Locale.ROOT));
        if (options.url != null && !options.download) {
            throw new UsageException("--url says where --download fetches from: give both");
        }
        if (options.download && !kind.looksLike(folder)) {
            URI source = options.url != null ? options.url : kind.source();
            if (!List.of("http", "https").contains(String.valueOf(source.getScheme()))) {
                throw new UsageException("--url " + source + " does not begin with http:// or https://");
            }
            Path archive = folder.resolve(kind.archive());
            PrintWriter err = spec.commandLine().getErr();
            long[] said = {-1};
            Download.fetch(source, archive, kind.sha256(), (done, total) -> {
                if (done / (10 * MEGABYTE) != said[0]) {
                    said[0] = done / (10 * MEGABYTE);
                    err.printf(Locale.ROOT, "fetched %d MB%s%n", done / MEGABYTE,
                            total < 0 ? "" : " of " + total / MEGABYTE);
                    err.flush();
                }
            });
            Archive.unpack(archive, folder, kind.files());
        }
        if (!kind.looksLike(folder) && ImageFolder.looksLike(folder)) {
            sheet.finish(DataSets.cifar(kind, folder, OddImages.refused(), null, ThreadOption.processors()));
            return;
        }
        for (Cifar.Check check : kind.verify(folder)) {
            out.printf(Locale.ROOT, "%-24s %-16d %s  %s%n", check.file(), check.images(),
                    check.original() ? kind.title() : "other", check.sha256());
        }
        sheet.finish(kind.load(folder));
    }

    @Command(name = "folder", mixinStandardHelpOptions = true,
            header = "Decode every picture of a folder with train and test or val, and say which are damaged.",
            optionListHeading = "%nOptions:%n",
            description = "Exit code 2 if a picture is damaged. Takes as long as an epoch's loading.",
            footer = {"", "Examples:", "  pare data folder ~/imagenette", "  pare data folder ~/photos --sheet p.png"})
    void folder(@Parameters(paramLabel = "DIR", description = "Folder with the parts.") Path folder,
            @Option(names = "--size", paramLabel = "PIXELS", defaultValue = "224",
                    description = "Height and width of inputs (default: ${DEFAULT-VALUE}).") int size,
            @Mixin ThreadOption threads, @Mixin SheetOptions sheet) {
        PrintWriter out = spec.commandLine().getOut();
        sheet.check();
        if (size < 1) {
            throw new UsageException("--size is " + size + ", must be at least 1");
        }
        OddImages odd = new OddImages(OddImages.Rule.SKIP, OddImages.Rule.CONVERT, out::println);
        int count = threads.orElse(ThreadOption.processors());
        Corpus corpus = ImageFolder.load(folder, new ImageFolder.Shape(3, size, size, 0), odd, count);
        ImageFolder.decode(corpus, count);
        out.printf("images damaged           %d%n", odd.skipped());
        out.printf("images of other colours  %d%n", odd.converted());
        out.printf("files left out           %d%n", odd.leftOut());
        sheet.finish(corpus);
        if (odd.skipped() > 0) {
            throw new UsageException(odd.skipped() + " damaged images are named above: replace or remove them, or train"
                    + " with --damaged skip");
        }
    }

    /** A part of a data set. */
    enum Part {
        TRAIN, TEST
    }
}
