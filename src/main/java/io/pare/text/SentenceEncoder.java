package io.pare.text;

import io.pare.file.FormatException;
import io.pare.format.NetworkFile;
import io.pare.format.onnx.Bindings;
import io.pare.format.onnx.OnnxConstant;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.pare.PareFile;
import io.pare.net.CompressedWeights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.LongStream;

/**
 * Gives sentences vectors whose cosine says how near their meanings are (Reimers and Gurevych, 1908.10084): a network of
 * BERT's kind with its tokenizer.
 *
 * <pre>{@code
 * SentenceEncoder encoder = SentenceEncoder.open(Path.of("all-MiniLM-L6-v2.onnx"), Path.of("tokenizer.json"), Pooling.MEAN);
 * float[] vector = encoder.encode("A man is playing the cello.");
 * }</pre>
 *
 * <p>Immutable and thread-safe: any number of threads may call one encoder at the same time. A call computes on its own
 * thread and borrows scratch memory, which the encoder keeps for later calls. All memory is on the heap, so there is nothing
 * to close, and no native library is loaded. The SIMD kernels need the module {@code jdk.incubator.vector}; without it
 * vectors are the same but for rounding, and slower.
 */
public final class SentenceEncoder {
    /** What graphs call the ids of tokens. */
    private static final String IDS = "input_ids";
    /** Positions that BERT and most models like it have. */
    private static final int POSITIONS = 512;
    /** Tokens that are computed together, where texts are short: weights are read once for them. */
    private static final int BLOCK = 512;

    private final Transformer transformer;
    private final WordPiece tokenizer;
    private final Pooling pooling;
    private final AtomicReferenceArray<Transformer.Scratch> idle =
            new AtomicReferenceArray<>(2 * Runtime.getRuntime().availableProcessors());

    private SentenceEncoder(Transformer transformer, WordPiece tokenizer, Pooling pooling) {
        int rows = transformer.words().count() / transformer.width();
        if (tokenizer.size() > rows) {
            throw new FormatException("the tokenizer has " + tokenizer.size() + " tokens, the network has words for "
                    + rows + ": they belong to different models");
        }
        this.transformer = transformer;
        this.tokenizer = tokenizer;
        this.pooling = pooling;
    }

    /**
     * Reads a network and its tokenizer.
     *
     * @param model an ONNX file as sentence encoders are exported, or a {@code .pare} file that was made of one. Of several
     *            outputs the first is taken, the vectors of tokens
     * @param tokenizer its {@code tokenizer.json}
     * @param pooling with which the model was trained
     * @return the encoder
     * @throws FormatException in one line, if a file holds something else
     * @throws IOException if a file cannot be read
     */
    public static SentenceEncoder open(Path model, Path tokenizer, Pooling pooling) throws IOException {
        WordPiece words = WordPiece.read(tokenizer);
        try {
            return of(network(model, words), words, pooling);
        } catch (FormatException e) {
            throw new FormatException(model + ": " + e.getMessage(), e);
        }
    }

    /**
     * Makes an encoder of a network that was read.
     *
     * @param weights takes the ids of as many tokens as a text may have, gives a vector for each
     * @param tokenizer of the same model
     * @param pooling with which the model was trained
     * @return the encoder
     * @throws FormatException in one line, if the network is no encoder of BERT's kind
     */
    public static SentenceEncoder of(CompressedWeights weights, WordPiece tokenizer, Pooling pooling) {
        return new SentenceEncoder(TransformerReader.read(weights), tokenizer, Objects.requireNonNull(pooling));
    }

    /**
     * {@return the network of an encoder, which takes the ids of as many tokens as a text may have: what {@link #of} takes,
     * before or after it is compressed}
     *
     * @param model an ONNX file as sentence encoders are exported, or a {@code .pare} file that was made of one
     * @param tokenizer of the same model
     * @throws FormatException if the file holds something else
     * @throws IOException if it cannot be read
     */
    public static CompressedWeights network(Path model, WordPiece tokenizer) throws IOException {
        return NetworkFile.format(model) == NetworkFile.Format.ONNX
                ? onnx(model, Math.min(POSITIONS, tokenizer.most()))
                : PareFile.read(model);
    }

