package io.pare.cli;

import io.pare.format.npy.NpyFile;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.run.Sentences;
import io.pare.text.SentenceEncoder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes the vectors of sentences. */
@Command(name = "embed", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Write vectors of sentences, whose cosines say how near their meanings are.",
        description = {
            "MODEL is a network of BERT's kind, such as all-MiniLM-L6-v2. Vectors have the length 1. What is beyond the tokens"
                    + " that a model takes does not count.",
            ""},
        optionListHeading = "%nOptions:%n",
        footer = {"", "Examples:", "  pare embed all-minilm-l6-v2.onnx --text lines.txt --out vectors.npy",
            "  pare embed bge-small.onnx --pooling first --text lines.txt --out vectors.npy"})
final class EmbedCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a .pare file that was made of one.")
    private Path model;

    @Option(names = "--text", paramLabel = "FILE", required = true, description = "A text to a line, in UTF-8.")
    private Path text;

    @Option(names = "--out", paramLabel = "FILE.npy", required = true,
            description = "File for the vectors: a row of float32 for each line.")
    private Path out;

    @Mixin
    private EncoderOption encoder;

    @Mixin
    private ThreadOption threads;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        OutputPath.checkFile("--out", out);
        Sentences sentences = Sentences.read(text);
        SentenceEncoder opened = encoder.open(model);
        long begin = System.nanoTime();
        try (Region region = Region.shared("sentence vectors")) {
            FloatTensor vectors = sentences.vectors(opened, threads.orElse(ThreadOption.processors()), region);
            double seconds = (System.nanoTime() - begin) / 1e9;
            NpyFile.write(out, vectors);
            PrintWriter results = spec.commandLine().getOut();
            results.printf(Locale.ROOT, "texts          %d%n", sentences.texts().size());
            results.printf(Locale.ROOT, "dimension      %d%n", opened.dimension());
            results.printf(Locale.ROOT, "time           %.2f s, %.0f texts/s%n", seconds,
                    sentences.texts().size() / seconds);
            results.printf("vectors        %s%n", out);
            results.flush();
        }
        return Commands.OK;
    }
}
