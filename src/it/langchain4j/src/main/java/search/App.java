package search;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.store.embedding.CosineSimilarity;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Finds the sentence that is nearest to each question. */
final class App {
    private static final List<String> SENTENCES = List.of("The cello has four strings and is played with a bow.",
            "Berlin is the capital of Germany.", "A neural network with few weights takes little memory.",
            "Whales are mammals that live in the sea.", "Bake the bread for forty minutes.");
    private static final List<String> QUESTIONS = List.of("Which city is the seat of the German government?",
            "How can a model be made small?", "Do whales lay eggs?", "What instrument does she play?");

    private App() {}

    public static void main(String[] args) {
        // The one changed line. It was: EmbeddingModel model = new AllMiniLmL6V2EmbeddingModel();
        EmbeddingModel model = PareEmbeddingModel.allMiniLmL6V2();
        List<Embedding> sentences = model.embedAll(SENTENCES.stream().map(TextSegment::from).toList()).content();
        for (String question : QUESTIONS) {
            Embedding asked = model.embed(question).content();
            int nearest = IntStream.range(0, sentences.size()).boxed()
                    .max(Comparator.comparingDouble(i -> CosineSimilarity.between(asked, sentences.get(i)))).orElseThrow();
            System.out.printf(Locale.ROOT, "%.2f %s%n", CosineSimilarity.between(asked, sentences.get(nearest)),
                    SENTENCES.get(nearest));
        }
    }
}
