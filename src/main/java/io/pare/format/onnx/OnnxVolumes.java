package io.pare.format.onnx;

import io.pare.format.onnx.OnnxLayers.Images;
import io.pare.format.pare.PareFile;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.MaxPool;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Convolutions and pools over three or more dimensions, made of what networks have.
 *
 * <p>A pool takes one dimension after the other: a maximum of maxima, and a mean of means, for the values that a window
 * counts are a product over its dimensions. A convolution is a product with all windows, which stand as rows of a matrix.
 */
final class OnnxVolumes {
    /** Each group has nodes of its own. */
    private static final int MAX_GROUPS = 4096;

    private OnnxVolumes() {}

    /** A value, by its sizes [channels, ...] without the samples'. */
    private static List<Integer> sizes(OnnxValue x) {
        return x.sizes().subList(1, x.rank());
    }

    /** The windows of an operator along each dimension of its images, as columns. */
    private static List<Window> windows(OnnxNode node, List<Integer> sizes, long[] kernel) {
        int count = sizes.size() - 1;
        long[] strides = OnnxWindows.positive(node, "strides", count);
        long[] dilations = OnnxWindows.positive(node, "dilations", count);
        List<Window> windows = IntStream.range(0, count)
                .mapToObj(i -> Window.of(node.small("kernel_shape", kernel[i]), 1)
                        .by(node.small("strides", strides[i]), 1).dilated(node.small("dilations", dilations[i]), 1))
                .toList();
        int[] pads = OnnxWindows.pads(node, IntStream.range(0, count).map(i -> sizes.get(i + 1)).toArray(),
                windows.stream().mapToLong(Window::spanHeight).toArray(), strides);
        return IntStream.range(0, count).mapToObj(i -> windows.get(i).padded(pads[i], 0, pads[count + i], 0)).toList();
    }

    static OnnxValue pool(OnnxCall in) {
        OnnxNode node = in.node();
        Images images = Images.of(in, in.value(0));
        List<Integer> sizes = new ArrayList<>(sizes(images.from()));
        List<Window> windows = windows(node, sizes, OnnxWindows.positive(node, "kernel_shape", sizes.size() - 1));
        boolean ceiling = node.integer("ceil_mode", 0) != 0;
        boolean maximum = node.operator().equals("MaxPool");
        boolean counts = !maximum && node.integer("count_include_pad", 0) != 0;
        if (maximum) {
            // It orders the second output only.
            node.any("storage_order");
        }
        OnnxValue x = images.images();
        for (int axis = 1; axis < sizes.size(); axis++) {
            Shape columns = Shape.of(size(sizes, 0, axis), sizes.get(axis), size(sizes, axis + 1, sizes.size()));
            Window window = windows.get(axis - 1);
            if (!window.fits(columns)) {
                throw node.refuse("has windows of " + window.spanHeight() + " along " + columns.height() + " values");
            }
            Ceiling whole = ceiling ? Ceiling.of(window, columns) : new Ceiling(window, 0, 0);
            x = in.apply("pool",
                    maximum ? new MaxPool(whole.window()) : counts && whole.bottom() > 0
                            ? new AvgPool(whole.window(), true, whole.bottom(), 0)
                            : new AvgPool(whole.window(), counts),
                    in.reshaped(x, columns.sizes(), 0));
            sizes.set(axis, x.size(2));
        }
        return images.back(in, in.reshaped(x, sizes, 0));
    }

    private static int size(List<Integer> sizes, int from, int to) {
        return Math.toIntExact(OnnxCall.product(sizes, from, to));
    }

