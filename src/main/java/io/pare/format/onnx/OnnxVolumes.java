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
 * The transpose of one is a convolution of its values with zeros between them, by weights in the reverse order.
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
        int groups = groups(in, weight, sizes.getFirst(), false);
        return images.back(in, convolved(in, x, windows, IntStream.range(0, groups)
                .mapToObj(group -> part(weight, group, groups)).toList(), bias));
    }

    /**
     * The number of groups.
     *
     * @param transposed whether the first dimension of the weights counts channels, the second one outputs of a group
     */
    private static int groups(OnnxCall in, OnnxConstant weight, int channels, boolean transposed) {
        int groups = in.node().small("group", in.node().integer("group", 1));
        long first = weight.shape()[0];
        boolean fits = groups > 0 && first % groups == 0
                && (transposed ? first : weight.shape()[1] * groups) == channels;
        if (!fits) {
            throw in.refuse("has weights of shape " + Arrays.toString(weight.shape()) + " in " + groups
                    + " groups for " + channels + " channels");
        }
        if (groups > MAX_GROUPS) {
            throw in.refuse("has " + groups + " groups, at most " + MAX_GROUPS + " are read over three dimensions");
        }
        return groups;
    }

    /**
     * Products with all windows of each group.
     *
     * @param weights of each group, [outputs, channels and taps]
     */
    private static OnnxValue convolved(OnnxCall in, OnnxValue x, List<Window> windows, List<float[]> weights,
            OnnxConstant bias) {
        int groups = weights.size();
        List<OnnxValue> results = new ArrayList<>();
        List<Integer> places = new ArrayList<>();
        for (int group = 0; group < groups; group++) {
            OnnxValue rows = rows(in, x, windows, group, groups, places);
            float[] own = weights.get(group);
            TensorOp.Projection product =
                    new TensorOp.Projection(rows.size(2), own.length / rows.size(2), bias != null);
            results.add(bias == null ? in.layer("conv", product, rows, own)
                    : in.layer("conv", product, rows, own, part(bias, group, groups)));
        }
        OnnxValue all = groups == 1 ? results.getFirst()
                : in.apply("concat", new TensorOp.Join(groups, 1), x.type(), 0, results);
        OnnxValue channelsFirst = in.apply("transpose", new TensorOp.Transpose(List.of(1, 0)), all);
        return in.reshaped(channelsFirst, Stream.concat(Stream.of(all.size(2)), places.stream()).toList(), 0);
    }

    static OnnxValue transposed(OnnxCall in) {
        OnnxNode node = in.node();
        Images images = Images.of(in, in.value(0));
        List<Integer> sizes = sizes(images.from());
        OnnxConstant weight = in.constant(1);
        long[] kernel = OnnxWindows.kernel(node, weight, images.from());
        int groups = groups(in, weight, sizes.getFirst(), true);
        int count = kernel.length;
        long[] strides = OnnxWindows.positive(node, "strides", count);
        long[] dilations = OnnxWindows.positive(node, "dilations", count);
        List<Window> windows =
                IntStream.range(0, count).mapToObj(i -> Window.of(node.small("kernel_shape", kernel[i]), 1)
                        .dilated(node.small("dilations", dilations[i]), 1)).toList();
        int[] before = new int[count + 1];
        int[] behind = new int[count + 1];
        OnnxValue x = in.reshaped(images.images(), sizes, 0);
        for (int i = 0; i < count; i++) {
            int stride = node.small("strides", strides[i]);
            int[] cut = cut(node, sizes, windows, strides, i);
            x = spread(in, x, i + 1, stride);
            before[i + 1] = Math.toIntExact(windows.get(i).spanHeight() - 1 - cut[0]);
            behind[i + 1] = Math.toIntExact(windows.get(i).spanHeight() - stride - cut[1] + cut[2]);
        }
        List<float[]> weights = IntStream.range(0, groups).mapToObj(group -> reversed(weight, group, groups)).toList();
        return images.back(in,
                convolved(in, bordered(in, x, before, behind), windows, weights, in.optionalConstant(2)));
    }

    /** What is cut off before and behind the values of a dimension, and added behind. */
    private static int[] cut(OnnxNode node, List<Integer> sizes, List<Window> windows, long[] strides, int i) {
        int count = windows.size();
        String auto = node.text("auto_pad", "NOTSET");
        int extra = node.small("output_padding", node.integers("output_padding", new long[count])[i]);
        int size = sizes.get(i + 1);
        if (node.has("output_shape") || auto.startsWith("SAME")) {
            node.any("pads");
            long[] wanted = node.has("output_shape") ? node.integers("output_shape") : null;
            return OnnxTransposes.cut(size, windows.get(i).spanHeight(), (int) strides[i], extra,
                    node.small("output_shape", wanted == null ? size * strides[i] : wanted[wanted.length - count + i]),
                    auto);
        }
        int[] pads = OnnxWindows.pads(node, IntStream.range(0, count).map(k -> sizes.get(k + 1)).toArray(),
                windows.stream().mapToLong(Window::spanHeight).toArray(), strides);
        return new int[]{pads[i], pads[count + i], extra};
    }

    /** Zeros behind each value along an axis of a sample, so that values stand {@code stride} apart. */
    private static OnnxValue spread(OnnxCall in, OnnxValue x, int axis, int stride) {
        if (stride == 1) {
            return x;
        }
        List<Integer> apart = new ArrayList<>(x.sample());
        apart.add(axis + 1, 1);
        List<Integer> none = Collections.nCopies(apart.size(), 0);
        List<Integer> behind = new ArrayList<>(none);
        behind.set(axis + 1, stride - 1);
        OnnxValue wide = in.apply("pad", new TensorOp.Pad(none, behind, TensorOp.Border.CONSTANT, 0),
                in.reshaped(x, apart, 0));
        List<Integer> whole = new ArrayList<>(x.sample());
        whole.set(axis, Math.multiplyExact(whole.get(axis), stride));
        return in.reshaped(wide, whole, 0);
    }

    /** Weights of a group, [channels, outputs, taps] in the file, as those of a convolution, whose taps come in reverse. */
    private static float[] reversed(OnnxConstant weight, int group, int groups) {
        float[] own = part(weight, group, groups);
        int channels = Math.toIntExact(weight.shape()[0] / groups);
        int outputs = Math.toIntExact(weight.shape()[1]);
        int taps = own.length / channels / outputs;
        float[] reversed = new float[own.length];
        for (int c = 0; c < channels; c++) {
            for (int o = 0; o < outputs; o++) {
                for (int tap = 0; tap < taps; tap++) {
                    reversed[(o * channels + c) * taps + taps - 1 - tap] = own[(c * outputs + o) * taps + tap];
                }
            }
        }
        return reversed;
    }

    private static float[] part(OnnxConstant constant, int group, int groups) {
        float[] values = constant.decimals();
        int count = values.length / groups;
        return Arrays.copyOfRange(values, group * count, (group + 1) * count);
    }

    private static OnnxValue padded(OnnxCall in, OnnxValue x, List<Window> windows) {
        return bordered(in, x, IntStream.concat(IntStream.of(0), windows.stream().mapToInt(Window::top)).toArray(),
                IntStream.concat(IntStream.of(0), windows.stream().mapToInt(Window::bottom)).toArray());
    }

    /** A sample with so many zeros before and behind each axis, or so many values less where a number is negative. */
    private static OnnxValue bordered(OnnxCall in, OnnxValue x, int[] before, int[] behind) {
        List<Integer> sample = x.sample();
        OnnxValue cut = x;
        if (IntStream.concat(IntStream.of(before), IntStream.of(behind)).anyMatch(size -> size < 0)) {
            List<Integer> starts = IntStream.of(before).map(size -> Math.max(0, -size)).boxed().toList();
            List<Integer> left = IntStream.range(0, sample.size())
                    .map(axis -> sample.get(axis) - starts.get(axis) - Math.max(0, -behind[axis])).boxed().toList();
            cut = in.apply("slice", new TensorOp.Slice(starts, Collections.nCopies(sample.size(), 1), new Shape(left)),
                    x);
        }
        if (IntStream.concat(IntStream.of(before), IntStream.of(behind)).noneMatch(size -> size > 0)) {
            return cut;
        }
        return in.apply("pad", new TensorOp.Pad(IntStream.of(before).map(size -> Math.max(0, size)).boxed().toList(),
                IntStream.of(behind).map(size -> Math.max(0, size)).boxed().toList(), TensorOp.Border.CONSTANT, 0),
                cut);
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
