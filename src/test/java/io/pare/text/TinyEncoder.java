package io.pare.text;

import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Pairwise;
import io.pare.net.Parameter;
import io.pare.net.Pointwise;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** An encoder of BERT's kind with odd sizes and random weights. */
public final class TinyEncoder {
    /** Of eight words, with one token before a text. */
    public static final String TOKENIZER = """
            {"normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                            "strip_accents": null, "lowercase": true},
             "pre_tokenizer": {"type": "BertPreTokenizer"},
             "post_processor": {"type": "TemplateProcessing",
               "single": [{"SpecialToken": {"id": "[X]"}}, {"Sequence": {"id": "A"}}],
               "special_tokens": {"[X]": {"ids": [1]}}},
             "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##",
                       "max_input_chars_per_word": 100,
                       "vocab": {"?": 0, "[X]": 1, "a": 2, "b": 3, "c": 4, "d": 5, "e": 6, "f": 7, "g": 8}}}
            """;

    static final int WORDS = 9;
    static final int LENGTH = 7;
    static final int WIDTH = 15;
    static final int HEADS = 3;

    private TinyEncoder() {}

    /** An encoder with that function of features. */
    static Net net(Pointwise function, boolean rowsFirst) {
        NetBuilder net = new NetBuilder("tiny", Shape.of(LENGTH));
        net.add("words", new TensorOp.Embedding(WORDS, WIDTH));
        int words = net.at();
        net.add("positions", new TensorOp.Constant(Shape.of(LENGTH, WIDTH)), List.of());
        net.add("sum", new TensorOp.Zip(Pairwise.ADD), List.of(net.at(), words));
        net.add("start", new TensorOp.LayerNorm(List.of(WIDTH), 1e-5f));
        for (int i = 0; i < 2; i++) {
            layer(net, "layer" + i + ".", function, rowsFirst);
        }
        return net.build();
    }

    private static void layer(NetBuilder net, String name, Pointwise function, boolean rowsFirst) {
        int from = net.at();
        Shape rows = Shape.of(LENGTH, HEADS, WIDTH / HEADS);
        int[] sources = new int[3];
        for (int i = 0; i < 3; i++) {
            net.add(name + "source" + i, new TensorOp.Projection(WIDTH, WIDTH, i > 0), List.of(from));
            net.add(name + "heads" + i, new TensorOp.Reshape(rows));
            sources[i] = net.at();
        }
        net.add(name + "attention", new TensorOp.Attention(0.4f, false, rowsFirst),
                List.of(sources[0], sources[1], sources[2]));
        net.add(name + "rows", new TensorOp.Reshape(Shape.of(LENGTH, WIDTH)));
        net.add(name + "mixed", new TensorOp.Projection(WIDTH, WIDTH, true));
        net.add(name + "sum1", new TensorOp.Zip(Pairwise.ADD), List.of(from, net.at()));
        net.add(name + "norm1", new TensorOp.LayerNorm(List.of(WIDTH), 1e-5f));
        int middle = net.at();
        net.add(name + "wide", new TensorOp.Projection(WIDTH, 70, true));
        net.add(name + "function", TensorOp.Map.of(function));
        net.add(name + "narrow", new TensorOp.Projection(70, WIDTH, true));
        net.add(name + "sum2", new TensorOp.Zip(Pairwise.ADD), List.of(net.at(), middle));
        net.add(name + "norm2", new TensorOp.LayerNorm(List.of(WIDTH), 1e-5f));
    }

    /** An encoder of the usual kind. */
    public static CompressedWeights weights() {
        return weights(net(Pointwise.GELU, true));
    }

    static CompressedWeights weights(Net net) {
        Random random = new Random(4);
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : net.parameters()) {
            float[] values = new float[(int) parameter.count()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian() / 3;
            }
            tensors.put(parameter.name(), CompressedTensor.of(values, parameter.shape()));
        }
        return new CompressedWeights(net, tensors, InputScale.UNIT);
    }
}
