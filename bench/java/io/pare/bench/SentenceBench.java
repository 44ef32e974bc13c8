package io.pare.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pare.text.Pooling;
import io.pare.text.SentenceEncoder;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A sentence of 16 tokens and 32 of 64: {@link SentenceEncoder} against ONNX Runtime, both from text to vectors, on one thread.
 *
 * <p>The candidates take turns in one process, and CPU time of the calling thread is counted, so that other programs on the
 * machine hit all alike. {@code java --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp
 * target/benchmarks.jar io.pare.bench.SentenceBench MODEL.onnx TOKENIZER.json [OTHER.onnx]}; ONNX Runtime runs the other model too,
 * such as one of int8.
 */
public final class SentenceBench {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int WARM_UP = 3;

    private SentenceBench() {}

    /** Computes the vectors of texts. */
    private interface Candidate {
        void run(List<String> texts) throws OrtException;
    }

    public static void main(String[] args) throws IOException, OrtException {
        long cpu = THREADS.getCurrentThreadCpuTime();
        long begin = System.nanoTime();
        SentenceEncoder encoder = SentenceEncoder.open(Path.of(args[0]), Path.of(args[1]), Pooling.MEAN);
        encoder.encode("A man is playing the cello.");
        System.out.printf(Locale.ROOT, "load to first vector: %.0f ms, %.0f of the calling thread's CPU%n",
                (System.nanoTime() - begin) / 1e6, (THREADS.getCurrentThreadCpuTime() - cpu) / 1e6);
        List<Candidate> candidates = new ArrayList<>(List.of(encoder::encode));
        List<String> names = new ArrayList<>(List.of("Pare"));
        for (String model : args) {
            if (model.endsWith(".onnx")) {
                begin = System.nanoTime();
                OrtSession session = session(model);
                System.out.printf(Locale.ROOT, "ONNX Runtime opens %s in %.0f ms%n", Path.of(model).getFileName(),
                        (System.nanoTime() - begin) / 1e6);
                candidates.add(texts -> run(session, encoder, texts));
                names.add(Path.of(model).getFileName().toString());
            }
        }
        measure(names, candidates, Collections.nCopies(1, text(encoder, 16)), 60);
        measure(names, candidates, Collections.nCopies(32, text(encoder, 64)), 5);
    }

    private static OrtSession session(String model) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(1);
        options.setInterOpNumThreads(1);
        return OrtEnvironment.getEnvironment().createSession(model, options);
    }

    /** Words of one token each. */
    private static String text(SentenceEncoder encoder, int tokens) {
        String text = String.join(" ", Collections.nCopies(tokens - 2, "music"));
        if (encoder.tokenizer().encode(text).length != tokens) {
            throw new IllegalStateException("the tokenizer does not know the word");
        }
        return text;
    }

    private static void run(OrtSession session, SentenceEncoder encoder, List<String> texts) throws OrtException {
        int[][] ids = texts.stream().map(encoder.tokenizer()::encode).toArray(int[][]::new);
        int length = ids[0].length;
        long[] shape = {ids.length, length};
        long[] ones = new long[ids.length * length];
        Arrays.fill(ones, 1);
        long[] tokens = Arrays.stream(ids).flatMapToInt(Arrays::stream).asLongStream().toArray();
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OnnxTensor input = OnnxTensor.createTensor(environment, LongBuffer.wrap(tokens), shape);
                OnnxTensor mask = OnnxTensor.createTensor(environment, LongBuffer.wrap(ones), shape);
                OnnxTensor types = OnnxTensor.createTensor(environment, LongBuffer.wrap(new long[ones.length]), shape);
                OrtSession.Result result = session.run(
                        Map.of("input_ids", input, "attention_mask", mask, "token_type_ids", types))) {
            FloatBuffer rows = ((OnnxTensor) result.get(0)).getFloatBuffer();
            int width = encoder.dimension();
            for (int text = 0; text < ids.length; text++) {
                float[] sum = new float[width];
                for (int i = 0; i < length * width; i++) {
                    sum[i % width] += rows.get(text * length * width + i);
                }
            }
        }
    }

    private static void measure(List<String> names, List<Candidate> candidates, List<String> texts, int rounds)
            throws OrtException {
        double[][] times = new double[candidates.size()][rounds];
        for (int round = -WARM_UP * rounds / 10 - WARM_UP; round < rounds; round++) {
            for (int i = 0; i < times.length; i++) {
                long begin = THREADS.getCurrentThreadCpuTime();
                candidates.get(i).run(texts);
                if (round >= 0) {
                    times[i][round] = (THREADS.getCurrentThreadCpuTime() - begin) / 1e6;
                }
            }
        }
        for (int i = 0; i < times.length; i++) {
            Arrays.sort(times[i]);
            System.out.printf(Locale.ROOT, "%d of %s: %.2f / %.2f ms, speed of Pare %.2f / %.2f%n", texts.size(),
                    names.get(i), times[i][0], times[i][rounds / 2], times[i][0] / times[0][0],
                    times[i][rounds / 2] / times[0][rounds / 2]);
        }
    }
}
