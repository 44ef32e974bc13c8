package io.pare.format.onnx;

import io.pare.net.CompressedTensor;
import io.pare.net.Op;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import io.pare.net.Reduction;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.TensorOp.LayerNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Finds what a file spells out as many operators where a network has one: layer normalisation, and the functions GELU,
 * SiLU, hard sigmoid, hard swish and Mish.
 *
 * <p>The step at the end of a pattern is replaced. Those before it stay for others that read them, and are left out of the
 * network if nobody does.
 */
final class OnnxPatterns {
    /** Files round the numbers of the formulas to three digits or more. */
    private static final double ROUNDING = 1e-3;

    private final OnnxDraft draft;

    OnnxPatterns(OnnxDraft draft) {
        this.draft = draft;
    }

    /** Replaces all patterns. */
    void replace() {
        for (int place = 1; place < draft.size(); place++) {
            product(place);
            hardSigmoid(place);
            normalization(place);
            scaled(place);
            shifted(place);
        }
    }

    // Steps.

    private Op op(int place) {
        return draft.step(place).op();
    }

    private int input(int place, int index) {
        return draft.step(place).inputs().get(index);
    }

    /** The input of a step that applies that function; below 0 if it is another. */
    private int under(int place, Pointwise function) {
        return place >= 0 && op(place) instanceof TensorOp.Map map && map.function() == function ? input(place, 0) : -1;
    }

    /** The input of a step that computes about {@code a} x + {@code b}. */
    private int underLine(int place, double a, double b) {
        int input = under(place, Pointwise.LINEAR);
        return input >= 0 && near(((TensorOp.Map) op(place)).a(), a) && near(((TensorOp.Map) op(place)).b(), b)
                ? input
                : -1;
    }

    private int underSigmoid(int place) {
        return op(place) instanceof Op.Sigmoid ? input(place, 0) : -1;
    }

    private static boolean near(double value, double wanted) {
        return Math.abs(value - wanted) <= ROUNDING * Math.max(1e-2, Math.abs(wanted));
    }

    private boolean isZip(int place, Pairwise function) {
        return op(place) instanceof TensorOp.Zip(Pairwise own) && own == function
                || function == Pairwise.ADD && op(place) instanceof Op.Add;
    }

    private boolean is(int place, TensorOp.Map map) {
        return op(place) instanceof TensorOp.Map own && own.function() == map.function() && near(own.a(), map.a())
                && near(own.b(), map.b());
    }

    private void become(int place, String kind, TensorOp op, int from, CompressedTensor... tensors) {
        draft.replace(place, kind, op, List.of(from), List.of(tensors));
    }

    // Functions of x.

    /** A number times values of one shape. */
    private record Product(double scale, List<Integer> factors) {}

    private Product factors(int place) {
        List<Integer> factors = new ArrayList<>();
        return new Product(factors(place, factors), factors);
    }

    private double factors(int place, List<Integer> into) {
        Op op = op(place);
        if (op instanceof TensorOp.Map map && map.function() == Pointwise.LINEAR && map.b() == 0) {
            return map.a() * factors(input(place, 0), into);
        }
        if (isZip(place, Pairwise.MULTIPLY) && into.size() < 4) {
            return factors(input(place, 0), into) * factors(input(place, 1), into);
        }
        into.add(place);
        return 1;
    }

    /** Products of x and a function of x. */
    private void product(int place) {
        if (!isZip(place, Pairwise.MULTIPLY) && under(place, Pointwise.LINEAR) < 0) {
            return;
        }
        // What is multiplied may itself be a product.
        Product direct = isZip(place, Pairwise.MULTIPLY) ? new Product(1, draft.step(place).inputs()) : null;
        if (direct == null || !gated(place, direct)) {
            gated(place, factors(place));
        }
    }

    private boolean gated(int place, Product product) {
        if (product.factors.size() != 2) {
            return false;
        }
        for (int i = 0; i < 2; i++) {
            int x = product.factors.get(i);
            TensorOp.Map gated = gated(x, product.factors.get(1 - i), product.scale);
            if (gated != null) {
                become(place, OnnxFunctions.kind(gated.function().name()), gated, x);
                return true;
            }
        }
        return false;
    }

