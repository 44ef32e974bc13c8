package io.pare.format.onnx;

import io.pare.net.Op;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.TensorOp.Attention;
import io.pare.net.TensorOp.MatMul;
import io.pare.net.TensorOp.Reshape;
import io.pare.net.TensorOp.Transpose;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Finds attention that a file spells out: two products of matrices around a softmax.
 *
 * <p>Scores are the product of queries and transposed keys. They, the queries or the keys may be scaled, and a mask may be
 * added or chosen. The product with the values, which is the last step, is replaced. A file that reads scores or shares
 * elsewhere too keeps all its steps: they would be computed twice.
 *
 * <p>Where queries, keys, values and result are transposed from rows of heads and back, attention does without.
 */
final class OnnxAttention {
    /** What stands in place of masked scores is below all others; it is exact only if none is as low. */
    private static final float MASKED = -1e9f;
    private static final int MOST_MASKS = 4;

    private final OnnxDraft draft;
    private final int output;

    /** @param output the place of what the network gives */
    OnnxAttention(OnnxDraft draft, int output) {
        this.draft = draft;
        this.output = output;
    }

    /** Replaces all. */
    void replace() {
        int count = draft.size();
        for (int place = 1; place < count; place++) {
            products(place);
        }
        for (int place = 1; place < count; place++) {
            transposes(place);
        }
    }

    private Op op(int place) {
        return draft.step(place).op();
    }

    private int input(int place, int index) {
        return draft.step(place).inputs().get(index);
    }

    private Shape shape(int place) {
        return draft.step(place).output();
    }

    /** Puts attention in place of a step, unless a step that it replaces is read elsewhere. */
    private void become(int place, Attention op, List<Integer> inputs, int replaced) {
        OnnxDraft.Step before = draft.step(place);
        draft.replace(place, "attention", op, inputs, List.of());
        if (draft.reads(output, replaced)) {
            draft.replace(place, before.kind(), before.op(), before.inputs(), before.tensors());
        }
    }

    /**
     * Scores as a product that is scaled, then masked.
     *
     * @param masks what is added, outermost first
     */
    private record Scores(int product, List<Mask> masks) {}

    /**
     * What is added to scores, or decides which of them stay.
     *
     * @param kept the truth value of scores that stay where values decide; null where they are added
     */
    private record Mask(int values, Boolean kept) {}

    private void products(int place) {
        if (!(op(place) instanceof MatMul)) {
            return;
        }
        int shares = unguarded(input(place, 0));
        if (!(op(shares) instanceof TensorOp.Softmax(int axis, boolean logarithm)) || logarithm
                || axis != shape(shares).rank() - 1) {
            return;
        }
        Scores scores = scores(input(shares, 0), List.of());
        if (scores == null || !lastTwo(shape(shares)).equals(lastTwo(shape(scores.product)))) {
            return;
        }
        Scaled left = unscaled(scores.product, place);
        Scaled queries = unscaled(input(left.place, 0), place);
        Scaled transposed = unscaled(input(left.place, 1), place);
        int keys = transposed(transposed.place, place);
        double scale = left.scale * queries.scale * transposed.scale;
        if (keys < 0 || !Float.isFinite((float) scale)) {
            return;
        }
        List<Integer> inputs = new ArrayList<>(List.of(queries.place, keys, input(place, 1)));
        if (!scores.masks.isEmpty()) {
            inputs.add(sum(scores.masks, place));
        }
        Attention op = new Attention((float) scale, !scores.masks.isEmpty(), false);
        if (op.output(inputs.stream().map(this::shape).toList()).equals(shape(place))) {
            become(place, op, inputs, left.place);
        }
    }

    /** What a step gives if it puts zeros in place of NaN, which attention never gives by itself; else that step. */
    private int unguarded(int place) {
        if (op(place) instanceof TensorOp.Choose) {
            int value = input(place, 2);
            int condition = input(place, 0);
            boolean nan = op(condition) instanceof TensorOp.Map map && map.function() == Pointwise.NOT
                    && op(input(condition, 0)) instanceof TensorOp.Zip(Pairwise function)
                    && function == Pairwise.EQUAL
                    && draft.step(input(condition, 0)).inputs().equals(List.of(value, value));
            if (nan && isConstant(input(place, 1), 0, 0)) {
                return value;
            }
        }
        return place;
    }

    private boolean isConstant(int place, float least, float most) {
        if (!(op(place) instanceof TensorOp.Constant)) {
            return false;
        }
        float[] values = draft.step(place).tensors().getFirst().toArray();
        return IntStream.range(0, values.length).allMatch(i -> values[i] >= least && values[i] <= most);
    }

    private static List<Integer> lastTwo(Shape shape) {
        return shape.sizes().subList(shape.rank() - 2, shape.rank());
    }

    /** The scores that a step gives; null if it gives none. */
    private Scores scores(int place, List<Mask> masks) {
        Op op = op(place);
        if (masks.size() < MOST_MASKS
                && (op instanceof Op.Add
                        || op instanceof TensorOp.Zip(Pairwise function) && function == Pairwise.ADD)) {
            for (int side = 0; side < 2; side++) {
                Scores found = scores(input(place, side), with(masks, new Mask(input(place, 1 - side), null)));
                if (found != null) {
                    return found;
                }
            }
            return null;
        }
        if (masks.size() < MOST_MASKS && op instanceof TensorOp.Choose) {
            for (int side = 1; side < 3; side++) {
                if (isConstant(input(place, 3 - side), Float.NEGATIVE_INFINITY, MASKED)) {
                    return scores(input(place, side), with(masks, new Mask(input(place, 0), side == 1)));
                }
            }
            return null;
        }
        int product = place;
        while (isScaled(product)) {
            product = input(product, 0);
        }
        return op(product) instanceof MatMul ? new Scores(place, masks) : null;
    }

