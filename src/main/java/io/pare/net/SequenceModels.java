package io.pare.net;

import java.util.List;

/** Transformers and recurrent networks. */
final class SequenceModels {
    /** Rows of the tables of published encoders of texts. */
    private static final int WORDS = 30_522;
    private static final int POSITIONS = 512;
    /** Letters, and what stands for none. */
    private static final int LETTERS = 64;

    private SequenceModels() {}

    /**
     * A vision transformer (Dosovitskiy and others, 2010.11929) of patches of 16 pixels a side. Of width 768, 12 layers and 12
     * heads it is torchvision's ViT-B/16, 86,567,656 weights and biases; of width 192 and 3 heads DeiT-Ti (Touvron and
     * others, 2012.12877), 5,717,416.
     *
     * <p>Queries, keys and values are projected apart, so that heads can go.
     */
    static Net vision(String name, int width, int depth, int heads, Shape input, int classes) {
        NetBuilder net = new NetBuilder(name, input).conv("conv_proj", width, 16, 16, 0, true);
        Shape grid = net.shape();
        int patches = grid.height() * grid.width();
        net.add("patches", new TensorOp.Reshape(Shape.of(width, patches)))
                .add("tokens", new TensorOp.Transpose(List.of(1, 0)));
        int tokens = net.at();
        int first = parameter(net, "class_token", 1, width);
        int all = net.add("joined", new TensorOp.Join(2, 0), List.of(first, tokens)).at();
        int places = parameter(net, "encoder.pos_embedding", patches + 1, width);
        net.add("placed", new Op.Add(), List.of(all, places));
        for (int layer = 0; layer < depth; layer++) {
            String at = "encoder.layers.encoder_layer_" + layer + ".";
            int start = net.at();
            normal(net, at + "ln_1", width, 1e-6f);
            attention(net, at + "self_attention.", width, heads, "out_proj");
            int sum = net.add(at + "sum", new Op.Add(), List.of(start, net.at())).at();
            normal(net, at + "ln_2", width, 1e-6f);
            wide(net, at + "mlp.0", at + "mlp.gelu", at + "mlp.3", width);
            net.add(at + "sum_2", new Op.Add(), List.of(sum, net.at()));
        }
        normal(net, "encoder.ln", width, 1e-6f);
        return row(net, "class", 0).linear("heads.head", classes).build();
    }

    /**
     * A classifier of texts with BERT's encoder (Devlin and others, 1810.04805), 4 layers of width 256: BERT-Mini (Turc and
     * others, 1908.08962), of which the encoder has 11,170,560 weights and biases. The input is numbers of tokens, 512 at most.
     */
    static Net text(String name, Shape input, int classes) {
        int width = 256;
        int length = vector(name, input, POSITIONS);
        NetBuilder net = new NetBuilder(name, input).add("embeddings.word_embeddings",
                new TensorOp.Embedding(WORDS, width));
        int words = net.at();
        int kinds = net.add("embeddings.kind", new TensorOp.Constant(Shape.of(length)), List.of())
                .add("embeddings.token_type_embeddings", new TensorOp.Embedding(2, width)).at();
        int sum = net.add("embeddings.sum", new Op.Add(), List.of(words, kinds)).at();
        parameter(net, "embeddings.position_embeddings", POSITIONS, width);
        int places = net.add("embeddings.positions", new TensorOp.Slice(List.of(0, 0), List.of(1, 1),
                Shape.of(length, width))).at();
        net.add("embeddings.placed", new Op.Add(), List.of(sum, places));
        normal(net, "embeddings.LayerNorm", width, 1e-12f);
        for (int layer = 0; layer < 4; layer++) {
            String at = "encoder.layer." + layer + ".";
            int start = net.at();
            attention(net, at + "attention.self.", width, 4, "output");
            net.add(at + "attention.sum", new Op.Add(), List.of(start, net.at()));
            normal(net, at + "attention.output.LayerNorm", width, 1e-12f);
            int middle = net.at();
            wide(net, at + "intermediate.dense", at + "intermediate.gelu", at + "output.dense", width);
            net.add(at + "sum", new Op.Add(), List.of(middle, net.at()));
            normal(net, at + "output.LayerNorm", width, 1e-12f);
        }
        return row(net, "first", 0).linear("pooler.dense", width)
                .add("pooler.activation", TensorOp.Map.of(Pointwise.TANH)).linear("classifier", classes).build();
    }

    /**
     * Tags a word by an LSTM over its letters, of which the last state is read: 128 hidden units, letters of 32 features. The
     * input is numbers of letters below 64, with what stands for none in front of short words.
     */
    static Net tagger(String name, Shape input, int classes) {
        int length = vector(name, input, Integer.MAX_VALUE);
        NetBuilder net = new NetBuilder(name, input).add("embedding", new TensorOp.Embedding(LETTERS, 32))
                .add("lstm", new TensorOp.Recurrent(TensorOp.Cell.LSTM, 32, 128, TensorOp.Direction.FORWARD, false))
                .add("last", new TensorOp.Slice(List.of(0, length - 1, 0), List.of(1, 1, 1), Shape.of(1, 1, 128)))
                .add("state", new TensorOp.Reshape(Shape.of(128)));
        return net.linear("tag", classes).build();
    }

    private static int vector(String name, Shape input, int most) {
        if (input.rank() != 1 || input.features() > most) {
            throw new IllegalArgumentException(name + " takes a row of numbers"
                    + (most < Integer.MAX_VALUE ? ", " + most + " at most" : "") + ", not " + input);
        }
        return input.features();
    }

    /** Trained numbers that depend on no input: the only row of a table. */
    private static int parameter(NetBuilder net, String name, int rows, int width) {
        return net.add(name + ".row", new TensorOp.Constant(Shape.of(1)), List.of())
                .add(name, new TensorOp.Embedding(1, rows * width))
                .add(name + ".shape", new TensorOp.Reshape(Shape.of(rows, width))).at();
    }

    private static void normal(NetBuilder net, String name, int width, float epsilon) {
        net.add(name, new TensorOp.LayerNorm(List.of(width), epsilon));
    }

    private static void attention(NetBuilder net, String at, int width, int heads, String out) {
        int from = net.at();
        int rows = net.shape().sizes().getFirst();
        Shape split = Shape.of(rows, heads, width / heads);
        int[] parts = new int[3];
        String[] names = {"query", "key", "value"};
        for (int i = 0; i < parts.length; i++) {
            parts[i] = net.from(from).add(at + names[i], new TensorOp.Projection(width, width, true))
                    .add(at + names[i] + ".heads", new TensorOp.Reshape(split)).at();
        }
        float scale = (float) (1 / Math.sqrt((double) width / heads));
        net.add(at + "attention", new TensorOp.Attention(scale, false, true), List.of(parts[0], parts[1], parts[2]))
                .add(at + "joined", new TensorOp.Reshape(Shape.of(rows, width)))
                .add(at + out, new TensorOp.Projection(width, width, true));
    }

    private static void wide(NetBuilder net, String up, String gelu, String down, int width) {
        net.add(up, new TensorOp.Projection(width, 4 * width, true)).add(gelu, TensorOp.Map.of(Pointwise.GELU))
                .add(down, new TensorOp.Projection(4 * width, width, true));
    }

    /** A row of a table as a vector. */
    private static NetBuilder row(NetBuilder net, String name, int index) {
        int width = net.shape().sizes().get(1);
        return net.add(name + ".row", new TensorOp.Slice(List.of(index, 0), List.of(1, 1), Shape.of(1, width)))
                .add(name, new TensorOp.Reshape(Shape.of(width)));
    }
}
