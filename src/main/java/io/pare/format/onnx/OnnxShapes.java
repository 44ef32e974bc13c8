package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
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
        Map<String, OnnxOperator.Single> single = new HashMap<>();
        single.put("Identity", in -> in.value(0));
        single.put("Reshape", OnnxShapes::reshape);
        single.put("Flatten", OnnxShapes::flatten);
        single.put("Squeeze", OnnxShapes::squeeze);
        single.put("Unsqueeze", OnnxShapes::unsqueeze);
        single.put("Transpose", OnnxShapes::transpose);
        single.put("DepthToSpace", OnnxShapes::depthToSpace);
        single.put("SpaceToDepth", OnnxShapes::spaceToDepth);
        single.put("Shape", OnnxShapes::shape);
        single.put("Size", OnnxShapes::size);
        return OnnxOperator.all(single);
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
    static OnnxValue placed(OnnxCall in, OnnxValue x, List<Integer> sizes, int batch) {
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
        int[] order = Arrays.stream(given).mapToInt(axis -> in.axis(x, axis)).toArray();
        if (given.length != x.rank() || Arrays.stream(order).distinct().count() != order.length) {
            throw in.refuse("has " + in.node().told("perm") + " for a value of shape " + x.sizes()
                    + "; each axis is needed once");
        }
        return transposed(in, x, order);
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

    /** Blocks of channels become blocks of pixels. */
    private static OnnxValue depthToSpace(OnnxCall in) {
        OnnxValue x = in.value(0);
        int block = in.node().small("blocksize", in.node().integer("blocksize", 0));
        String mode = in.node().text("mode", "DCR");
        checkBlocks(in, x, block, 1, Math.multiplyExact(block, block));
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
        checkBlocks(in, x, block, 2, block);
        checkBlocks(in, x, block, 3, block);
        int height = x.size(2) / block;
        int width = x.size(3) / block;
        return blocks(in, x, List.of(x.size(1), height, block, width, block), new int[]{0, 3, 5, 1, 2, 4},
                List.of(x.size(1) * block * block, height, width));
    }

    private static void checkBlocks(OnnxCall in, OnnxValue x, int block, int axis, int parts) {
        if (x.rank() != 4 || x.batch() > 0 || block == 0 || x.size(axis) % parts != 0) {
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