    private static List<Mask> with(List<Mask> masks, Mask mask) {
        List<Mask> all = new ArrayList<>(masks);
        all.add(mask);
        return all;
    }

    /** Values and the factor by which a step multiplies them. */
    private record Scaled(int place, double scale) {}

    private boolean isScaled(int place) {
        return op(place) instanceof TensorOp.Map map && map.function() == Pointwise.LINEAR && map.b() == 0;
    }

    /**
     * A step without its factor, which may stand before transposes and reshapes.
     *
     * @param before the place before which new steps are computed
     */
    private Scaled unscaled(int place, int before) {
        if (isScaled(place)) {
            Scaled inner = unscaled(input(place, 0), before);
            return new Scaled(inner.place, inner.scale * ((TensorOp.Map) op(place)).a());
        }
        if (op(place) instanceof Transpose || op(place) instanceof Reshape) {
            Scaled inner = unscaled(input(place, 0), before);
            return inner.place == input(place, 0) ? new Scaled(place, 1)
                    : new Scaled(draft.addBefore(before, draft.step(place).kind(), op(place), List.of(inner.place)),
                            inner.scale);
        }
        return new Scaled(place, 1);
    }

    /** The place of what a step transposes in its last two axes; below 0 if it does not. */
    private int transposed(int place, int before) {
        int rank = shape(place).rank();
        if (op(place) instanceof Transpose(List<Integer> order)) {
            List<Integer> swapped = swapped(order, rank - 1);
            return isOrder(swapped) ? input(place, 0)
                    : draft.addBefore(before, "transpose", new Transpose(swapped), List.of(input(place, 0)));
        }
        if (op(place) instanceof Reshape(Shape to) && shape(input(place, 0)).rank() > 1
                && lastTwo(to).equals(lastTwo(shape(input(place, 0))))) {
            int inner = transposed(input(place, 0), before);
            Shape wanted = new Shape(swapped(to.sizes(), rank - 1));
            if (inner < 0) {
                return inner;
            }
            return op(inner) instanceof Reshape && shape(input(inner, 0)).equals(wanted) ? input(inner, 0)
                    : draft.addBefore(before, "reshape", new Reshape(wanted), List.of(inner));
        }
        return -1;
    }

    /** A list whose element at that index and the one before it have changed places. */
    private static List<Integer> swapped(List<Integer> of, int index) {
        List<Integer> swapped = new ArrayList<>(of);
        Collections.swap(swapped, index - 1, index);
        return swapped;
    }

    private static boolean isOrder(List<Integer> order) {
        return IntStream.range(0, order.size()).allMatch(i -> order.get(i) == i);
    }

    /** The place of all masks together. */
    private int sum(List<Mask> masks, int before) {
        int sum = -1;
        for (Mask mask : masks.reversed()) {
            int next = mask.kept == null ? mask.values : chosen(mask, before);
            sum = sum < 0 ? next
                    : draft.addBefore(before, "add", new TensorOp.Zip(Pairwise.ADD), List.of(sum, next));
        }
        return sum;
    }

    /** The place of what is added where a truth value decides: nothing, or the lowest number, to which all scores round. */
    private int chosen(Mask mask, int before) {
        if (op(mask.values) instanceof TensorOp.Constant(Shape shape)) {
            float[] values = draft.step(mask.values).tensors().getFirst().toArray();
            for (int i = 0; i < values.length; i++) {
                values[i] = values[i] != 0 == mask.kept ? 0 : -Float.MAX_VALUE;
            }
            return constant(values, shape, before);
        }
        int nothing = constant(new float[1], new Shape(List.of()), before);
        int lowest = constant(new float[]{-Float.MAX_VALUE}, new Shape(List.of()), before);
        return draft.addBefore(before, "where", new TensorOp.Choose(),
                mask.kept ? List.of(mask.values, nothing, lowest) : List.of(mask.values, lowest, nothing));
    }

    private int constant(float[] values, Shape shape, int before) {
        long[] sizes = shape.sizes().stream().mapToLong(Integer::longValue).toArray();
        return draft.addBefore(before, "constant", new TensorOp.Constant(shape), List.of(),
                draft.tensor("value", values, sizes));
    }

    /** Attention whose queries, keys and values are transposed from rows of heads, and whose result is transposed back. */
    private void transposes(int place) {
        int attention = isOfHeads(place) ? input(place, 0) : -1;
        if (attention < 0 || !(op(attention) instanceof Attention plain) || plain.rowsFirst()) {
            return;
        }
        List<Integer> inputs = new ArrayList<>(draft.step(attention).inputs());
        for (int i = 0; i < 3; i++) {
            if (!isOfHeads(inputs.get(i))) {
                return;
            }
            inputs.set(i, input(inputs.get(i), 0));
        }
        become(place, new Attention(plain.scale(), plain.masked(), true), inputs, attention);
    }

    /** Whether a step exchanges the two axes before the last one. */
    private boolean isOfHeads(int place) {
        return op(place) instanceof Transpose(List<Integer> order) && order.size() > 2
                && isOrder(swapped(order, order.size() - 2));
    }
}
