package io.pare.net;

import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.Conv2d;
import java.util.ArrayList;
import java.util.List;

/** Networks of images whose branches are put one after another; layers bear the names of their published weights. */
final class BranchedModels {
    private static final int[] DENSENET121 = {6, 12, 24, 16};
    private static final int GROWTH = 32;

    private BranchedModels() {}

    /** DenseNet-121 (Huang and others, 1608.06993), as in torchvision: 7,978,856 weights and biases with 1,000 classes. */
    static Net denseNet121(String name, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input).conv("features.conv0", 64, 7, 2, 3, false)
                .norm("features.norm0").relu("features.relu0").maxPool("features.pool0", 3, 2, 1);
        for (int block = 1; block <= DENSENET121.length; block++) {
            for (int layer = 1; layer <= DENSENET121[block - 1]; layer++) {
                String at = "features.denseblock" + block + ".denselayer" + layer;
                int start = layers.at();
                layers.norm(at + ".norm1").relu(at + ".relu1").conv(at + ".conv1", 4 * GROWTH, 1, 1, 0, false)
                        .norm(at + ".norm2").relu(at + ".relu2").conv(at + ".conv2", GROWTH, 3, 1, 1, false);
                layers.concat(at, List.of(start, layers.at()));
            }
            if (block < DENSENET121.length) {
                String at = "features.transition" + block;
                layers.norm(at + ".norm").relu(at + ".relu")
                        .conv(at + ".conv", layers.shape().channels() / 2, 1, 1, 0, false)
                        .add(at + ".pool", Op.AvgPool.of(2, 2, 0));
            }
        }
        return layers.norm("features.norm5").relu("relu").globalAvgPool("avgpool").flatten("flatten")
                .linear("classifier", classes).build();
    }

    /**
     * Inception-v3 (Szegedy and others, 1512.00567) as in torchvision, without the second output that helps training:
     * 23,834,568 of its 27,161,264 weights and biases, with 1,000 classes.
     */
    static Net inceptionV3(String name, Shape input, int classes) {
        Inception net = new Inception(new NetBuilder(name, input));
        net.conv("Conv2d_1a_3x3", 32, 3, 2, 0).conv("Conv2d_2a_3x3", 32, 3, 1, 0).conv("Conv2d_2b_3x3", 64, 3, 1, 1);
        net.layers.maxPool("maxpool1", 3, 2, 0);
        net.conv("Conv2d_3b_1x1", 80, 1, 1, 0).conv("Conv2d_4a_3x3", 192, 3, 1, 0);
        net.layers.maxPool("maxpool2", 3, 2, 0);
        net.a("Mixed_5b", 32).a("Mixed_5c", 64).a("Mixed_5d", 64).b("Mixed_6a").c("Mixed_6b", 128).c("Mixed_6c", 160)
                .c("Mixed_6d", 160).c("Mixed_6e", 192).d("Mixed_7a").e("Mixed_7b").e("Mixed_7c");
        return net.layers.globalAvgPool("avgpool").dropout("dropout", 0.5f).flatten("flatten").linear("fc", classes)
                .build();
    }

    /** The modules of Inception-v3, by torchvision's letters. */
    private static final class Inception {
        private static final float EPSILON = 1e-3f;

        private final NetBuilder layers;
        private final List<Integer> ends = new ArrayList<>();
        private String at = "";
        private int start;

        Inception(NetBuilder layers) {
            this.layers = layers;
        }

        Inception conv(String name, int out, int kernel, int stride, int padding) {
            return conv(name, out, Window.square(kernel, stride, padding));
        }

        private Inception conv(String name, int out, Window window) {
            String full = at + name;
            layers.add(full + ".conv", new Conv2d(layers.shape().channels(), out, window, 1, false))
                    .add(full + ".bn", new BatchNorm(out, EPSILON)).relu(full + ".relu");
            return this;
        }

        /** One row of {@code width} pixels, or one column where it is below 0, of a size that the image keeps. */
        private Inception line(String name, int out, int width) {
            int size = Math.abs(width);
            int padding = size / 2;
            return conv(name, out, width > 0
                    ? Window.of(1, size).padded(0, padding, 0, padding)
                    : Window.of(size, 1).padded(padding, 0, padding, 0));
        }

        private void begin(String name) {
            at = name + ".";
            start = layers.at();
            ends.clear();
        }

        /** Ends a branch; the next one begins where the module does. */
        private Inception branch() {
            ends.add(layers.at());
            layers.from(start);
            return this;
        }

        private Inception end() {
            layers.concat(at + "concat", ends);
            at = "";
            return this;
        }

        private Inception pooled(int out) {
            layers.add(at + "avgpool", Op.AvgPool.of(3, 1, 1));
            return conv("branch_pool", out, 1, 1, 0).branch();
        }

        private Inception maximum() {
            layers.maxPool(at + "maxpool", 3, 2, 0);
            return branch();
        }

        Inception a(String name, int pooled) {
            begin(name);
            conv("branch1x1", 64, 1, 1, 0).branch();
            conv("branch5x5_1", 48, 1, 1, 0).conv("branch5x5_2", 64, 5, 1, 2).branch();
            conv("branch3x3dbl_1", 64, 1, 1, 0).conv("branch3x3dbl_2", 96, 3, 1, 1).conv("branch3x3dbl_3", 96, 3, 1, 1)
                    .branch();
            return pooled(pooled).end();
        }

        Inception b(String name) {
            begin(name);
            conv("branch3x3", 384, 3, 2, 0).branch();
            conv("branch3x3dbl_1", 64, 1, 1, 0).conv("branch3x3dbl_2", 96, 3, 1, 1).conv("branch3x3dbl_3", 96, 3, 2, 0)
                    .branch();
            return maximum().end();
        }

        Inception c(String name, int inner) {
            begin(name);
            conv("branch1x1", 192, 1, 1, 0).branch();
            conv("branch7x7_1", inner, 1, 1, 0).line("branch7x7_2", inner, 7).line("branch7x7_3", 192, -7).branch();
            conv("branch7x7dbl_1", inner, 1, 1, 0).line("branch7x7dbl_2", inner, -7).line("branch7x7dbl_3", inner, 7)
                    .line("branch7x7dbl_4", inner, -7).line("branch7x7dbl_5", 192, 7).branch();
            return pooled(192).end();
        }

        Inception d(String name) {
            begin(name);
            conv("branch3x3_1", 192, 1, 1, 0).conv("branch3x3_2", 320, 3, 2, 0).branch();
            conv("branch7x7x3_1", 192, 1, 1, 0).line("branch7x7x3_2", 192, 7).line("branch7x7x3_3", 192, -7)
                    .conv("branch7x7x3_4", 192, 3, 2, 0).branch();
            return maximum().end();
        }

        Inception e(String name) {
            begin(name);
            conv("branch1x1", 320, 1, 1, 0).branch();
            split(conv("branch3x3_1", 384, 1, 1, 0), "branch3x3_2");
            split(conv("branch3x3dbl_1", 448, 1, 1, 0).conv("branch3x3dbl_2", 384, 3, 1, 1), "branch3x3dbl_3");
            return pooled(192).end();
        }

        /** Two branches from where this one is. */
        private void split(Inception here, String name) {
            int from = here.layers.at();
            line(name + "a", 384, 3).branch();
            layers.from(from);
            line(name + "b", 384, -3).branch();
        }
    }

    /**
     * U-Net (Ronneberger and others, 1505.04597) with normalisations and 32 channels at first, as published for brain
     * segmentation (github.com/mateuszbuda/brain-segmentation-pytorch): 7,763,041 weights and biases with one class. Gives
     * an image with a channel for each class; sizes have to be multiples of 16.
     */
    static Net uNet(String name, Shape input, int classes) {
        if (input.height() % 16 != 0 || input.width() % 16 != 0) {
            throw new IllegalArgumentException(name + " takes images whose sides are multiples of 16, not " + input);
        }
        NetBuilder layers = new NetBuilder(name, input);
        int[] skips = new int[4];
        for (int level = 1; level <= 4; level++) {
            twice(layers, "encoder" + level + ".enc" + level, 16 << level);
            skips[level - 1] = layers.at();
            layers.maxPool("pool" + level, 2, 2, 0);
        }
        twice(layers, "bottleneck.bottleneck", 512);
        for (int level = 4; level >= 1; level--) {
            int channels = 16 << level;
            layers.add("upconv" + level, new TensorOp.ConvTranspose(layers.shape().channels(), channels,
                    Window.square(2, 2, 0), 1, 0, 0, true));
            layers.concat("concat" + level, List.of(layers.at(), skips[level - 1]));
            twice(layers, "decoder" + level + ".dec" + level, channels);
        }
        return layers.conv("conv", classes, 1, 1, 0, true).build();
    }

    private static void twice(NetBuilder layers, String at, int out) {
        for (int i = 1; i <= 2; i++) {
            layers.conv(at + "conv" + i, out, 3, 1, 1, false).norm(at + "norm" + i).relu(at + "relu" + i);
        }
    }
}
