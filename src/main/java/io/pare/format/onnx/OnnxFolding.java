package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import io.pare.net.Rearrangement;
import io.pare.net.Reduction;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.tensor.Computation;
import io.pare.tensor.Product;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Computes operators whose inputs are constants.
 *
 * <p>What only moves elements keeps them to the bit, whatever their type. Integers are computed as such.
 */
final class OnnxFolding {
    /** Products of floats that a file may ask for before a network runs. */
    private static final long MAX_PRODUCTS = 1L << 31;

    private final OnnxTensors.Budget memory;
    private long products;

    OnnxFolding(OnnxTensors.Budget memory) {
        this.memory = memory;
    }

    /**
     * What an operator gives.
     *
     * @param type of the result
     * @throws IllegalArgumentException if it does not take the inputs
     */
    OnnxConstant apply(TensorOp op, Type type, List<OnnxConstant> inputs) {
        OnnxConstant first = inputs.getFirst();
        List<Shape> shapes = inputs.stream().map(OnnxFolding::shape).toList();
        Shape output = op.output(shapes);
        long[] sizes = output.sizes().stream().mapToLong(Integer::longValue).toArray();
        // A table of places may stand beside the elements.
        long bytes = (long) output.features() * (type.width() + Integer.BYTES);
        if (output.features() > shapes.stream().mapToLong(Shape::features).sum()) {
            memory.make(bytes);
        } else {
            memory.take(bytes);
        }
        return switch (op) {
            case TensorOp.Reshape _ -> first.reshaped(sizes);
            case TensorOp.Rearranging move -> moved(first, move.of(shapes.getFirst()), sizes);
            case TensorOp.Join(_, int axis) -> joined(inputs, axis, sizes);
            case TensorOp.Map map -> mapped(map, type, first);
            case TensorOp.Zip(Pairwise function) -> zipped(function, type, inputs, output, sizes);
            case TensorOp.Choose _ -> chosen(inputs, output, sizes);
            case TensorOp.Reduce reduce when !type.isFloating() -> reduced(reduce, type, first, sizes);
            default -> computed(op, type, inputs, shapes, output, sizes);
        };
    }

    private static Shape shape(OnnxConstant constant) {
        return new Shape(OnnxValue.sizes(constant.shape()));
    }

    /** Constants with no elements can only be joined and reshaped. */
    private static OnnxConstant joined(List<OnnxConstant> inputs, int axis, long... sizes) {
        int inner = 1;
        for (int i = axis + 1; i < sizes.length; i++) {
            inner *= (int) sizes[i];
        }
        int width = inputs.getFirst().type().width();
        OnnxConstant result = OnnxConstant.empty(inputs.getFirst().type(), sizes);
        int row = (int) sizes[axis] * inner * width;
        int outer = result.data().remaining() / row;
        int at = 0;
        for (OnnxConstant input : inputs) {
            int length = input.data().remaining() / outer;
            for (int i = 0; i < outer; i++) {
                result.data().put(i * row + at, input.data(), i * length, length);
            }
            at += length;
        }
        return result;
    }

    private static OnnxConstant moved(OnnxConstant from, Rearrangement places, long... sizes) {
        return from.moved(places(places), places.filler(), sizes);
    }

    /** For each element of the output, the place of the one that it takes, or below 0. */
    private static int[] places(Rearrangement rearrangement) {
        int[] places = {0};
        for (int[] offsets : rearrangement.offsets()) {
            int[] next = new int[places.length * offsets.length];
            for (int i = 0; i < places.length; i++) {
                for (int j = 0; j < offsets.length; j++) {
                    boolean there = places[i] >= 0 && offsets[j] != Rearrangement.NOTHING;
                    next[i * offsets.length + j] = there ? places[i] + offsets[j] : Rearrangement.NOTHING;
                }
            }
            places = next;
        }
        return places;
    }

    /** For each element of the output, the place in an input that is repeated. */
    private static IntUnaryOperator repeated(OnnxConstant input, Shape output) {
        Shape own = shape(input);
        if (own.features() == output.features()) {
            return i -> i;
        }
        if (input.count() == 1) {
            return _ -> 0;
        }
        int[] places = places(new TensorOp.Expand(output).of(own));
        return i -> places[i];
    }

    private static OnnxConstant mapped(TensorOp.Map map, Type type, OnnxConstant x) {
        if (type.isFloating()) {
            return OnnxConstant.decimals(type, i -> map.function().of(x.wide(i), map.a(), map.b()), x.shape());
        }
        boolean linear = map.function() == Pointwise.LINEAR;
        return OnnxConstant.integers(type, i -> linear
                ? (long) map.a() * x.integer(i) + (long) map.b()
                : (long) map.function().of(x.wide(i), map.a(), map.b()), x.shape());
    }

    private static OnnxConstant zipped(Pairwise function, Type type, List<OnnxConstant> inputs, Shape output,
            long... sizes) {
        OnnxConstant left = inputs.getFirst();
        OnnxConstant right = inputs.getLast();
        IntUnaryOperator leftPlace = repeated(left, output);
        IntUnaryOperator rightPlace = repeated(right, output);
        if (type.isFloating()) {
            return OnnxConstant.decimals(type, i -> function.of(left.wide(leftPlace.applyAsInt(i)),
                    right.wide(rightPlace.applyAsInt(i))), sizes);
        }
        if (left.type().isFloating() || right.type().isFloating()) {
            return OnnxConstant.integers(type, i -> (long) function.of(left.wide(leftPlace.applyAsInt(i)),
                    right.wide(rightPlace.applyAsInt(i))), sizes);
        }
        return OnnxConstant.integers(type, i -> whole(function, left.integer(leftPlace.applyAsInt(i)),
                right.integer(rightPlace.applyAsInt(i))), sizes);
    }