    /** The function that {@code scale} times x times a gate is; null if it is none of Pare's. */
    private TensorOp.Map gated(int x, int gate, double scale) {
        if (near(scale, 0.5)) {
            int error = under(underLine(gate, 1, 1), Pointwise.ERF);
            if (error >= 0 && isScaled(error, x, Math.sqrt(0.5))) {
                return TensorOp.Map.of(Pointwise.GELU);
            }
            int tangent = under(underLine(gate, 1, 1), Pointwise.TANH);
            if (tangent >= 0 && isCubic(tangent, x)) {
                return TensorOp.Map.of(Pointwise.GELU_TANH);
            }
        }
        if (near(scale, 1.0 / 6) && isClippedLine(gate, x)) {
            return new TensorOp.Map(Pointwise.HARD_SWISH, 1f / 6, 0.5f);
        }
        if (!near(scale, 1)) {
            return null;
        }
        if (underSigmoid(gate) == x) {
            return TensorOp.Map.of(Pointwise.SWISH);
        }
        if (under(gate, Pointwise.HARD_SIGMOID) == x) {
            TensorOp.Map line = (TensorOp.Map) op(gate);
            return new TensorOp.Map(Pointwise.HARD_SWISH, line.a(), line.b());
        }
        return isSoftplus(under(gate, Pointwise.TANH), x) ? TensorOp.Map.of(Pointwise.MISH) : null;
    }

    private boolean isScaled(int place, int x, double scale) {
        Product product = factors(place);
        return near(product.scale, scale) && product.factors.equals(List.of(x));
    }

    /** Whether a step computes sqrt(2 / pi) (x + 0.044715 x^3). */
    private boolean isCubic(int place, int x) {
        Product product = factors(place);
        if (!near(product.scale, Math.sqrt(2 / Math.PI))) {
            return false;
        }
        if (product.factors.size() == 1) {
            int sum = product.factors.getFirst();
            return isZip(sum, Pairwise.ADD) && (input(sum, 0) == x && isPower(input(sum, 1), x, 3, 0.044715)
                    || input(sum, 1) == x && isPower(input(sum, 0), x, 3, 0.044715));
        }
        int other = product.factors.getFirst() == x ? product.factors.getLast() : product.factors.getFirst();
        int square = underLine(other, 1, 1);
        return product.factors.size() == 2 && product.factors.contains(x)
                && (square >= 0 && isPower(square, x, 2, 0.044715)
                        || underLine(other, 0.044715, 1) >= 0 && isPower(input(other, 0), x, 2, 1));
    }

    /** Whether a step computes {@code scale} times a power of x, by that function or by products. */
    private boolean isPower(int place, int x, int exponent, double scale) {
        Product product = factors(place);
        int sum = 0;
        for (int factor : product.factors) {
            int base = under(factor, Pointwise.POWER);
            if (factor != x && base != x) {
                return false;
            }
            sum += factor == x ? 1 : Math.round(((TensorOp.Map) op(factor)).a());
        }
        return sum == exponent && near(product.scale, scale);
    }

    private boolean isSoftplus(int place, int x) {
        return place >= 0 && (under(place, Pointwise.SOFTPLUS) == x
                || under(underLine(under(place, Pointwise.LOG), 1, 1), Pointwise.EXP) == x);
    }

    /** Whether a step computes x + 3, from 0 to 6. */
    private boolean isClippedLine(int place, int x) {
        return is(place, new TensorOp.Map(Pointwise.CLIP, 0, 6)) && underLine(input(place, 0), 1, 3) == x;
    }

    private void hardSigmoid(int place) {
        int clipped = underLine(place, 1.0 / 6, 0);
        if (clipped >= 0 && is(clipped, new TensorOp.Map(Pointwise.CLIP, 0, 6))) {
            int x = underLine(input(clipped, 0), 1, 3);
            if (x >= 0) {
                become(place, "hardsigmoid", new TensorOp.Map(Pointwise.HARD_SIGMOID, 1f / 6, 0.5f), x);
            }
        }
    }

    // Layer normalisation.

