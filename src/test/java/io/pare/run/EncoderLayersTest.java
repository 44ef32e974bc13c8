package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.constraint.Sparsity;
import io.pare.data.Dataset;
import io.pare.data.Targets;
import io.pare.format.onnx.Bindings;
import io.pare.format.onnx.OnnxConstant;
import io.pare.format.onnx.OnnxFile;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Shape;
import io.pare.net.Task;
import io.pare.reconstruct.Hessian;
import io.pare.reconstruct.Method;
import io.pare.reconstruct.Reconstruction;
import io.pare.text.WordPiece;
import io.pare.train.LayerWalk;
import io.pare.train.Network;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Errors of all-MiniLM-L6-v2's layers without training, each for the inputs of the dense network. {@code
 * -Dpare.test.minilm=DIR} names the folder of the ONNX file and its tokenizer, {@code -Dpare.test.sts=DIR} that of STS-B's
 * training pairs. Calibration is by their sentences of 12 tokens, without the last 1,000 pairs.
 */
@Tag("long")
class EncoderLayersTest {
    private static final Path MODEL = Path.of(System.getProperty("pare.test.minilm", "none"));
    private static final Path PAIRS = Path.of(System.getProperty("pare.test.sts", "none"));
    private static final int LENGTH = 12;
    private static final int CHOOSING = 1000;
    /** Errors of ADMM beside SparseGPT's. */
    private static final double BAR = 0.7;

    @ParameterizedTest
    @ValueSource(doubles = {0.5, 0.3})
    void layersErrLeastByAdmm(double share) throws IOException {
        Assumptions.assumeTrue(Files.isDirectory(MODEL) && Files.isDirectory(PAIRS),
                "no encoder: set -Dpare.test.minilm=DIR and -Dpare.test.sts=DIR");
        WordPiece words = WordPiece.read(MODEL.resolve("all-minilm-l6-v2-tokenizer.json"));
        CompressedWeights dense = weights(MODEL.resolve("all-minilm-l6-v2.onnx"));
        Dataset data = sentences(SentencePairs.read(PAIRS.resolve("stsb-en-train.csv")), words, dense);
        Reconstruction admm = Reconstruction.onto(Sparsity.share(share));
        List<Reconstruction> ways = List.of(admm, admm.method(new Method.Columns()), admm.method(new Method.Wanda()),
                admm.method(new Method.Magnitude()));
        double[] sums = new double[ways.size()];
        double[] seconds = new double[ways.size()];
        try (Network network = Network.create(dense.model(), 1, Natives.enabled())) {
            network.copyFrom(dense);
            LayerWalk.run(network, data, InputScale.UNIT, false, (weight, inputs) -> {
                try (Region region = Region.shared("layer")) {
                    Hessian hessian = new Hessian(region, inputs.width());
                    inputs.forEach(hessian::add);
                    FloatTensor found = region.tensor(weight.value().shape());
                    for (int i = 0; i < sums.length; i++) {
                        long begin = System.nanoTime();
                        sums[i] += ways.get(i).solve(weight.value(), hessian, found).error();
                        seconds[i] += (System.nanoTime() - begin) / 1e9;
                    }
                }
            });
        }
        int layers = LayerWalk.weights(dense.model()).size();
        System.out.printf(Locale.ROOT,
                "%.0f %% of %d layers, %d sentences: ADMM %.4f in %.1f s, SparseGPT %.4f in %.1f s,"
                        + " Wanda %.4f in %.1f s, magnitude %.4f%n",
                100 * (1 - share), layers, data.size(), sums[0] / layers,
                seconds[0], sums[1] / layers, seconds[1], sums[2] / layers, seconds[2], sums[3] / layers);
        assertTrue(sums[0] <= BAR * sums[1], sums[0] / layers + " beside " + sums[1] / layers);
    }

    /** The network for so many tokens: all count, and they are of one text. */
    private static CompressedWeights weights(Path onnx) throws IOException {
        Bindings bindings = Bindings.NONE.with("input_ids:1", LENGTH);
        for (String input : List.of("attention_mask", "token_type_ids")) {
            long[] values = new long[LENGTH];
            Arrays.fill(values, input.equals("attention_mask") ? 1 : 0);
            bindings = bindings.with(input, OnnxConstant.of(values, 1, LENGTH));
        }
        return OnnxFile.contents(onnx, bindings.output(OnnxFile.names(onnx, bindings).output())).weights();
    }

    private static Dataset sentences(SentencePairs pairs, WordPiece words, CompressedWeights net) {
        // The last 1,000 are for choosing between methods.
        int held = pairs.first().size() - CHOOSING;
        Set<String> texts = new LinkedHashSet<>(pairs.first().subList(0, held));
        texts.addAll(pairs.second().subList(0, held));
        List<int[]> chosen = texts.stream().map(words::encode).filter(ids -> ids.length == LENGTH).toList();
        float[] inputs = new float[chosen.size() * LENGTH];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = chosen.get(i / LENGTH)[i % LENGTH];
        }
        int outputs = net.model().classes();
        return Dataset.ofFloats("sentences", Shape.of(LENGTH), inputs,
                new Targets(Task.REGRESS, new float[chosen.size() * outputs], outputs));
    }
}