    private static long whole(Pairwise function, long x, long y) {
        return switch (function) {
            case ADD -> x + y;
            case SUBTRACT -> x - y;
            case MULTIPLY -> x * y;
            case DIVIDE, DIVIDE_INTEGERS -> x / checked(y);
            case MODULO -> Math.floorMod(x, checked(y));
            case REMAINDER -> x % checked(y);
            case MINIMUM -> Math.min(x, y);
            case MAXIMUM -> Math.max(x, y);
            case EQUAL -> x == y ? 1 : 0;
            case LESS -> x < y ? 1 : 0;
            case LESS_OR_EQUAL -> x <= y ? 1 : 0;
            case GREATER -> x > y ? 1 : 0;
            case GREATER_OR_EQUAL -> x >= y ? 1 : 0;
            case POWER, AND, OR, XOR -> (long) function.of(x, y);
        };
    }

    private static long checked(long divisor) {
        if (divisor == 0) {
            throw new IllegalArgumentException("divides an integer by zero");
        }
        return divisor;
    }

    private static OnnxConstant chosen(List<OnnxConstant> inputs, Shape output, long... sizes) {
        OnnxConstant condition = inputs.getFirst();
        IntUnaryOperator asked = repeated(condition, output);
        OnnxConstant[] from = {inputs.get(1), inputs.get(2)};
        IntUnaryOperator[] places = {repeated(from[0], output), repeated(from[1], output)};
        OnnxConstant result = OnnxConstant.empty(from[0].type(), sizes);
        int width = from[0].type().width();
        for (int i = 0; i < output.features(); i++) {
            int which = condition.wide(asked.applyAsInt(i)) != 0 ? 0 : 1;
            result.data().put(i * width, from[which].data(), places[which].applyAsInt(i) * width, width);
        }
        return result;
    }

    private static OnnxConstant reduced(TensorOp.Reduce op, Type type, OnnxConstant x, long... sizes) {
        Shape input = shape(x);
        Shape kept = new TensorOp.Reduce(op.function(), op.axes(), true).output(List.of(input));
        int[] into = places(new TensorOp.Expand(input).of(kept));
        long[] results = new long[kept.features()];
        int[] counts = new int[results.length];
        for (int i = 0; i < into.length; i++) {
            long value = x.integer(i);
            long before = results[into[i]];
            results[into[i]] = counts[into[i]]++ == 0 ? value : switch (op.function()) {
                case SUM, MEAN -> before + value;
                case PRODUCT -> before * value;
                case MAX -> Math.max(before, value);
                case MIN -> Math.min(before, value);
            };
        }
        boolean mean = op.function() == Reduction.MEAN;
        return OnnxConstant.integers(type, i -> mean ? results[i] / counts[i] : results[i], sizes);
    }

    /**
     * The elements at indices along an axis; negative ones count from the end.
     *
     * @param shape of the result
     * @throws IllegalArgumentException if there is no such index
     */
    OnnxConstant gathered(OnnxConstant x, int axis, OnnxConstant indices, long... shape) {
        int size = (int) x.shape()[axis];
        int inner = x.type().width();
        for (int i = axis + 1; i < x.shape().length; i++) {
            inner *= (int) x.shape()[i];
        }
        memory.take((long) OnnxConstant.count("a constant", shape) * x.type().width());
        OnnxConstant result = OnnxConstant.empty(x.type(), shape);
        int at = 0;
        while (at < result.data().remaining()) {
            int block = at / inner / indices.count() * size;
            for (int i = 0; i < indices.count(); i++) {
                long index = indices.integer(i);
                if (index < -size || index >= size) {
                    throw new IllegalArgumentException("looks up value " + index + " of " + size);
                }
                int place = block + (int) (index < 0 ? index + size : index);
                result.data().put(at, x.data(), place * inner, inner);
                at += inner;
            }
        }
        return result;
    }

    private OnnxConstant computed(TensorOp op, Type type, List<OnnxConstant> inputs, List<Shape> shapes, Shape output,
            long... sizes) {
        products += op.multiplyAdds(shapes);
        if (products > MAX_PRODUCTS) {
            throw new FormatException("the constants of the network take more than " + MAX_PRODUCTS
                    + " products to compute: simplify the file with another tool first");
        }
        Computation computation = Computation.of(op, shapes, Product.JAVA);
        memory.take((long) output.features() * Float.BYTES + computation.scratchBytes(1));
        float[] result = new float[output.features()];
        computation.forward(1,
                inputs.stream().map(input -> MemorySegment.ofArray(input.decimals())).toArray(MemorySegment[]::new),
                MemorySegment.ofArray(result),
                MemorySegment.ofArray(new float[Math.toIntExact(Math.ceilDiv(computation.scratchBytes(1), 4))]));
        OnnxConstant floats = OnnxConstant.of(result, sizes);
        return type.isFloating() ? floats.cast(type)
                : OnnxConstant.integers(type, i -> (long) result[i], sizes);
    }

    /** Whether two constants hold the same elements in the same shape. */
    static boolean same(OnnxConstant a, OnnxConstant b) {
        return a.type() == b.type() && Arrays.equals(a.shape(), b.shape()) && a.data().equals(b.data());
    }
}
