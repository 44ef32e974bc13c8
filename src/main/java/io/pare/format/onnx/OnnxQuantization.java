package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;

/** Integers of few bits that stand for floats, and back: computed as ONNX says, in floats. */
final class OnnxQuantization {
    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        return OnnxOperator.all(Map.of("QuantizeLinear", OnnxQuantization::quantize, "DequantizeLinear",
                OnnxQuantization::dequantize));
    }

    private OnnxQuantization() {}

    private static OnnxValue quantize(OnnxCall in) {
        in.node().any("saturate");
        in.node().only("block_size", 0);
        OnnxValue x = in.value(0);
        OnnxValue zero = in.optional(2);
        Type type = zero != null ? zero.type()
                : in.node().has("output_dtype") ? type(in, in.node().integer("output_dtype", 0)) : Type.UINT8;
        in.node().any("output_dtype");
        OnnxValue steps = OnnxFunctions.map(in, OnnxFunctions.zip(in, Pairwise.DIVIDE, x, spread(in, in.value(1), x)),
                Pointwise.ROUND, 0, 0);
        OnnxValue moved = zero == null ? steps
                : OnnxFunctions.zip(in, Pairwise.ADD, steps, spread(in, OnnxFunctions.cast(in, zero, Type.FLOAT), x));
        float least = isSigned(in, type) ? -Math.scalb(1f, 8 * type.width() - 1) : 0;
        float most = least + Math.scalb(1f, 8 * type.width()) - 1;
        if (!x.isConstant()) {
            in.note("values are rounded where the file quantises them: training has no gradient through that");
        }
        OnnxValue clipped = OnnxFunctions.map(in, moved, Pointwise.CLIP, least, most);
        return clipped.isConstant() ? OnnxFunctions.cast(in, clipped, type) : clipped.as(type);
    }

    private static Type type(OnnxCall in, long code) {
        Type type = Type.of(code);
        if (type == null) {
            throw in.refuse("makes elements of ONNX's type " + code + ", which Pare does not read");
        }
        return type;
    }

    private static boolean isSigned(OnnxCall in, Type type) {
        return switch (type) {
            case INT8, INT16 -> true;
            case UINT8, UINT16 -> false;
            case INT4, UINT4 -> throw in.refuse("makes elements of 4 bits, which Pare does not compute");
            case FLOAT, FLOAT16, DOUBLE, BFLOAT16, INT32, INT64, UINT32, UINT64, BOOL ->
                    throw in.refuse("makes elements of type " + type + ", which ONNX does not know here");
        };
    }

    private static OnnxValue dequantize(OnnxCall in) {
        OnnxValue x = in.value(0);
        OnnxValue scale = in.value(1);
        OnnxValue zero = in.optional(2);
        if (x.isConstant()) {
            in.note("weights that the file keeps as integers are read as the floats for which they stand");
        }
        long block = in.node().integer("block_size", 0);
        if (block != 0) {
            return blocks(in, block);
        }
        OnnxValue floats = OnnxFunctions.cast(in, x, Type.FLOAT);
        OnnxValue moved = zero == null ? floats : OnnxFunctions.zip(in, Pairwise.SUBTRACT, floats,
                spread(in, OnnxFunctions.cast(in, zero, Type.FLOAT), x));
        return OnnxFunctions.zip(in, Pairwise.MULTIPLY, moved, spread(in, scale, x));
    }

    /**
     * A matrix of integers as ONNX Runtime packs them: codes of a row one after another, the first of two in the lower half of a
     * byte, and a scale and a zero for each block of a row.
     *
     * @param zero null for the middle of the range
     */
    static float[] packed(OnnxCall in, OnnxConstant codes, OnnxConstant scales, OnnxConstant zero, int rows,
            int columns) {
        int bits = in.node().small("bits", in.node().integer("bits", 4));
        int size = in.node().small("block_size", in.node().integer("block_size", 128));
        int blocks = size < 1 ? 0 : Math.ceilDiv(columns, size);
        boolean fits = (bits == 4 || bits == 8) && blocks > 0 && rows > 0 && scales.count() == (long) rows * blocks
                && codes.type() != Type.FLOAT;
        int byRow = fits ? codes.count() / rows : 0;
        boolean bytes = codes.type() == Type.UINT8;
        int width = bytes ? byRow * 8 / Math.max(1, bits) : byRow;
        int zerosByRow = zero == null || !fits ? 0 : zero.count() / rows;
        boolean packedZeros = zero != null && zero.type() == Type.UINT8 && bits == 4;
        if (!fits || width < columns || byRow * rows != codes.count()
                || zero != null && (packedZeros ? 2 * zerosByRow : zerosByRow) < blocks) {
            throw in.refuse("has codes of shape " + Arrays.toString(codes.shape()) + " and scales of shape "
                    + Arrays.toString(scales.shape()) + " for " + rows + " rows of " + columns + " values of " + bits
                    + " bits in blocks of " + size);
        }
        boolean halves = bytes && bits == 4;
        int middle = codes.type() == Type.INT4 || codes.type() == Type.INT8 ? 0 : 1 << bits - 1;
        in.memory().make((long) rows * columns * Float.BYTES);
        float[] values = new float[Math.multiplyExact(rows, columns)];
        for (int i = 0; i < values.length; i++) {
            int row = i / columns;
            int column = i % columns;
            int block = column / size;
            long code = halves
                    ? codes.integer(row * byRow + column / 2) >> column % 2 * 4 & 0xf
                    : codes.integer(row * byRow + column);
            long origin = zero == null ? middle
                    : packedZeros
                            ? zero.integer(row * zerosByRow + block / 2) >> block % 2 * 4 & 0xf
                            : zero.integer(row * zerosByRow + block);
            values[i] = (code - origin) * scales.decimal(row * blocks + block);
        }
        return values;
    }

    /** Constants of which neighbours along an axis share a scale and a zero. */
    private static OnnxValue blocks(OnnxCall in, long size) {
        OnnxConstant x = in.constant(0);
        OnnxConstant scale = in.constant(1);
        OnnxConstant zero = in.optionalConstant(2);
        int axis = in.axis(in.node().integer("axis", 1), x.shape().length);
        long[] expected = x.shape().clone();
        expected[axis] = Math.ceilDiv(expected[axis], Math.max(1, size));
        if (size < 1 || !Arrays.equals(scale.shape(), expected)
                || zero != null && !Arrays.equals(zero.shape(), expected)) {
            throw in.refuse("has blocks of " + size + " and scales of shape " + Arrays.toString(scale.shape())
                    + " for values of shape " + Arrays.toString(x.shape()));
        }
        in.memory().make((long) x.count() * Float.BYTES);
        int inner = 1;
        for (int i = axis + 1; i < expected.length; i++) {
            inner *= (int) expected[i];
        }
        int length = (int) x.shape()[axis];
        float[] values = new float[x.count()];
        for (int i = 0; i < values.length; i++) {
            int block =
                    (i / inner / length * (int) expected[axis] + i / inner % length / (int) size) * inner + i % inner;
            long moved = x.integer(i) - (zero == null ? 0 : zero.integer(block));
            values[i] = moved * scale.decimal(block);
        }
        return OnnxValue.of(OnnxConstant.of(values, x.shape()));
    }

    /** One number, or one for each index of an axis, so that it meets a value. */
    private static OnnxValue spread(OnnxCall in, OnnxValue numbers, OnnxValue x) {
        long given = in.node().integer("axis", 1);
        if (numbers.rank() == 0 || numbers.isNumber()) {
            return OnnxShapes.without(in, numbers, IntStream.range(0, numbers.rank()).toArray());
        }
        int axis = in.axis(x, given);
        if (numbers.rank() != 1 || numbers.size(0) != x.size(axis)) {
            throw in.refuse("has scales of shape " + numbers.sizes() + " for values of shape " + x.sizes());
        }
        return OnnxShapes.with(in, numbers, IntStream.range(1, x.rank() - axis).toArray());
    }
}
