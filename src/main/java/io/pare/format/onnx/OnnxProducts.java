package io.pare.format.onnx;

import io.pare.net.CompressedTensor;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.Linear;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import io.pare.net.TensorOp;
import io.pare.net.TensorOp.Projection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Products of matrices, and biases that stand behind them as operators of their own. */
final class OnnxProducts {
    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        return OnnxOperator.all(Map.of("MatMul", OnnxProducts::matMul, "Gemm", OnnxProducts::gemm,
                OnnxRewriter.DOMAIN + "::MatMulNBits", OnnxProducts::matMulOfBits));
    }

    private OnnxProducts() {}

    private static OnnxValue matMul(OnnxCall in) {
        OnnxValue left = in.value(0);
        OnnxValue right = in.value(1);
        if (left.rank() == 0 || right.rank() == 0) {
            throw in.refuse("multiplies values of shapes " + left.sizes() + " and " + right.sizes());
        }
        OnnxValue rows = left.rank() > 1 ? left : OnnxShapes.with(in, left, 0);
        OnnxValue columns = right.rank() > 1 ? right : OnnxShapes.with(in, right, 1);
        OnnxValue product = product(in, rows, columns);
        OnnxValue narrow = right.rank() > 1 ? product : OnnxShapes.without(in, product, product.rank() - 1);
        return left.rank() > 1 ? narrow
                : OnnxShapes.without(in, narrow, narrow.rank() - (right.rank() > 1 ? 2 : 1));
    }

    /** ONNX Runtime's product with a matrix of integers, which share a scale and a zero in blocks. */
    private static OnnxValue matMulOfBits(OnnxCall in) {
        OnnxValue x = in.value(0);
        int depth = in.node().small("K", in.node().integer("K", 0));
        int out = in.node().small("N", in.node().integer("N", 0));
        in.node().any("accuracy_level");
        in.node().any("weight_prepacked");
        float[] weight =
                OnnxQuantization.packed(in, in.constant(1), in.constant(2), in.optionalConstant(3), out, depth);
        if (x.rank() == 0 || x.isConstant() || x.batch() == x.rank() - 1) {
            throw in.refuse("multiplies a value of shape " + x.sizes());
        }
        OnnxConstant bias = in.optionalConstant(5);
        return linear(in, x, weight, out,
                bias != null ? spread(bias, out, 1) : isBiased(in) ? new float[out] : null);
    }

    private static OnnxValue product(OnnxCall in, OnnxValue left, OnnxValue right) {
        if (!left.isConstant() && right.isConstant() && right.rank() == 2 && right.batch() < 0) {
            if (left.batch() == left.rank() - 1) {
                throw in.acrossSamples();
            }
            return linear(in, left, transposed(right.constant(), right.size(0), right.size(1)),
                    right.size(1), isBiased(in) ? new float[right.size(1)] : null);
        }
        OnnxCall.Meeting meeting = in.meet(List.of(left, right));
        for (OnnxValue value : meeting.values()) {
            if (value.batch() >= value.rank() - 2) {
                throw in.acrossSamples();
            }
        }
        return in.apply("matmul", new TensorOp.MatMul(), left.type(), meeting.batch(), meeting.values());
    }

    /**
     * A linear layer along the last axis.
     *
     * @param weight {@code [out, in]}
     * @param bias null if there is none
     */
    private static OnnxValue linear(OnnxCall in, OnnxValue x, float[] weight, int out, float[] bias) {
        int width = x.size(x.rank() - 1);
        int features = weight.length / Math.max(1, out);
        if (features != width) {
            throw in.refuse("multiplies values of shape " + x.sizes() + " by a matrix of " + features + " rows");
        }
        if (x.sample().size() == 1) {
            return in.layer("fc", new Linear(width, out), x, weight, bias == null ? new float[out] : bias);
        }
        return bias == null ? in.layer("fc", new Projection(width, out, false), x, weight)
                : in.layer("fc", new Projection(width, out, true), x, weight, bias);
    }

    /** Whether a bias follows as an addition. */
    private static boolean isBiased(OnnxCall in) {
        OnnxNode reader = in.reader();
        return reader != null && reader.operator().equals("Add") && reader.inputs().size() == 2
                && reader.inputs().stream().anyMatch(in::isConstant);
    }

    /** A matrix with rows as columns. */
    static float[] transposed(OnnxConstant matrix, int rows, int columns) {
        float[] transposed = new float[matrix.count()];
        int block = 32;
        float[] some = new float[Math.min(rows, block) * columns];
        for (int r = 0; r < rows; r += block) {
            int count = Math.min(rows - r, block);
            matrix.decimals(r * columns, some, count * columns);
            for (int c = 0; c < columns; c += block) {
                transpose(some, count, columns, c, Math.min(columns, c + block), transposed, r, rows);
            }
        }
        return transposed;
    }

    /** Columns of some rows, by a call of its own, so that the first ones alone run interpreted. */
    private static void transpose(float[] some, int count, int columns, int c0, int c1, float[] into, int at,
            int rows) {
        for (int r = 0; r < count; r++) {
            for (int c = c0; c < c1; c++) {
                into[c * rows + at + r] = some[r * columns + c];
            }
        }
    }

    private static OnnxValue gemm(OnnxCall in) {
        OnnxValue a = in.value(0);
        OnnxValue b = in.value(1);
        OnnxValue c = in.optional(2);
        float alpha = in.node().decimal("alpha", 1);
        float beta = in.node().decimal("beta", 1);
        boolean transA = in.node().integer("transA", 0) != 0;
        boolean transB = in.node().integer("transB", 0) != 0;
        in.node().any("broadcast");
        if (a.rank() != 2 || b.rank() != 2) {
            throw in.refuse("multiplies values of shapes " + a.sizes() + " and " + b.sizes()
                    + "; matrices are needed");
        }
        OnnxValue left = transA ? OnnxShapes.transposed(in, a, 1, 0) : a;
        boolean layer = !left.isConstant() && left.batch() < 1 && b.isConstant() && b.batch() < 0;
        int out = b.size(transB ? 0 : 1);
        float[] bias = c == null || beta == 0 ? new float[out] : perOutput(c, out, beta);
        OnnxValue product;
        if (layer) {
            float[] weight = transB ? b.constant().decimals()
                    : transposed(b.constant(), b.size(0), b.size(1));
            for (int i = 0; alpha != 1 && i < weight.length; i++) {
                weight[i] *= alpha;
            }
            product = linear(in, left, weight, out, bias == null ? new float[out] : bias);
        } else {
            product = product(in, left, transB ? OnnxShapes.transposed(in, b, 1, 0) : b);
            product = alpha == 1 ? product : OnnxFunctions.map(in, product, Pointwise.LINEAR, alpha, 0);
        }
        if (c == null || beta == 0 || layer && bias != null) {
            return product;
        }
        return OnnxFunctions.zip(in, Pairwise.ADD, product,
                beta == 1 ? c : OnnxFunctions.map(in, c, Pointwise.LINEAR, beta, 0));
    }

    /** A constant as one value for each output; null if it is none. */
    private static float[] perOutput(OnnxValue c, int out, float beta) {
        boolean fits = c.isConstant() && c.batch() < 0 && c.rank() <= 2 && (c.constant().count() == 1
                || c.constant().count() == out && c.rank() > 0 && c.size(c.rank() - 1) == out);
        return fits ? spread(c.constant(), out, beta) : null;
    }

    private static float[] spread(OnnxConstant values, int out, float factor) {
        float[] all = new float[out];
        float[] given = values.decimals();
        for (int i = 0; i < out; i++) {
            all[i] = factor * given[given.length == 1 ? 0 : i];
        }
        return all;
    }

    /** A sum of a layer's output and a constant for each of its outputs as that layer's bias; null if it is no such sum. */
    static OnnxValue biased(OnnxCall in, List<OnnxValue> values) {
        int constant = values.getFirst().isConstant() ? 0 : 1;
        OnnxValue x = values.get(constant ^ 1);
        OnnxValue c = values.get(constant);
        if (x.isConstant() || !c.isConstant() || c.rank() > x.rank() || !in.readsAlone(constant ^ 1)) {
            return null;
        }
        OnnxDraft.Step step = in.step(x);
        int fromEnd = switch (step.op()) {
            case Conv2d conv when conv.bias() -> 3;
            case Linear _ -> 1;
            case Projection projection when projection.bias() -> 1;
            default -> 0;
        };
        if (fromEnd == 0 || c.constant().count() == 0) {
            return null;
        }
        OnnxValue own = in.meet(List.of(x, c)).values().getLast();
        List<Integer> sample = own.sample();
        int out = step.op().output(List.of(in.draft().step(step.inputs().getFirst()).output())).sizes()
                .get(fromEnd == 1 ? x.sample().size() - 1 : 0);
        int count = own.constant().count();
        boolean fits = count == 1
                || count == out && sample.size() >= fromEnd && sample.get(sample.size() - fromEnd) == out;
        if (!fits) {
            return null;
        }
        float[] bias = step.tensors().getLast().toArray();
        float[] added = spread(own.constant(), out, 1);
        for (int i = 0; i < out; i++) {
            bias[i] += added[i];
        }
        List<CompressedTensor> tensors = new ArrayList<>(step.tensors());
        tensors.set(tensors.size() - 1, in.draft().tensor("bias", bias, out));
        in.draft().replace(x.place(), step.kind(), step.op(), step.inputs(), tensors);
        return x;
    }

    /** Values of which all are one: a scale that does nothing. */
    static float[] ones(int count) {
        float[] ones = new float[count];
        Arrays.fill(ones, 1);
        return ones;
    }
}
