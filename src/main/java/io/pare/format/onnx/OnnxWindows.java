package io.pare.format.onnx;

import io.pare.format.onnx.OnnxLayers.Images;
import io.pare.format.pare.PareFile;
import io.pare.net.Op;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.MaxPool;
import io.pare.net.Shape;
import io.pare.net.Window;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Convolutions and pools. */
final class OnnxWindows {
    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        Map<String, OnnxOperator.Single> table = new HashMap<>();
        table.put("Conv", in -> isVolume(in) ? OnnxVolumes.convolution(in) : convolution(in));
        table.put("MaxPool", in -> isVolume(in) ? OnnxVolumes.pool(in) : pool(in));
        table.put("AveragePool", in -> isVolume(in) ? OnnxVolumes.pool(in) : pool(in));
        table.put("GlobalAveragePool", OnnxWindows::globalAverage);
        return OnnxOperator.all(table);
    }

    private OnnxWindows() {}

    /** Whether an operator works over more dimensions than two. */
    static boolean isVolume(OnnxCall in) {
        return !in.value(0).isConstant() && in.value(0).rank() > 4;
    }

    private static OnnxValue globalAverage(OnnxCall in) {
        OnnxValue x = in.value(0);
        Images images = images(in, x);
        OnnxValue means = in.apply("pool", new Op.GlobalAvgPool(), images.images());
        return images.back(in, means);
    }

    static Images images(OnnxCall in, OnnxValue x) {
        if (x.rank() < 3 || x.isConstant()) {
            throw in.refuse("takes images and is given values of shape " + x.sizes());
        }
        if (x.rank() > 4) {
            throw in.refuse("takes values of shape " + x.sizes() + "; Pare has windows of one or two dimensions");
        }
        return Images.of(in, x);
    }

    private static OnnxValue pool(OnnxCall in) {
        OnnxNode node = in.node();
        if (!node.has("kernel_shape")) {
            throw node.refuse("has no kernel_shape");
        }
        Images images = images(in, in.value(0));
        Shape shape = images.images().shape();
        int[] kernel = pair(images, node, "kernel_shape");
        boolean ceiling = node.integer("ceil_mode", 0) != 0;
        Window declared = window(images, node, kernel[0], kernel[1]);
        Ceiling whole = ceiling ? Ceiling.of(declared, shape) : new Ceiling(declared, 0, 0);
        if (node.operator().equals("MaxPool")) {
            // It orders the second output only.
            node.any("storage_order");
            return images.back(in, in.apply("pool", new MaxPool(alike(whole.window(), shape)), images.images()));
        }
        boolean counts = node.integer("count_include_pad", 0) != 0;
        AvgPool mean = counts && (whole.bottom() > 0 || whole.right() > 0)
                ? new AvgPool(whole.window(), true, whole.bottom(), whole.right())
                : new AvgPool(alike(whole.window(), shape), counts);
        return images.back(in, in.apply("pool", mean, images.images()));
    }

    /** An attribute of a positive number for each direction, down and right; windows of one dimension have height 1. */
    static int[] pair(Images images, OnnxNode node, String attribute) {
        int count = images.from().rank() - 2;
        long[] values = positive(node, attribute, count);
        int width = node.small(attribute, values[count - 1]);
        return new int[]{count == 1 ? 1 : node.small(attribute, values[0]), width};
    }

    /** An attribute of a positive number for each dimension, by default 1. */
    static long[] positive(OnnxNode node, String attribute, int count) {
        long[] ones = new long[count];
        Arrays.fill(ones, 1);
        long[] values = node.integers(attribute, ones);
        if (values.length != count || Arrays.stream(values).anyMatch(value -> value < 1)) {
            throw node.refuse("has " + node.told(attribute) + "; " + count + " positive numbers are needed");
        }
        return values;
    }

    /** A window of that size with the strides, dilations and padding of an operator. */
    private static Window window(Images images, OnnxNode node, int kernelHeight, int kernelWidth) {
        Shape shape = images.images().shape();
        int[] strides = pair(images, node, "strides");
        int[] dilations = pair(images, node, "dilations");
        Window window = Window.of(kernelHeight, kernelWidth).by(strides[0], strides[1]).dilated(dilations[0],
                dilations[1]);
        int[] pads = padding(images, node, window);
        window = window.padded(pads[0], pads[1], pads[2], pads[3]);
        if (window.paddedValues(shape) > PareFile.MAX_FEATURES) {
            throw node.refuse("has pads " + Arrays.toString(pads) + " on an image of " + shape + ", at most "
                    + PareFile.MAX_FEATURES + " values are read");
        }
        if (!window.fits(shape)) {
            throw node.refuse("has windows of " + window.spanHeight() + "x" + window.spanWidth() + " on an image of "
                    + shape);
        }
        return window;
    }

    /** Rows above, columns before, rows below and columns behind the image. */
    static int[] padding(Images images, OnnxNode node, Window window) {
        Shape shape = images.images().shape();
        if (images.from().rank() == 3) {
            int[] pads = pads(node, new int[]{shape.width()}, new long[]{window.spanWidth()},
                    new long[]{window.strideWidth()});
            return new int[]{0, pads[0], 0, pads[1]};
        }
        return pads(node, new int[]{shape.height(), shape.width()},
                new long[]{window.spanHeight(), window.spanWidth()},
                new long[]{window.strideHeight(), window.strideWidth()});
    }

    /** Padding before the values of each dimension, then that behind them, as in ONNX's attribute. */
    static int[] pads(OnnxNode node, int[] sizes, long[] spans, long[] strides) {
        int count = sizes.length;
        String auto = node.text("auto_pad", "NOTSET");
        long[] pads = node.integers("pads", new long[2 * count]);
        if (pads.length != 2 * count) {
            throw node.refuse("has " + node.told("pads") + "; " + 2 * count + " numbers are needed");
        }
        boolean automatic = !auto.isEmpty() && !auto.equals("NOTSET");
        if (automatic && Arrays.stream(pads).anyMatch(pad -> pad != 0)) {
            throw node.refuse("has both " + node.told("auto_pad") + " and " + node.told("pads")
                    + ", which contradict each other");
        }
        return switch (auto) {
            case "NOTSET", "" -> Arrays.stream(pads).mapToInt(pad -> node.small("pads", pad)).toArray();
            case "VALID" -> new int[2 * count];
            case "SAME_UPPER", "SAME_LOWER" -> {
                int[] same = new int[2 * count];
                for (int i = 0; i < count; i++) {
                    int missing = missing(sizes[i], spans[i], strides[i]);
                    same[i] = auto.equals("SAME_UPPER") ? missing / 2 : missing - missing / 2;
                    same[count + i] = missing - same[i];
                }
                yield same;
            }
            default -> throw node.refuse("has " + node.told("auto_pad") + ", which ONNX does not know");
        };
    }

    /** Padding with which there is a window for each stride of the image. */
    private static int missing(int size, long span, long stride) {
        return Math.toIntExact(Math.max(0, (Math.ceilDiv((long) size, stride) - 1) * stride + span - size));
    }

    /**
     * The same window with the same padding on opposite sides, if it then has as many places: they begin at the same
     * pixels, and where all padding is alike it does not matter how much of it lies behind the last.
     */
    private static Window alike(Window window, Shape shape) {
        Window alike = window.padded(window.top(), window.left(), window.top(), window.left());
        return alike.fits(shape) && alike.output(1, shape).equals(window.output(1, shape)) ? alike : window;
    }

    private static OnnxValue convolution(OnnxCall in) {
        OnnxNode node = in.node();
        Images images = images(in, in.value(0));
        OnnxConstant weight = in.constant(1);
        long[] sizes = weight.shape();
        kernel(node, weight, images.from());
        int height = sizes.length == 3 ? 1 : node.small("height", sizes[2]);
        int width = node.small("width", sizes[sizes.length - 1]);
        int groups = node.small("group", node.integer("group", 1));
        int out = node.small("outputs", sizes[0]);
        Window window = alike(window(images, node, height, width), images.images().shape());
        OnnxConstant bias = in.optionalConstant(2);
        Conv2d conv = new Conv2d(node.small("inputs", sizes[1] * groups), out, window, groups,
                bias != null || !in.isReadOnlyBy("BatchNormalization"));
        OnnxValue result = !conv.bias() ? in.layer("conv", conv, images.images(), weight.decimals())
                : in.layer("conv", conv, images.images(), weight.decimals(),
                        bias == null ? new float[out] : bias.decimals());
        return images.back(in, result);
    }

    /** The sizes of a convolution's windows, by its weights and its attribute. */
    static long[] kernel(OnnxNode node, OnnxConstant weight, OnnxValue x) {
        long[] sizes = weight.shape();
        if (sizes.length != x.rank()) {
            throw node.refuse("has weights of shape " + Arrays.toString(sizes) + " for values of shape " + x.sizes());
        }
        long[] own = Arrays.copyOfRange(sizes, 2, sizes.length);
        if (!Arrays.equals(node.integers("kernel_shape", own), own)) {
            throw node.refuse("has " + node.told("kernel_shape") + " and weights of shape " + Arrays.toString(sizes));
        }
        return own;
    }
}