    /**
     * {@return the network of {@link #network(Path, WordPiece)} for texts of one length; its tensors have the same names}
     *
     * @param model an ONNX file, or a {@code .pare} file for texts of just that length
     * @param length tokens of a text
     * @throws FormatException if the file holds something else
     * @throws IOException if it cannot be read
     */
    public static CompressedWeights network(Path model, int length) throws IOException {
        if (NetworkFile.format(model) == NetworkFile.Format.ONNX) {
            return onnx(model, length);
        }
        CompressedWeights weights = PareFile.read(model);
        if (weights.model().input().features() != length) {
            throw new FormatException(
                    model + " is for texts of " + weights.model().input().features() + " tokens, not of "
                            + length + ": give the ONNX file that it was made of");
        }
        return weights;
    }

    private static CompressedWeights onnx(Path model, int length) throws IOException {
        return OnnxFile.contents(model, (inputs, outputs) -> bindings(inputs, length).output(outputs.getFirst()))
                .weights();
    }

    /**
     * What makes a network of one input of a graph: all tokens count, they are of the first text, and positions rise from 0.
     * Ids of tokens are the input of that name, or the first.
     */
    static Bindings bindings(List<String> inputs, int length) {
        String ids = inputs.contains(IDS) ? IDS : inputs.getFirst();
        Bindings bindings = Bindings.NONE.with(ids + ":1", length);
        for (String input : inputs) {
            if (!input.equals(ids)) {
                long[] values = switch (input) {
                    case "attention_mask" -> LongStream.generate(() -> 1).limit(length).toArray();
                    case "position_ids" -> LongStream.range(0, length).toArray();
                    case "token_type_ids" -> new long[length];
                    default -> throw new FormatException("no encoder of BERT's kind: it has the input '" + input + "'");
                };
                bindings = bindings.with(input, OnnxConstant.of(values, 1, length));
            }
        }
        return bindings;
    }

    /** {@return the number of values of a vector} */
    public int dimension() {
        return transformer.width();
    }

    /** {@return the number of tokens of a text that count, those around it included; what follows is cut off} */
    public int most() {
        return Math.min(tokenizer.most(), transformer.most());
    }

    /** {@return what cuts texts into tokens} */
    public WordPiece tokenizer() {
        return tokenizer;
    }

    /**
     * The vector of a text.
     *
     * @param text any; what is beyond {@link #most} tokens does not count
     * @return {@link #dimension} values, of length 1
     */
    public float[] encode(String text) {
        return encode(List.of(text)).getFirst();
    }

    /**
     * The vectors of texts, computed together: quicker than one by one. Texts of unequal lengths cost no padding.
     *
     * @param texts any number
     * @return a vector for each, in order
     */
    public List<float[]> encode(List<String> texts) {
        List<float[]> vectors = new ArrayList<>(texts.size());
        Transformer.Scratch scratch = borrow();
        try {
            List<int[]> block = new ArrayList<>();
            int tokens = 0;
            for (String text : texts) {
                int[] ids = tokenizer.encode(text, most());
                if (tokens + ids.length > BLOCK && tokens > 0) {
                    encode(block, scratch, vectors);
                    block.clear();
                    tokens = 0;
                }
                block.add(ids);
                tokens += ids.length;
            }
            encode(block, scratch, vectors);
        } finally {
            giveBack(scratch);
        }
        return vectors;
    }

    private void encode(List<int[]> block, Transformer.Scratch scratch, List<float[]> vectors) {
        float[] tokens = transformer.run(block, scratch);
        int row = 0;
        for (int[] text : block) {
            vectors.add(transformer.pool(tokens, row, text.length, pooling));
            row += text.length;
        }
    }

    private Transformer.Scratch borrow() {
        for (int i = 0; i < idle.length(); i++) {
            Transformer.Scratch scratch = idle.get(i) == null ? null : idle.getAndSet(i, null);
            if (scratch != null) {
                return scratch;
            }
        }
        return new Transformer.Scratch();
    }

    private void giveBack(Transformer.Scratch scratch) {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.get(i) == null && idle.compareAndSet(i, null, scratch)) {
                return;
            }
        }
    }
}
