package io.pare.format.onnx;

import io.pare.format.onnx.OnnxLayers.Images;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.util.Arrays;
import java.util.Map;

/** Transposes of convolutions. */
final class OnnxTransposes {
    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        return OnnxOperator.all(Map.of("ConvTranspose",
                in -> OnnxWindows.isVolume(in) ? OnnxVolumes.transposed(in) : transposed(in)));
    }

    private OnnxTransposes() {}

    private static OnnxValue transposed(OnnxCall in) {
        OnnxNode node = in.node();
        Images images = OnnxWindows.images(in, in.value(0));
        Shape shape = images.images().shape();
        OnnxConstant weight = in.constant(1);
        long[] sizes = weight.shape();
        int count = images.from().rank() - 2;
        if (sizes.length != count + 2) {
            throw node.refuse("has weights of shape " + Arrays.toString(sizes) + " for values of shape "
                    + images.from().sizes());
        }
        node.integers("kernel_shape");
        int[] strides = OnnxWindows.pair(images, node, "strides");
        int[] dilations = OnnxWindows.pair(images, node, "dilations");
        Window window =
                Window.of(count == 1 ? 1 : node.small("height", sizes[2]), node.small("width", sizes[count + 1]))
                        .by(strides[0], strides[1]).dilated(dilations[0], dilations[1]);
        int[] extra = both(node, "output_padding", count, 0);
        int[] wanted = both(node, "output_shape", count, -1);
        String auto = node.text("auto_pad", "NOTSET");
        boolean same = auto.startsWith("SAME");
        int[] rows = cut(shape.height(), window.spanHeight(), strides[0], extra[0],
                same && wanted[0] < 0 ? shape.height() * strides[0] : wanted[0], auto);
        int[] columns = cut(shape.width(), window.spanWidth(), strides[1], extra[1],
                same && wanted[1] < 0 ? shape.width() * strides[1] : wanted[1], auto);
        if (!node.has("output_shape") && !same) {
            int[] pads = OnnxWindows.padding(images, node, window);
            rows = new int[]{pads[0], pads[2], extra[0]};
            columns = new int[]{pads[1], pads[3], extra[1]};
        }
        node.any("pads");
        int groups = node.small("group", node.integer("group", 1));
        OnnxConstant bias = in.optionalConstant(2);
        int out = node.small("outputs", sizes[1] * groups);
        TensorOp.ConvTranspose op = new TensorOp.ConvTranspose(node.small("inputs", sizes[0]), out,
                window.padded(rows[0], columns[0], rows[1], columns[1]), groups, rows[2], columns[2], true);
        return images.back(in, in.layer("deconv", op, images.images(), weight.decimals(),
                bias == null ? new float[out] : bias.decimals()));
    }

    /** An attribute of a number for each direction, down and right. */
    private static int[] both(OnnxNode node, String attribute, int count, int otherwise) {
        if (!node.has(attribute)) {
            return new int[]{count == 1 && otherwise < 0 ? 1 : otherwise, otherwise};
        }
        long[] values = node.integers(attribute);
        if (values.length < count) {
            throw node.refuse("has " + node.told(attribute) + "; " + count + " numbers are needed");
        }
        return new int[]{count == 1 ? Math.max(0, -otherwise) : node.small(attribute, values[values.length - 2]),
            node.small(attribute, values[values.length - 1])};
    }

    /** What is cut off before and behind, and added behind, so that so many values are left. */
    static int[] cut(int size, long span, int stride, int extra, int wanted, String auto) {
        if (wanted < 0) {
            return new int[]{0, 0, extra};
        }
        int total = Math.toIntExact((size - 1L) * stride + span + extra - wanted);
        int small = Math.max(0, total) / 2;
        int large = Math.max(0, total) - small;
        return auto.equals("SAME_UPPER") ? new int[]{small, large, extra + Math.max(0, -total)}
                : new int[]{large, small, extra + Math.max(0, -total)};
    }
}