    static OnnxValue convolution(OnnxCall in) {
        OnnxNode node = in.node();
        Images images = Images.of(in, in.value(0));
        List<Integer> sizes = sizes(images.from());
        OnnxConstant weight = in.constant(1);
        OnnxConstant bias = in.optionalConstant(2);
        long[] kernel = OnnxWindows.kernel(node, weight, images.from());
        List<Window> windows = windows(node, sizes, kernel);
        OnnxValue x = padded(in, in.reshaped(images.images(), sizes, 0), windows);
        int groups = node.small("group", node.integer("group", 1));
        int outputs = node.small("outputs", weight.shape()[0]);
        if (groups < 1 || outputs % groups != 0 || weight.shape()[1] * groups != sizes.getFirst()) {
            throw node.refuse("has weights of shape " + Arrays.toString(weight.shape()) + " in " + groups
                    + " groups for " + sizes.getFirst() + " channels");
        }
        if (groups > MAX_GROUPS) {
            throw node.refuse("has " + groups + " groups, at most " + MAX_GROUPS + " are read over three dimensions");
        }
        List<OnnxValue> results = new ArrayList<>();
        List<Integer> places = new ArrayList<>();
        for (int group = 0; group < groups; group++) {
            OnnxValue rows = rows(in, x, windows, group, groups, places);
            TensorOp.Projection product = new TensorOp.Projection(rows.size(2), outputs / groups, bias != null);
            float[] weights = part(weight, group, groups);
            results.add(bias == null ? in.layer("conv", product, rows, weights)
                    : in.layer("conv", product, rows, weights, part(bias, group, groups)));
        }
        OnnxValue all = groups == 1 ? results.getFirst()
                : in.apply("concat", new TensorOp.Join(groups, 1), x.type(), 0, results);
        OnnxValue channelsFirst = in.apply("transpose", new TensorOp.Transpose(List.of(1, 0)), all);
        return images.back(in, in.reshaped(channelsFirst,
                Stream.concat(Stream.of(outputs), places.stream()).toList(), 0));
    }

    private static float[] part(OnnxConstant constant, int group, int groups) {
        float[] values = constant.decimals();
        int count = values.length / groups;
        return Arrays.copyOfRange(values, group * count, (group + 1) * count);
    }

    private static OnnxValue padded(OnnxCall in, OnnxValue x, List<Window> windows) {
        if (windows.stream().noneMatch(Window::pads)) {
            return x;
        }
        return in.apply("pad",
                new TensorOp.Pad(Stream.concat(Stream.of(0), windows.stream().map(Window::top)).toList(),
                        Stream.concat(Stream.of(0), windows.stream().map(Window::bottom)).toList(),
                        TensorOp.Border.CONSTANT, 0),
                x);
    }

    /**
     * The windows over a group of channels, one after another: [places, channels and taps].
     *
     * @param places is given their number along each dimension
     */
    private static OnnxValue rows(OnnxCall in, OnnxValue x, List<Window> windows, int group, int groups,
            List<Integer> places) {
        int channels = x.size(1) / groups;
        OnnxValue taken = groups == 1 ? x
                : in.apply("take", new TensorOp.Take(0, numbers(group * channels, 1, channels)), x);
        places.clear();
        List<Integer> apart = new ArrayList<>(List.of(channels));
        List<Integer> order = new ArrayList<>();
        List<Integer> taps = new ArrayList<>(List.of(0));
        for (int i = 0; i < windows.size(); i++) {
            Window window = windows.get(i);
            Window unpadded = window.padded(0, 0, 0, 0);
            int count = unpadded.output(1, Shape.of(1, taken.size(i + 2), 1)).height();
            if ((long) count * window.kernelHeight() > PareFile.MAX_FEATURES) {
                throw in.refuse("has " + count + " windows of " + window.kernelHeight() + ", which are too many");
            }
            taken = in.apply("take", new TensorOp.Take(i + 1, numbers(0, window.strideHeight(), count).stream()
                    .flatMap(start -> numbers(start, window.dilationHeight(), window.kernelHeight()).stream())
                    .toList()),
                    taken);
            places.add(count);
            order.add(apart.size());
            taps.add(apart.size() + 1);
            Collections.addAll(apart, count, window.kernelHeight());
        }
        order.addAll(taps);
        OnnxValue sorted = in.apply("transpose", new TensorOp.Transpose(order), in.reshaped(taken, apart, 0));
        int rows = size(places, 0, places.size());
        return in.reshaped(sorted, List.of(rows, size(sizes(sorted), 0, order.size()) / rows), 0);
    }

    private static List<Integer> numbers(int start, int step, int count) {
        return IntStream.range(0, count).mapToObj(i -> start + i * step).toList();
    }
}
