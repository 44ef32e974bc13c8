package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.Op;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Operators that give values another shape or order, and those that read shapes. */
final class OnnxShapes {
    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        Map<String, OnnxOperator> table = new HashMap<>();
        table.put("Split", OnnxShapes::split);
        Map<String, OnnxOperator.Single> single = new HashMap<>();
        single.put("Identity", in -> in.value(0));
        single.put("Reshape", OnnxShapes::reshape);
        single.put("Flatten", OnnxShapes::flatten);
        single.put("Squeeze", OnnxShapes::squeeze);
        single.put("Unsqueeze", OnnxShapes::unsqueeze);
        single.put("Transpose", OnnxShapes::transpose);
        single.put("Concat", OnnxShapes::concat);
        single.put("Slice", OnnxShapes::slice);
        single.put("Pad", OnnxShapes::pad);
        single.put("Gather", OnnxShapes::gather);
        single.put("Expand", OnnxShapes::expand);
        single.put("Tile", OnnxShapes::tile);
        single.put("DepthToSpace", OnnxShapes::depthToSpace);
        single.put("SpaceToDepth", OnnxShapes::spaceToDepth);
        single.put("Shape", OnnxShapes::shape);
        single.put("Size", OnnxShapes::size);
        single.forEach((name, operator) -> table.put(name, OnnxOperator.single(operator)));
        return table;
    }

    private OnnxShapes() {}

    private static OnnxValue reshape(OnnxCall in) {
        OnnxValue x = in.value(0);
        OnnxCall.Sizes wanted = in.sizes(1, "shape");
        boolean zeros = in.node().integer("allowzero", 0) != 0;
        in.node().any("consumed_inputs");
        if (wanted == null) {
            throw in.refuse("has no shape");
        }
        return reshaped(in, x, sizes(x.sizes(), wanted.once(), zeros),
                x.batch() < 0 ? null : sizes(doubled(x), wanted.doubled(), zeros));
    }

    /** The sizes with twice as many samples. */
    private static List<Integer> doubled(OnnxValue x) {
        List<Integer> sizes = new ArrayList<>(x.sizes());
        sizes.set(x.batch(), 2 * x.size(x.batch()));
        return sizes;
    }

    /** The sizes of which some may be open; null if there are none that fit. */
    private static List<Integer> sizes(List<Integer> from, long[] wanted, boolean zeros) {
        long[] sizes = wanted.clone();
        int open = -1;
        long rest = 1;
        for (int i = 0; i < sizes.length; i++) {
            if (sizes[i] == 0 && !zeros && i < from.size()) {
                sizes[i] = from.get(i);
            }
            if (sizes[i] == -1 && open < 0) {
                open = i;
            } else {
                rest = Math.multiplyExact(rest, sizes[i]);
            }
        }
        long count = OnnxCall.product(from, 0, from.size());
        if (open >= 0 && rest > 0) {
            sizes[open] = count / rest;
        }
        boolean fits = open < 0 ? rest == count : rest > 0 && sizes[open] * rest == count;
        return fits && Arrays.stream(sizes).allMatch(size -> size >= 0 && size <= Integer.MAX_VALUE)
                ? OnnxValue.sizes(sizes)
                : null;
    }

    /**
     * A value in another shape.
     *
     * @param doubled that shape with twice as many samples, null if there is none
     */
    private static OnnxValue reshaped(OnnxCall in, OnnxValue x, List<Integer> sizes, List<Integer> doubled) {
        if (sizes == null) {
            throw in.refuse("gives values of shape " + x.sizes() + " a shape of another number of values");
        }
        if (x.batch() < 0) {
            return in.reshaped(x, sizes, -1);
        }
        // The axis of samples is that which grows with them; all that stands before it must stay before it.
        long outer = OnnxCall.product(x.sizes(), 0, x.batch());
        List<Integer> axes = IntStream.range(0, sizes.size()).filter(axis -> sizes.get(axis) == in.samples()
                && OnnxCall.product(sizes, 0, axis) == outer).boxed().toList();
        List<Integer> growing = doubled == null || doubled.size() != sizes.size() ? axes
                : axes.stream().filter(axis -> doubled.get(axis) == 2 * in.samples()).toList();
        boolean vectors = axes.equals(List.of(0)) && sizes.size() == 2 && in.node().operator().equals("Reshape");
        if (growing.isEmpty() && in.isFree() && vectors) {
            in.note("the file computes one sample at a time, by a fixed shape; Pare reads it for any number of them");
        } else if (axes.isEmpty() || growing.isEmpty() && in.isFree()) {
            throw in.refuse("gives values of shape " + x.sizes() + " the shape " + sizes
                    + ", which mixes samples; Pare computes each by itself");
        }
        int batch = growing.isEmpty() ? axes.getFirst() : growing.getFirst();
        List<Integer> sample = new ArrayList<>(sizes);
        sample.remove(batch);
        return in.reshaped(x, sample, batch);
    }

    private static OnnxValue flatten(OnnxCall in) {
        OnnxValue x = in.value(0);
        long given = in.node().integer("axis", 1);
        int axis = given == x.rank() ? x.rank() : in.axis(x, given);
        return reshaped(in, x, flat(x.sizes(), axis), x.batch() < 0 ? null : flat(doubled(x), axis));
    }

    private static List<Integer> flat(List<Integer> sizes, int axis) {
        return OnnxValue.sizes(OnnxCall.product(sizes, 0, axis), OnnxCall.product(sizes, axis, sizes.size()));
    }

    private static OnnxValue squeeze(OnnxCall in) {
        OnnxValue x = in.value(0);
        long[] given = in.integers(1, "axes");
        if (given == null && x.batch() >= 0 && in.samples() == 1 && !in.isFree()) {
            throw in.acrossSamples();
        }
        int[] axes = given == null
                ? IntStream.range(0, x.rank()).filter(axis -> x.size(axis) == 1 && axis != x.batch()).toArray()
                : Arrays.stream(given).mapToInt(axis -> in.axis(x, axis)).toArray();
        return without(in, x, axes);
    }

    /** Without axes of size 1. */
    static OnnxValue without(OnnxCall in, OnnxValue x, int... axes) {
        List<Integer> sizes = new ArrayList<>();
        for (int axis = 0; axis < x.rank(); axis++) {
            int at = axis;
            if (Arrays.stream(axes).noneMatch(out -> out == at)) {
                sizes.add(x.size(axis));
            } else if (axis == x.batch()) {
                throw in.acrossSamples();
            } else if (x.size(axis) != 1) {
                throw in.refuse("leaves out axis " + axis + " of a value of shape " + x.sizes());
            }
        }
        int batch = x.batch() - (int) Arrays.stream(axes).filter(axis -> axis < x.batch()).distinct().count();
        return placed(in, x, sizes, x.batch() < 0 ? -1 : batch);
    }

    /** The same elements under sizes among which those of the batch are. */
    private static OnnxValue placed(OnnxCall in, OnnxValue x, List<Integer> sizes, int batch) {
        List<Integer> sample = new ArrayList<>(sizes);
        if (batch >= 0) {
            sample.remove(batch);
        }
        return in.reshaped(x, sample, batch);
    }

    private static OnnxValue unsqueeze(OnnxCall in) {
        OnnxValue x = in.value(0);
        long[] given = in.integers(1, "axes");
        if (given == null) {
            throw in.refuse("has no axes");
        }
        int rank = x.rank() + given.length;
        TreeSet<Integer> axes = new TreeSet<>();
        for (long axis : given) {
            axes.add(in.axis(axis, rank));
        }
        return with(in, x, axes.stream().mapToInt(Integer::intValue).toArray());
    }

    /** With axes of size 1, ascending, in the result. */
    static OnnxValue with(OnnxCall in, OnnxValue x, int... axes) {
        List<Integer> sizes = new ArrayList<>(x.sizes());
        int batch = x.batch();
        for (int axis : axes) {
            sizes.add(axis, 1);
            batch += batch >= 0 && axis <= batch ? 1 : 0;
        }
        return placed(in, x, sizes, batch);
    }

    private static OnnxValue transpose(OnnxCall in) {
        OnnxValue x = in.value(0);
        long[] given = in.node().integers("perm",
                IntStream.range(0, x.rank()).mapToLong(axis -> x.rank() - 1L - axis).toArray());
        if (given.length != x.rank()) {
            throw in.refuse("has " + in.node().told("perm") + " for a value of shape " + x.sizes());
        }
        return transposed(in, x, Arrays.stream(given).mapToInt(axis -> in.axis(x, axis)).toArray());
    }

    /** The axes in another order: for each of the result, that of the value. */
    static OnnxValue transposed(OnnxCall in, OnnxValue x, int... order) {
        int batch = IntStream.range(0, order.length).filter(i -> order[i] == x.batch()).findFirst().orElse(-1);
        List<Integer> sample = Arrays.stream(order).filter(axis -> axis != x.batch()).map(x::inSample).boxed().toList();
        boolean same = sample.equals(IntStream.range(0, sample.size()).boxed().toList());
        if (same) {
            return in.reshaped(x, x.sample(), batch);
        }
        return in.apply("transpose", new TensorOp.Transpose(sample), x.type(), batch, List.of(x));
    }

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
            sizes.add(x.size(axis) + Math.min(0, before[axis]) + Math.min(0, after[axis]));
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
        OnnxValue indices = in.value(1);
        int axis = in.axis(x, in.node().integer("axis", 0));
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
        long[] given = indices.integers();
        if (given == null) {
            throw in.refuse("looks up indices of type " + indices.type());
        }
        int size = x.size(axis);
        List<Integer> places = new ArrayList<>();
        for (long index : given) {
            if (index < -size || index >= size) {
                throw in.refuse("looks up value " + index + " of " + size);
            }
            places.add((int) (index < 0 ? index + size : index));
        }
        if (axis == x.batch()) {
            throw in.acrossSamples();
        }
        List<Integer> sizes = new ArrayList<>(x.sizes());
        sizes.remove(axis);
        sizes.addAll(axis, OnnxValue.sizes(indices.shape()));
        if (places.isEmpty()) {
            return OnnxValue.of(OnnxConstant.empty(x.type(), sizes.stream().mapToLong(Integer::longValue).toArray()));
        }
        int batch = x.batch() < axis ? x.batch() : x.batch() - 1 + indices.shape().length;
        int step = places.size() > 1 ? places.get(1) - places.getFirst() : 1;
        boolean even = step != 0 && IntStream.range(1, places.size())
                .allMatch(i -> places.get(i) - places.get(i - 1) == step);
        OnnxValue found = even ? part(in, x, axis, places.getFirst(), step, places.size())
                : in.apply("take", new TensorOp.Take(x.inSample(axis), places), x);
        return placed(in, found, sizes, batch);
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
                int inSample = in.sampleAxis(x, axis);
                int size = x.size(axis);
                if ((long) times * size > 1 << 26) {
                    throw in.refuse("repeats " + x.sizes() + " " + Arrays.toString(repeats) + " times");
                }
                tiled = size == 1 ? repeated(in, tiled, axis, times)
                        : in.apply("take", new TensorOp.Take(inSample, IntStream.range(0, times * size)
                                .mapToObj(i -> i % size).toList()), tiled);
            }
        }
        return tiled;
    }

    private static OnnxValue repeated(OnnxCall in, OnnxValue x, int axis, int times) {
        List<Integer> sample = new ArrayList<>(x.sample());
        sample.set(x.inSample(axis), times);
        return in.apply("expand", new TensorOp.Expand(new Shape(sample)), x);
    }

    /** Blocks of channels become blocks of pixels. */
    private static OnnxValue depthToSpace(OnnxCall in) {
        OnnxValue x = in.value(0);
        int block = in.node().small("blocksize", in.node().integer("blocksize", 0));
        String mode = in.node().text("mode", "DCR");
        checkBlocks(in, x, block, block == 0 || x.size(1) % (block * block) != 0);
        int channels = x.size(1) / (block * block);
        boolean depthFirst = mode.equals("DCR");
        if (!depthFirst && !mode.equals("CRD")) {
            throw in.refuse("has mode '" + mode + "', which ONNX does not know");
        }
        List<Integer> split = depthFirst ? List.of(block, block, channels, x.size(2), x.size(3))
                : List.of(channels, block, block, x.size(2), x.size(3));
        int[] order = depthFirst ? new int[]{0, 3, 4, 1, 5, 2} : new int[]{0, 1, 4, 2, 5, 3};
        return blocks(in, x, split, order, List.of(channels, x.size(2) * block, x.size(3) * block));
    }

    /** Blocks of pixels become blocks of channels. */
    private static OnnxValue spaceToDepth(OnnxCall in) {
        OnnxValue x = in.value(0);
        int block = in.node().small("blocksize", in.node().integer("blocksize", 0));
        checkBlocks(in, x, block, block == 0 || x.size(2) % block != 0 || x.size(3) % block != 0);
        int height = x.size(2) / block;
        int width = x.size(3) / block;
        return blocks(in, x, List.of(x.size(1), height, block, width, block), new int[]{0, 3, 5, 1, 2, 4},
                List.of(x.size(1) * block * block, height, width));
    }

    private static void checkBlocks(OnnxCall in, OnnxValue x, int block, boolean unfit) {
        if (x.rank() != 4 || x.batch() > 0 || unfit) {
            throw in.refuse("moves blocks of " + block + " in values of shape " + x.sizes());
        }
    }

    private static OnnxValue blocks(OnnxCall in, OnnxValue x, List<Integer> split, int[] order, List<Integer> to) {
        List<Integer> outer = x.batch() == 0 ? List.of() : List.of(x.size(0));
        OnnxValue apart = in.reshaped(x, concatenated(outer, split), x.batch());
        return in.reshaped(transposed(in, apart, order), concatenated(outer, to), x.batch());
    }

    private static List<Integer> concatenated(List<Integer> first, List<Integer> second) {
        List<Integer> all = new ArrayList<>(first);
        all.addAll(second);
        return Collections.unmodifiableList(all);
    }

    /** The sizes of a value, for the samples at hand and for twice as many. */
    private static OnnxValue shape(OnnxCall in) {
        OnnxValue x = in.value(0);
        int rank = x.rank();
        int start = bound(in.node().integer("start", 0), rank);
        int end = Math.max(start, bound(in.node().integer("end", rank), rank));
        long[] sizes = x.sizes().stream().mapToLong(Integer::longValue).toArray();
        OnnxConstant once = OnnxConstant.of(Arrays.copyOfRange(sizes, start, end));
        if (x.batch() < start || x.batch() >= end) {
            return OnnxValue.of(once);
        }
        sizes[x.batch()] *= 2;
        return OnnxValue.of(once, OnnxConstant.of(Arrays.copyOfRange(sizes, start, end)));
    }

    private static int bound(long axis, int rank) {
        return Math.clamp(axis < 0 ? axis + rank : axis, 0, rank);
    }

    private static OnnxValue size(OnnxCall in) {
        OnnxValue x = in.value(0);
        long count = OnnxCall.product(x.sizes(), 0, x.rank());
        OnnxConstant once = OnnxConstant.of(new long[]{count}, new long[0]);
        return x.batch() < 0 ? OnnxValue.of(once)
                : OnnxValue.of(once, OnnxConstant.of(new long[]{2 * count}, new long[0]));
    }

    /** The type that a Cast gives. */
    static Type castType(OnnxNode node) {
        Type type = Type.of(node.integer("to", 0));
        if (type == null) {
            throw node.refuse("makes elements of ONNX's type " + node.integer("to", 0) + ", which Pare does not read");
        }
        return type;
    }
}
