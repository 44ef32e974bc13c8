package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.Op;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Operators that take a part of values, put values together, or repeat them. */
final class OnnxMoves {
    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        Map<String, OnnxOperator.Single> single = new HashMap<>();
        single.put("Concat", OnnxMoves::concat);
        single.put("Slice", OnnxMoves::slice);
        single.put("Pad", OnnxMoves::pad);
        single.put("Gather", OnnxMoves::gather);
        single.put(OnnxRewriter.DOMAIN + "::GatherBlockQuantized", OnnxMoves::gatherOfBits);
        single.put("Expand", OnnxMoves::expand);
        single.put("Tile", OnnxMoves::tile);
        Map<String, OnnxOperator> table = OnnxOperator.all(single);
        table.put("Split", OnnxMoves::split);
        return table;
    }

    private OnnxMoves() {}

    private static OnnxValue concat(OnnxCall in) {
        List<OnnxValue> all = in.values();
        int axis = in.axis(all.getFirst(), in.node().integer("axis", 1));
        int batch = all.stream().mapToInt(OnnxValue::batch).max().orElseThrow();
        if (axis == batch) {
            throw in.acrossSamples();
        }
        List<OnnxValue> inputs = new ArrayList<>();
        for (OnnxValue x : all) {
            if (x.rank() != all.getFirst().rank() || x.batch() >= 0 && x.batch() != batch) {
                throw in.refuse("joins values of shapes " + all.stream().map(OnnxValue::sizes).toList());
            }
            OnnxValue part = batch >= 0 && x.batch() < 0 ? in.perSample(x, batch) : x;
            if (part.size(axis) > 0) {
                inputs.add(part);
            }
        }
        if (inputs.isEmpty()) {
            return all.getFirst();
        }
        return joined(in, inputs, axis);
    }

    /** Values one after another along an axis, whose batches have the same place. */
    static OnnxValue joined(OnnxCall in, List<OnnxValue> inputs, int axis) {
        OnnxValue first = inputs.getFirst();
        if (inputs.size() == 1) {
            return first;
        }
        int inSample = first.inSample(axis);
        int rank = first.sample().size();
        boolean units = inSample == 0 && (rank == 1 || rank == 3);
        boolean computed = inputs.stream().anyMatch(x -> !x.isConstant());
        Op op = units && computed ? new Op.Concat(inputs.size()) : new TensorOp.Join(inputs.size(), inSample);
        return in.apply(op instanceof Op.Concat ? "concat" : "join", op, first.type(), first.batch(), inputs);
    }

    private static List<OnnxValue> split(OnnxCall in) {
        OnnxValue x = in.value(0);
        int axis = in.axis(x, in.node().integer("axis", 0));
        long[] given = in.integers(1, "split");
        int parts = in.node().outputs().size();
        if (given == null && in.node().integer("num_outputs", parts) != parts) {
            throw in.refuse("has " + in.node().told("num_outputs") + " and " + parts + " outputs");
        }
        in.node().any("num_outputs");
        if (axis == x.batch()) {
            throw in.acrossSamples();
        }
        int even = Math.ceilDiv(x.size(axis), parts);
        List<OnnxValue> pieces = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < parts; i++) {
            int size = given == null ? Math.min(even, x.size(axis) - from)
                    : in.node().small("split", i < given.length ? given[i] : -1);
            pieces.add(part(in, x, axis, from, 1, size));
            from += size;
        }
        if (from != x.size(axis)) {
            throw in.refuse("splits " + x.size(axis) + " into " + Arrays.toString(given));
        }
        return pieces;
    }

    /** Every {@code step}-th value along an axis. */
    static OnnxValue part(OnnxCall in, OnnxValue x, int axis, int start, int step, int count) {
        int[] starts = new int[x.rank()];
        int[] steps = new int[x.rank()];
        Arrays.fill(steps, 1);
        List<Integer> sizes = new ArrayList<>(x.sizes());
        starts[axis] = start;
        steps[axis] = step;
        sizes.set(axis, count);
        return sliced(in, x, starts, steps, sizes);
    }

    private static OnnxValue sliced(OnnxCall in, OnnxValue x, int[] starts, int[] steps, List<Integer> sizes) {
        if (x.isConstant() && sizes.contains(0)) {
            return OnnxValue.of(OnnxConstant.empty(x.type(), sizes.stream().mapToLong(Integer::longValue).toArray()));
        }
        List<Integer> sample = new ArrayList<>(sizes);
        if (x.batch() >= 0) {
            sample.remove(x.batch());
        }
        List<Integer> from = new ArrayList<>();
        List<Integer> by = new ArrayList<>();
        for (int axis = 0; axis < x.rank(); axis++) {
            if (axis != x.batch()) {
                from.add(starts[axis]);
                by.add(steps[axis]);
            }
        }
        boolean whole = sample.equals(x.sample()) && by.stream().allMatch(step -> step == 1);
        boolean pixels = !x.isConstant() && sample.size() == 3 && by.getFirst() == 1 && by.get(1).equals(by.get(2))
                && by.get(1) > 1 && from.equals(List.of(0, 0, 0));
        if (pixels) {
            Op.Subsample all = new Op.Subsample(x.sample().getFirst(), by.get(1));
            if (all.output(List.of(x.shape())).sizes().equals(sample)) {
                return in.apply("subsample", all, x);
            }
        }
        return whole ? x : in.apply("slice", new TensorOp.Slice(from, by, new Shape(sample)), x);
    }

    private static OnnxValue slice(OnnxCall in) {
        OnnxValue x = in.value(0);
        OnnxCall.Sizes starts = in.sizes(1, "starts");
        OnnxCall.Sizes ends = in.sizes(2, "ends");
        long[] axes = in.integers(3, "axes");
        long[] steps = in.integers(4, "steps");
        int count = starts == null ? -1 : starts.once().length;
        if (count < 0 || ends == null || ends.once().length != count || axes != null && axes.length != count
                || steps != null && steps.length != count) {
            throw in.refuse("has starts, ends, axes and steps of different lengths");
        }
        int[] from = new int[x.rank()];
        int[] by = new int[x.rank()];
        Arrays.fill(by, 1);
        List<Integer> sizes = new ArrayList<>(x.sizes());
        for (int i = 0; i < count; i++) {
            int axis = in.axis(x, axes == null ? i : axes[i]);
            Part part = Part.of(starts.once()[i], ends.once()[i], steps == null ? 1 : steps[i], x.size(axis));
            if (axis == x.batch()) {
                Part twice = Part.of(starts.doubled()[i], ends.doubled()[i], part.step(), 2 * x.size(axis));
                if (!part.isWhole(x.size(axis)) || in.isFree() && !twice.isWhole(2 * x.size(axis))) {
                    throw in.acrossSamples();
                }
            }
            from[axis] = part.start();
            by[axis] = part.step();
            sizes.set(axis, part.count());
        }
        return sliced(in, x, from, by, sizes);
    }

    /** Which values a slice takes along an axis. */
    private record Part(int start, int step, int count) {
        static Part of(long start, long end, long step, int size) {
            if (step == 0) {
                throw new IllegalArgumentException("takes values in steps of 0");
            }
            boolean back = step < 0;
            long from = Math.clamp(start < 0 ? start + size : start, 0, back ? size - 1L : size);
            long to = Math.clamp(end < 0 ? end + size : end, back ? -1 : 0, size);
            long by = Math.clamp(step, -size - 1L, size + 1L);
            long count = Math.max(0, Math.ceilDiv(to - from, by));
            return new Part((int) from, (int) by, (int) count);
        }

        boolean isWhole(int size) {
            return start == 0 && step == 1 && count == size;
        }
    }

    private static OnnxValue pad(OnnxCall in) {
        OnnxValue x = in.value(0);
        long[] pads = in.integers(1, in.node().has("paddings") ? "paddings" : "pads");
        float value = in.decimal(2, "value", 0);
        long[] axes = in.integers(3, "axes");
        String mode = in.node().text("mode", "constant");
        int count = axes == null ? x.rank() : axes.length;
        if (pads == null || pads.length != 2 * count) {
            throw in.refuse("has pads " + Arrays.toString(pads) + " for a value of shape " + x.sizes());
        }
        TensorOp.Border border = switch (mode) {
            case "constant" -> TensorOp.Border.CONSTANT;
            case "reflect" -> TensorOp.Border.REFLECT;
            case "edge" -> TensorOp.Border.EDGE;
            default -> throw in.refuse("has mode '" + mode + "'; Pare pads by constant, reflect or edge");
        };
        int[] before = new int[x.rank()];
        int[] after = new int[x.rank()];
        for (int i = 0; i < count; i++) {
            int axis = in.axis(x, axes == null ? i : axes[i]);
            before[axis] = Math.toIntExact(pads[i]);
            after[axis] = Math.toIntExact(pads[i + count]);
            if (axis == x.batch() && (before[axis] != 0 || after[axis] != 0)) {
                throw in.acrossSamples();
            }
        }
        return padded(in, x, before, after, border, value);
    }

    /** Negative padding cuts off. */
    private static OnnxValue padded(OnnxCall in, OnnxValue x, int[] before, int[] after, TensorOp.Border border,
            float value) {
        int[] steps = new int[x.rank()];
        Arrays.fill(steps, 1);
        List<Integer> sizes = new ArrayList<>();
        List<Integer> front = new ArrayList<>();
        List<Integer> back = new ArrayList<>();
        for (int axis = 0; axis < x.rank(); axis++) {
            int left = x.size(axis) + Math.min(0, before[axis]) + Math.min(0, after[axis]);
            if (left < 1) {
                throw in.refuse("cuts off all of axis " + axis + " of a value of shape " + x.sizes());
            }
            sizes.add(left);
            if (axis != x.batch()) {
                front.add(Math.max(0, before[axis]));
                back.add(Math.max(0, after[axis]));
            }
        }
        OnnxValue cut = sliced(in, x, Arrays.stream(before).map(pad -> Math.max(0, -pad)).toArray(), steps, sizes);
        boolean none = front.stream().allMatch(pad -> pad == 0) && back.stream().allMatch(pad -> pad == 0);
        if (none) {
            return cut;
        }
        Op.Subsample channels = border == TensorOp.Border.CONSTANT && value == 0 ? subsample(in, cut, front, back)
                : null;
        if (channels != null) {
            int stride = channels.stride();
            OnnxValue from = stride == 1 ? cut : OnnxValue.computed(in.step(cut).inputs().getFirst(), cut.type(),
                    cut.sizes(), cut.batch());
            return in.apply("subsample", channels, cut.type(), cut.batch(), List.of(from));
        }
        return in.apply("pad", new TensorOp.Pad(front, back, border, value), cut);
    }

    /** What Pare itself writes for a shortcut without weights: every n-th pixel, and channels of zeros on both sides. */
    private static Op.Subsample subsample(OnnxCall in, OnnxValue x, List<Integer> front, List<Integer> back) {
        if (x.isConstant() || front.size() != 3) {
            return null;
        }
        int added = front.getFirst() + back.getFirst();
        boolean channelsOnly = added > 0 && front.getFirst() == added / 2
                && front.subList(1, 3).equals(List.of(0, 0)) && back.subList(1, 3).equals(List.of(0, 0));
        if (!channelsOnly) {
            return null;
        }
        boolean sliced = in.step(x).op() instanceof Op.Subsample pixels
                && pixels.out() == in.draft().step(in.step(x).inputs().getFirst()).output().channels();
        int stride = sliced ? ((Op.Subsample) in.step(x).op()).stride() : 1;
        return new Op.Subsample(x.sample().getFirst() + added, stride);
    }

    private static OnnxValue gather(OnnxCall in) {
        OnnxValue x = in.value(0);
        return gather(in, x, in.axis(x, in.node().integer("axis", 0)));
    }

    /** ONNX Runtime's look-up in a matrix of integers, which share a scale and a zero in blocks. */
    private static OnnxValue gatherOfBits(OnnxCall in) {
        OnnxConstant codes = in.constant(0);
        OnnxConstant scales = in.constant(2);
        in.node().only("gather_axis", 0);
        in.node().only("quantize_axis", 1);
        if (codes.shape().length != 2 || scales.shape().length != 2) {
            throw in.refuse("looks values up in codes of shape " + Arrays.toString(codes.shape())
                    + "; a matrix is needed");
        }
        int rows = (int) codes.shape()[0];
        int columns = (int) codes.shape()[1]
                * (codes.type() == Type.UINT8 && in.node().integer("bits", 4) == 4 ? 2 : 1);
        OnnxConstant zero = in.optionalConstant(3);
        if (zero != null && zero.type() == Type.UINT8 && scales.shape()[1] % 2 != 0 && columns != codes.shape()[1]) {
            throw in.refuse(
                    "has " + scales.shape()[1] + " blocks in a row, an even number is needed for zeros of 4 bits");
        }
        float[] values = OnnxQuantization.packed(in, codes, scales, zero, rows, columns);
        return gather(in, OnnxValue.of(OnnxConstant.of(values, rows, columns)), 0);
    }

    private static OnnxValue gather(OnnxCall in, OnnxValue x, int axis) {
        OnnxValue indices = in.value(1);
        if (indices.isConstant() && indices.batch() < 0) {
            return taken(in, x, axis, indices.constant());
        }
        if (!x.isConstant() && x.batch() >= 0) {
            throw in.refuse("looks up computed indices in computed values, across samples");
        }
        if (indices.type().isFloating()) {
            throw in.refuse("looks up indices of type " + indices.type());
        }
        int batch = indices.batch() < 0 ? -1 : axis + indices.batch();
        if (x.isConstant() && axis == 0 && x.rank() == 2) {
            OnnxValue rows = in.layer("embedding", new TensorOp.Embedding(x.size(0), x.size(1)), indices,
                    x.constant().decimals());
            return new OnnxValue(null, null, rows.place(), x.type(), rows.sizes(), batch);
        }
        return in.apply("gather", new TensorOp.Gather(axis), x.type(), batch, List.of(x, indices));
    }

    /** Values at constant indices, whose axes stand in place of one. */
    private static OnnxValue taken(OnnxCall in, OnnxValue x, int axis, OnnxConstant indices) {
        if (indices.type().isFloating()) {
            throw in.refuse("looks up indices of type " + indices.type());
        }
        List<Integer> sizes = new ArrayList<>(x.sizes());
        sizes.remove(axis);
        sizes.addAll(axis, OnnxValue.sizes(indices.shape()));
        if (x.isConstant() && x.batch() < 0) {
            return OnnxValue.of(in.gathered(x.constant(), axis, indices,
                    sizes.stream().mapToLong(Integer::longValue).toArray()));
        }
        if (axis == x.batch()) {
            throw in.acrossSamples();
        }
        if (sizes.contains(0)) {
            throw in.refuse("gives no values");
        }
        long[] given = indices.integers();
        int size = x.size(axis);
        List<Integer> places = new ArrayList<>();
        for (long index : given) {
            if (index < -size || index >= size) {
                throw in.refuse("looks up value " + index + " of " + size);
            }
            places.add((int) (index < 0 ? index + size : index));
        }
        int batch = x.batch() < axis ? x.batch() : x.batch() - 1 + indices.shape().length;
        int step = places.size() > 1 ? places.get(1) - places.getFirst() : 1;
        boolean even = step != 0 && IntStream.range(1, places.size())
                .allMatch(i -> places.get(i) - places.get(i - 1) == step);
        OnnxValue found = even ? part(in, x, axis, places.getFirst(), step, places.size())
                : in.apply("take", new TensorOp.Take(x.inSample(axis), places), x);
        return OnnxShapes.placed(in, found, sizes, batch);
    }

    private static OnnxValue expand(OnnxCall in) {
        OnnxValue x = in.value(0);
        OnnxCall.Sizes to = in.sizes(1, "shape");
        if (to == null) {
            throw in.refuse("has no shape");
        }
        int rank = Math.max(x.rank(), to.once().length);
        int batch = x.batch() < 0 ? -1 : x.batch() + rank - x.rank();
        List<Integer> sizes = new ArrayList<>();
        for (int axis = 0; axis < rank; axis++) {
            int given = axis - (rank - to.once().length);
            int own = axis - (rank - x.rank());
            int size = own < 0 ? 1 : x.size(own);
            int wanted = given < 0 ? 1 : in.node().small("shape", to.once()[given]);
            if (size != wanted && size != 1 && wanted != 1 || axis == batch && wanted != 1 && wanted != size) {
                throw in.refuse("expands " + x.sizes() + " to " + Arrays.toString(to.once()));
            }
            sizes.add(size == 1 ? wanted : size);
        }
        if (x.isConstant() && sizes.contains(0)) {
            return OnnxValue.of(OnnxConstant.empty(x.type(), sizes.stream().mapToLong(Integer::longValue).toArray()));
        }
        List<Integer> sample = new ArrayList<>(sizes);
        if (batch >= 0) {
            sample.remove(batch);
        }
        return sample.equals(x.sample()) ? in.reshaped(x, sample, batch)
                : in.apply("expand", new TensorOp.Expand(new Shape(sample)), x.type(), batch, List.of(x));
    }

    private static OnnxValue tile(OnnxCall in) {
        OnnxValue x = in.value(0);
        long[] repeats = in.integers(1, "repeats");
        if (repeats == null || repeats.length != x.rank()) {
            throw in.refuse("repeats " + x.sizes() + " " + Arrays.toString(repeats) + " times");
        }
        OnnxValue tiled = x;
        for (int axis = 0; axis < x.rank(); axis++) {
            int times = in.node().small("repeats", repeats[axis]);
            if (times != 1) {
                in.sampleAxis(x, axis);
                OnnxValue apart = repeated(in, OnnxShapes.with(in, tiled, axis), axis, times);
                List<Integer> sizes = new ArrayList<>(tiled.sizes());
                sizes.set(axis, Math.multiplyExact(times, x.size(axis)));
                tiled = OnnxShapes.placed(in, apart, sizes, x.batch());
            }
        }
        return tiled;
    }

    private static OnnxValue repeated(OnnxCall in, OnnxValue x, int axis, int times) {
        List<Integer> sample = new ArrayList<>(x.sample());
        sample.set(x.inSample(axis), times);
        return in.apply("expand", new TensorOp.Expand(new Shape(sample)), x);
    }
}
