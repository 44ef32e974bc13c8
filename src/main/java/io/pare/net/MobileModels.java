package io.pare.net;

import io.pare.net.Op.Conv2d;
import io.pare.net.Op.MaxPool;
import java.util.List;
import java.util.stream.IntStream;

/** Networks of images for small machines; layers bear torchvision's names. */
final class MobileModels {
    /** Channels, blocks and stride of each stage (Sandler and others, 1801.04381, table 2); all but the first widen by 6. */
    private static final int[][] MOBILENET_V2 = {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2},
        {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    /** Widening, kernel, stride, channels and blocks of each stage (Tan, Le, 1905.11946, table 1). */
    private static final int[][] EFFICIENTNET_B0 = {{1, 3, 1, 16, 1}, {6, 3, 2, 24, 2}, {6, 5, 2, 40, 2},
        {6, 3, 2, 80, 3}, {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};
    /** Channels within and behind a fire module (Iandola and others, 1602.07360); 0 stands for a pool. */
    private static final int[] SQUEEZENET = {16, 16, 0, 32, 32, 0, 48, 48, 64, 64};
    private static final TensorOp.Map RELU6 = new TensorOp.Map(Pointwise.CLIP, 0, 6);
    private static final TensorOp.Map SILU = TensorOp.Map.of(Pointwise.SWISH);

    private MobileModels() {}

    /**
     * MobileNetV2: 3,504,872 weights and biases with 1,000 classes.
     *
     * @param small for images of 32 pixels a side: the first three strides are 1
     */
    static Net mobileNetV2(String name, boolean small, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input);
        convolution(layers, "features.0", 32, 3, small ? 1 : 2, 1, RELU6);
        int number = 1;
        for (int[] stage : MOBILENET_V2) {
            for (int block = 0; block < stage[2]; block++) {
                int stride = block > 0 || small && stage[1] == 24 ? 1 : stage[3];
                inverted(layers, "features." + number++ + ".conv.", stage[0], stage[1], stride);
            }
        }
        convolution(layers, "features." + number, 1280, 1, 1, 1, RELU6);
        return layers.globalAvgPool("avgpool").flatten("flatten").dropout("classifier.0", 0.2f)
                .linear("classifier.1", classes).build();
    }

    private static void inverted(NetBuilder layers, String at, int widening, int out, int stride) {
        int in = layers.shape().channels();
        int start = layers.at();
        int part = 0;
        if (widening > 1) {
            convolution(layers, at + part++, widening * in, 1, 1, 1, RELU6);
        }
        convolution(layers, at + part++, widening * in, 3, stride, widening * in, RELU6);
        layers.conv(at + part++, out, 1, 1, 0, false).norm(at + part);
        if (stride == 1 && in == out) {
            layers.add(at + "sum", new Op.Add(), List.of(start, layers.at()));
        }
    }

    /** A convolution that keeps sizes but for its stride, its normalisation and a function: parts 0, 1 and 2. */
    private static void convolution(NetBuilder layers, String at, int out, int kernel, int stride, int groups,
            Op function) {
        layers.add(at + ".0", new Conv2d(layers.shape().channels(), out, Window.square(kernel, stride, kernel / 2),
                groups, false)).norm(at + ".1").add(at + ".2", function);
    }

    /** SqueezeNet 1.1: 1,235,496 weights and biases with 1,000 classes. */
    static Net squeezeNet(String name, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input).conv("features.0", 64, 3, 2, 0, true).relu("features.1");
        pool(layers, "features.2");
        int number = 3;
        for (int squeezed : SQUEEZENET) {
            String at = "features." + number++;
            if (squeezed == 0) {
                pool(layers, at);
                continue;
            }
            layers.conv(at + ".squeeze", squeezed, 1, 1, 0, true).relu(at + ".squeeze_activation");
            int start = layers.at();
            int narrow = layers.conv(at + ".expand1x1", 4 * squeezed, 1, 1, 0, true)
                    .relu(at + ".expand1x1_activation").at();
            int wide = layers.from(start).conv(at + ".expand3x3", 4 * squeezed, 3, 1, 1, true)
                    .relu(at + ".expand3x3_activation").at();
            layers.concat(at, List.of(narrow, wide));
        }
        return layers.dropout("classifier.0", 0.5f).conv("classifier.1", classes, 1, 1, 0, true).relu("classifier.2")
                .globalAvgPool("classifier.3").flatten("flatten").build();
    }

    /** A maximum over three by three pixels, two apart; the last window may be cut off by the edge. */
    private static void pool(NetBuilder layers, String at) {
        int bottom = (layers.shape().height() - 3) & 1;
        int right = (layers.shape().width() - 3) & 1;
        layers.add(at, new MaxPool(Window.of(3, 3).by(2, 2).padded(0, 0, bottom, right)));
    }

