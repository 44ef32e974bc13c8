package io.pare.cli;

import io.pare.run.RunException;
import io.pare.text.Pooling;
import io.pare.text.SentenceEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** What a sentence encoder is beside its network. */
final class EncoderOption {
    /** Where {@link #tokenizer(Path, Path)} looks. */
    static final String USUAL_TOKENIZER =
            " (default: that name beside the model, or the model's name and -tokenizer.json).";

    @Option(names = "--tokenizer", paramLabel = "FILE.json",
            description = "The model's tokenizer.json" + USUAL_TOKENIZER)
    private Path tokenizer;

    @Option(names = "--pooling", paramLabel = "NAME",
            description = "How vectors of tokens become that of a text: mean (all-MiniLM, E5) or first (BGE); the model's"
                    + " card says it (default: mean).")
    private Pooling pooling;

    SentenceEncoder open(Path model) throws IOException {
        return SentenceEncoder.open(model, tokenizer(tokenizer, model),
                pooling == null ? Pooling.MEAN : pooling);
    }

    /** The tokenizer that was given, or that which lies beside a model. */
    static Path tokenizer(Path given, Path model) {
        if (given != null) {
            return given;
        }
        String name = model.getFileName().toString();
        String base = name.contains(".") ? name.substring(0, name.lastIndexOf('.')) : name;
        List<Path> places = List.of(model.resolveSibling("tokenizer.json"),
                model.resolveSibling(base + "-tokenizer.json"));
        return places.stream().filter(Files::exists).findFirst()
                .orElseThrow(() -> new RunException("there is neither " + places.getFirst() + " nor "
                        + places.getLast() + ": name the model's tokenizer by --tokenizer FILE"));
    }
}