    /** x less its mean, over the square root of the mean of its squares and epsilon. */
    private void normalization(int place) {
        boolean divided = isZip(place, Pairwise.DIVIDE);
        if (!divided && !isZip(place, Pairwise.MULTIPLY)) {
            return;
        }
        for (int side = 0; side < (divided ? 1 : 2); side++) {
            int centred = input(place, side);
            int other = input(place, 1 - side);
            int variance = divided ? under(other, Pointwise.SQRT)
                    : under(under(other, Pointwise.RECIPROCAL), Pointwise.SQRT);
            List<Integer> axes = centredAlong(centred);
            int squares = variance < 0 || axes == null ? -1 : under(variance, Pointwise.LINEAR);
            if (squares >= 0 && ((TensorOp.Map) op(variance)).a() == 1
                    && op(squares) instanceof TensorOp.Reduce(Reduction function, List<Integer> over, boolean keeps)
                    && function == Reduction.MEAN && keeps && over.equals(axes)
                    && isSquare(input(squares, 0), centred)) {
                int x = input(centred, 0);
                Shape shape = draft.step(x).output();
                List<Integer> sizes = shape.sizes().subList(axes.getFirst(), shape.rank());
                int count = new Shape(sizes).features();
                long[] whole = sizes.stream().mapToLong(Integer::longValue).toArray();
                become(place, "layernorm", new LayerNorm(sizes, ((TensorOp.Map) op(variance)).b()), x,
                        draft.tensor("weight", OnnxProducts.ones(count), whole),
                        draft.tensor("bias", new float[count], whole));
                return;
            }
        }
    }

    /** The last axes along which a step takes off the mean of its first input; null if it does not. */
    private List<Integer> centredAlong(int place) {
        if (!isZip(place, Pairwise.SUBTRACT) || !(op(input(place, 1)) instanceof TensorOp.Reduce mean)
                || mean.function() != Reduction.MEAN || !mean.keeps()
                || input(input(place, 1), 0) != input(place, 0)) {
            return null;
        }
        int rank = draft.step(place).output().rank();
        List<Integer> last = IntStream.range(rank - mean.axes().size(), rank).boxed().toList();
        return mean.axes().equals(last) ? last : null;
    }

    /** Whether a step squares what another one computes, which the file may compute twice. */
    private boolean isSquare(int place, int x) {
        boolean power = under(place, Pointwise.POWER) >= 0 && ((TensorOp.Map) op(place)).a() == 2;
        boolean product = isZip(place, Pairwise.MULTIPLY) && input(place, 0) == input(place, 1);
        return (power || product) && (input(place, 0) == x || draft.step(input(place, 0)).op().equals(op(x))
                && draft.step(input(place, 0)).inputs().equals(draft.step(x).inputs()));
    }

    /** A scale behind a normalisation. */
    private void scaled(int place) {
        if (isZip(place, Pairwise.MULTIPLY)) {
            for (int side = 0; side < 2; side++) {
                int norm = input(place, side);
                float[] scale = constant(input(place, 1 - side), norm);
                if (scale != null) {
                    float[] weight = draft.step(norm).tensors().getFirst().toArray();
                    float[] bias = draft.step(norm).tensors().getLast().toArray();
                    for (int i = 0; i < scale.length; i++) {
                        weight[i] *= scale[i];
                        bias[i] *= scale[i];
                    }
                    renew(place, norm, weight, bias);
                    return;
                }
            }
        }
    }

    /** A shift behind a normalisation. */
    private void shifted(int place) {
        if (isZip(place, Pairwise.ADD)) {
            for (int side = 0; side < 2; side++) {
                int norm = input(place, side);
                float[] shift = constant(input(place, 1 - side), norm);
                if (shift != null) {
                    float[] bias = draft.step(norm).tensors().getLast().toArray();
                    for (int i = 0; i < shift.length; i++) {
                        bias[i] += shift[i];
                    }
                    renew(place, norm, draft.step(norm).tensors().getFirst().toArray(), bias);
                    return;
                }
            }
        }
    }

    /** A constant with a value for each place that a normalisation scales; null if the two are not such. */
    private float[] constant(int constant, int norm) {
        if (!(op(norm) instanceof LayerNorm(List<Integer> sizes, float _))
                || !(op(constant) instanceof TensorOp.Constant)) {
            return null;
        }
        Shape shape = draft.step(constant).output();
        int extra = shape.rank() - sizes.size();
        boolean fits = extra >= 0 && extra <= draft.step(norm).output().rank() - sizes.size()
                && shape.sizes().subList(extra, shape.rank()).equals(sizes)
                && shape.sizes().subList(0, extra).stream().allMatch(size -> size == 1);
        return fits ? draft.step(constant).tensors().getFirst().toArray() : null;
    }

    private void renew(int place, int norm, float[] weight, float[] bias) {
        LayerNorm op = (LayerNorm) op(norm);
        long[] shape = op.sizes().stream().mapToLong(Integer::longValue).toArray();
        become(place, "layernorm", op, input(norm, 0), draft.tensor("weight", weight, shape),
                draft.tensor("bias", bias, shape));
    }
}