    /** ShuffleNetV2 (Ma and others, 1807.11164) of width 1: 2,278,604 weights and biases with 1,000 classes. */
    static Net shuffleNetV2(String name, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input);
        convolution(layers, "conv1", 24, 3, 2, 1, new Op.Relu());
        layers.maxPool("maxpool", 3, 2, 1);
        int[] blocks = {4, 8, 4};
        for (int stage = 0; stage < blocks.length; stage++) {
            for (int block = 0; block < blocks[stage]; block++) {
                shuffled(layers, "stage" + (stage + 2) + "." + block, 58 << stage, block == 0 ? 2 : 1);
            }
        }
        convolution(layers, "conv5", 1024, 1, 1, 1, new Op.Relu());
        return layers.globalAvgPool("mean").flatten("flatten").linear("fc", classes).build();
    }

    /** Two branches of {@code half} channels each, whose channels then alternate. */
    private static void shuffled(NetBuilder layers, String at, int half, int stride) {
        int start = layers.at();
        Shape in = layers.shape();
        int first;
        if (stride > 1) {
            first = layers.add(at + ".branch1.0", depthwise(in.channels(), stride)).norm(at + ".branch1.1")
                    .conv(at + ".branch1.2", half, 1, 1, 0, false).norm(at + ".branch1.3").relu(at + ".branch1.4").at();
            layers.from(start);
        } else {
            Shape part = Shape.of(half, in.height(), in.width());
            first = layers.add(at + ".first", new TensorOp.Slice(List.of(0, 0, 0), List.of(1, 1, 1), part)).at();
            layers.from(start).add(at + ".second", new TensorOp.Slice(List.of(half, 0, 0), List.of(1, 1, 1), part));
        }
        String body = at + ".branch2.";
        layers.conv(body + "0", half, 1, 1, 0, false).norm(body + "1").relu(body + "2")
                .add(body + "3", depthwise(half, stride)).norm(body + "4").conv(body + "5", half, 1, 1, 0, false)
                .norm(body + "6").relu(body + "7").concat(at + ".concat", List.of(first, layers.at()))
                .add(at + ".shuffle", new TensorOp.Take(0,
                        IntStream.range(0, 2 * half).map(i -> i % 2 * half + i / 2).boxed().toList()));
    }

    private static Conv2d depthwise(int channels, int stride) {
        return new Conv2d(channels, channels, Window.square(3, stride, 1), channels, false);
    }

    /** EfficientNet-B0: 5,288,548 weights and biases with 1,000 classes. */
    static Net efficientNetB0(String name, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input);
        convolution(layers, "features.0", 32, 3, 2, 1, SILU);
        for (int stage = 0; stage < EFFICIENTNET_B0.length; stage++) {
            int[] of = EFFICIENTNET_B0[stage];
            for (int block = 0; block < of[4]; block++) {
                gated(layers, "features." + (stage + 1) + "." + block + ".block.", of[0], of[1],
                        block == 0 ? of[2] : 1, of[3]);
            }
        }
        convolution(layers, "features.8", 1280, 1, 1, 1, SILU);
        return layers.globalAvgPool("avgpool").flatten("flatten").dropout("classifier.0", 0.2f)
                .linear("classifier.1", classes).build();
    }

    /** An inverted residual whose channels are weighed by a function of their means (Hu and others, 1709.01507). */
    private static void gated(NetBuilder layers, String at, int widening, int kernel, int stride, int out) {
        int in = layers.shape().channels();
        int start = layers.at();
        int part = 0;
        if (widening > 1) {
            convolution(layers, at + part++, widening * in, 1, 1, 1, SILU);
        }
        convolution(layers, at + part++, widening * in, kernel, stride, widening * in, SILU);
        int wide = layers.at();
        String gate = at + part++;
        layers.globalAvgPool(gate + ".avgpool").conv(gate + ".fc1", Math.max(1, in / 4), 1, 1, 0, true)
                .add(gate + ".activation", SILU).conv(gate + ".fc2", widening * in, 1, 1, 0, true)
                .sigmoid(gate + ".scale_activation");
        layers.add(gate, new TensorOp.Zip(Pairwise.MULTIPLY), List.of(wide, layers.at()))
                .conv(at + part + ".0", out, 1, 1, 0, false).norm(at + part + ".1");
        if (stride == 1 && in == out) {
            layers.add(at + "sum", new Op.Add(), List.of(start, layers.at()));
        }
    }
}
