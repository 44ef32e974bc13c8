package io.pare.format.onnx;

import io.pare.net.Op;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import io.pare.net.Reduction;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Normalisations and other operators with parameters of their own. */
final class OnnxLayers {
    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        Map<String, OnnxOperator.Single> table = new HashMap<>();
        table.put("InstanceNormalization", OnnxLayers::instanceNormalization);
        table.put("GroupNormalization", OnnxLayers::groupNormalization);
        table.put("LRN", OnnxLayers::responseNormalization);
        table.put("PRelu", OnnxLayers::prelu);
        Map<String, OnnxOperator> operators = OnnxOperator.all(table);
        operators.put("BatchNormalization", OnnxLayers::batchNormalization);
        operators.put("LayerNormalization", OnnxLayers::layerNormalization);
        operators.put("Dropout", OnnxLayers::dropout);
        return operators;
    }

    private OnnxLayers() {}

    /**
     * A value as images.
     *
     * @param images with sizes [samples, channels, height, width], or [samples, features]
     * @param from the value that it was
     */
    record Images(OnnxValue images, OnnxValue from) {
        static Images of(OnnxCall in, OnnxValue x) {
            int rank = x.rank();
            boolean batched = x.batch() == 0 || x.batch() < 0 && rank > 0 && x.size(0) == 1;
            if (rank < 2 || !batched) {
                throw in.refuse("takes images, or vectors, of single samples and is given values of shape "
                        + x.sizes());
            }
            List<Integer> sizes = x.sizes().subList(1, rank);
            List<Integer> sample = switch (sizes.size()) {
                case 1, 3 -> sizes;
                case 2 -> List.of(sizes.getFirst(), 1, sizes.getLast());
                default -> List.of(sizes.getFirst(), sizes.get(1),
                        Math.toIntExact(OnnxCall.product(sizes, 2, sizes.size())));
            };
            OnnxValue same = in.reshaped(x, sample, -1);
            List<Integer> whole = new ArrayList<>(sample);
            whole.add(0, x.size(0));
            return new Images(OnnxValue.computed(in.place(same), x.type(), whole, 0), x);
        }

        /** What an operator gave for the images, in the shape that it has in ONNX. */
        OnnxValue back(OnnxCall in, OnnxValue result) {
            List<Integer> sample = new ArrayList<>(result.sample());
            if (from.rank() == 3) {
                sample.remove(1);
            }
            if (from.batch() < 0) {
                sample.add(0, 1);
            }
            return in.reshaped(result, sample, from.batch());
        }
    }

    private static List<OnnxValue> batchNormalization(OnnxCall in) {
        in.node().only("spatial", 1);
        in.node().only("is_test", 1);
        in.node().any("momentum", "consumed_inputs");
        return in.node().integer("training_mode", 0) == 0 ? List.of(trained(in)) : training(in);
    }

    /** By the statistics of the samples at hand; then what running mean and variance become. */
    private static List<OnnxValue> training(OnnxCall in) {
        OnnxValue x = in.value(0);
        if (x.batch() >= 0) {
            throw in.acrossSamples("has training_mode 1 and ");
        }
        int channels = channels(in, x);
        int[] others = IntStream.range(0, x.rank()).filter(axis -> axis != 1).toArray();
        Moments moments = Moments.of(in, x, IntStream.of(others).boxed().toList());
        OnnxValue normal = moments.standardised(in, in.node().decimal("epsilon", 1e-5f));
        OnnxValue scaled = OnnxFunctions.zip(in, Pairwise.MULTIPLY, normal, perChannel(in, 1, x, channels));
        return List.of(OnnxFunctions.zip(in, Pairwise.ADD, scaled, perChannel(in, 2, x, channels)),
                running(in, in.value(3), OnnxShapes.without(in, moments.mean(), others)),
                running(in, in.value(4), OnnxShapes.without(in, moments.variance(), others)));
    }

    private static OnnxValue perChannel(OnnxCall in, int index, OnnxValue x, int channels) {
        OnnxValue value = in.value(index);
        if (!value.sizes().equals(List.of(channels))) {
            throw in.refuse("has values of shape " + value.sizes() + " for " + channels + " channels");
        }
        return OnnxShapes.with(in, value, IntStream.range(1, x.rank() - 1).toArray());
    }

    private static OnnxValue running(OnnxCall in, OnnxValue before, OnnxValue now) {
        float momentum = in.node().decimal("momentum", 0.9f);
        return OnnxFunctions.zip(in, Pairwise.ADD, OnnxFunctions.map(in, before, Pointwise.LINEAR, momentum, 0),
                OnnxFunctions.map(in, now, Pointwise.LINEAR, 1 - momentum, 0));
    }

    private static OnnxValue trained(OnnxCall in) {
        OnnxValue x = in.value(0);
        Images images = Images.of(in, x);
        OnnxValue pictures = images.images();
        OnnxValue result = in.layer("bn", new Op.BatchNorm(x.size(1), in.node().decimal("epsilon", 1e-5f)), pictures,
                in.constant(1).decimals(), in.constant(2).decimals(), in.constant(3).decimals(),
                in.constant(4).decimals());
        return x.rank() > 4 ? in.reshaped(result, x.sample(), x.batch()) : images.back(in, result);
    }

    /** The normalised values, then the mean and the reciprocal of the deviation that they were normalised by. */
    private static List<OnnxValue> layerNormalization(OnnxCall in) {
        OnnxValue x = in.value(0);
        int axis = in.axis(x, in.node().integer("axis", -1));
        float epsilon = in.node().decimal("epsilon", 1e-5f);
        in.node().any("stash_type");
        if (x.batch() >= axis) {
            throw in.acrossSamples();
        }
        List<Integer> sizes = x.sizes().subList(axis, x.rank());
        OnnxValue scale = in.value(1);
        OnnxValue shift = in.optional(2);
        if (in.node().outputs().size() == 1) {
            return List.of(normalised(in, x, sizes, epsilon, scale, shift));
        }
        Moments moments = Moments.of(in, x, sizes.size());
        return List.of(normalised(in, x, sizes, epsilon, scale, shift), moments.mean(),
                OnnxFunctions.map(in, moments.deviation(in, epsilon), Pointwise.RECIPROCAL, 0, 0));
    }

    private static OnnxValue normalised(OnnxCall in, OnnxValue x, List<Integer> sizes, float epsilon, OnnxValue scale,
            OnnxValue shift) {
        int count = Math.toIntExact(OnnxCall.product(sizes, 0, sizes.size()));
        boolean plain = !x.isConstant() && isWhole(scale, count) && (shift == null || isWhole(shift, count));
        TensorOp.LayerNorm norm = new TensorOp.LayerNorm(sizes, epsilon);
        if (plain) {
            return in.layer("layernorm", norm, x, scale.constant().decimals(),
                    shift == null ? new float[count] : shift.constant().decimals());
        }
        OnnxValue result = x.isConstant() ? Moments.of(in, x, sizes.size()).standardised(in, epsilon)
                : in.layer("layernorm", norm, x, OnnxProducts.ones(count), new float[count]);
        OnnxValue scaled = OnnxFunctions.zip(in, Pairwise.MULTIPLY, result, scale);
        return shift == null ? scaled : OnnxFunctions.zip(in, Pairwise.ADD, scaled, shift);
    }

    private static boolean isWhole(OnnxValue value, int count) {
        return value.isConstant() && value.batch() < 0 && value.constant().count() == count;
    }

    /** Mean of values, what they are beside it, and the mean of its squares, along some axes of a sample. */
    private record Moments(OnnxValue mean, OnnxValue centred, OnnxValue variance) {
        static Moments of(OnnxCall in, OnnxValue x, int last) {
            int rank = x.sample().size();
            return of(in, x, IntStream.range(rank - last, rank).boxed().toList());
        }

        static Moments of(OnnxCall in, OnnxValue x, List<Integer> axes) {
            TensorOp average = new TensorOp.Reduce(Reduction.MEAN, axes, true);
            OnnxValue mean = in.apply("mean", average, x);
            OnnxValue centred = OnnxFunctions.zip(in, Pairwise.SUBTRACT, x, mean);
            return new Moments(mean, centred,
                    in.apply("mean", average, OnnxFunctions.zip(in, Pairwise.MULTIPLY, centred, centred)));
        }

        OnnxValue deviation(OnnxCall in, float epsilon) {
            OnnxValue raised = OnnxFunctions.map(in, variance, Pointwise.LINEAR, 1, epsilon);
            return OnnxFunctions.map(in, raised, Pointwise.SQRT, 0, 0);
        }

        OnnxValue standardised(OnnxCall in, float epsilon) {
            return OnnxFunctions.zip(in, Pairwise.DIVIDE, centred, deviation(in, epsilon));
        }
    }

    private static OnnxValue instanceNormalization(OnnxCall in) {
        in.node().any("consumed_inputs");
        OnnxValue x = in.value(0);
        return groups(in, x, channels(in, x), in.constant(1).decimals(), in.constant(2).decimals());
    }

    private static OnnxValue groupNormalization(OnnxCall in) {
        in.node().any("stash_type");
        OnnxValue x = in.value(0);
        int groups = in.node().small("num_groups", in.node().integer("num_groups", 0));
        return groups(in, x, groups, each(in, 1, channels(in, x)), each(in, 2, channels(in, x)));
    }

    /** Before opset 21 there is one value for each group. */
    private static float[] each(OnnxCall in, int index, int channels) {
        float[] given = in.constant(index).decimals();
        if (given.length == 0 || channels % given.length != 0) {
            throw in.refuse("has " + given.length + " values for " + channels + " channels");
        }
        float[] all = new float[channels];
        for (int i = 0; i < channels; i++) {
            all[i] = given[i / (channels / given.length)];
        }
        return all;
    }

    private static int channels(OnnxCall in, OnnxValue x) {
        if (x.rank() < 2) {
            throw in.refuse("normalises channels, is given values of shape " + x.sizes());
        }
        return x.size(1);
    }

    private static OnnxValue groups(OnnxCall in, OnnxValue x, int groups, float[] scale, float[] shift) {
        boolean batched = x.batch() == 0 || x.batch() < 0 && x.size(0) == 1;
        if (!batched || x.isConstant()) {
            throw in.acrossSamples();
        }
        OnnxValue sample = in.reshaped(x, x.sizes().subList(1, x.rank()), -1);
        OnnxValue norm = in.layer("groupnorm",
                new TensorOp.GroupNorm(x.size(1), groups, in.node().decimal("epsilon", 1e-5f)), sample, scale, shift);
        return in.reshaped(norm, x.sample(), x.batch());
    }

    private static OnnxValue responseNormalization(OnnxCall in) {
        Images images = Images.of(in, in.value(0));
        if (!in.node().has("size")) {
            throw in.refuse("has no size");
        }
        OnnxValue result = in.apply("norm", new Op.ResponseNorm(in.node().small("size", in.node().integer("size", 0)),
                in.node().decimal("alpha", 1e-4f), in.node().decimal("beta", 0.75f), in.node().decimal("bias", 1f)),
                images.images());
        return images.back(in, result);
    }

    private static OnnxValue prelu(OnnxCall in) {
        OnnxValue x = in.value(0);
        in.node().any("consumed_inputs");
        OnnxValue given = in.value(1);
        // Old files give one slope for each channel as a vector.
        boolean vector = in.opset() < 7 && given.rank() == 1 && x.rank() > 2;
        OnnxValue slope = vector
                ? OnnxShapes.with(in, given, IntStream.range(1, x.rank() - 1).toArray())
                : given;
        OnnxValue met = in.meet(List.of(x, slope)).values().getLast();
        if (met.isConstant() && !x.isConstant()) {
            return in.layer("prelu", new TensorOp.PRelu(met.shape()), x, met.constant().decimals());
        }
        OnnxValue above = OnnxFunctions.map(in, x, Pointwise.CLIP, 0, Float.MAX_VALUE);
        OnnxValue below = OnnxFunctions.map(in, x, Pointwise.CLIP, -Float.MAX_VALUE, 0);
        return OnnxFunctions.zip(in, Pairwise.ADD, above, OnnxFunctions.zip(in, Pairwise.MULTIPLY, below, slope));
    }

    /** The values as they are; then, for each, that it is there. */
    private static List<OnnxValue> dropout(OnnxCall in) {
        in.node().only("is_test", 1);
        in.node().any("seed", "consumed_inputs");
        OnnxValue x = in.value(0);
        OnnxConstant ratio = in.optionalConstant(1);
        OnnxConstant training = in.optionalConstant(2);
        float rate = ratio != null && ratio.count() == 1 ? ratio.decimal(0) : in.node().decimal("ratio", 0.5f);
        if (training != null && (training.count() != 1 || training.decimal(0) != 0) && rate != 0) {
            throw in.refuse("has training_mode true, Pare reads networks that are trained");
        }
        OnnxValue result =
                x.isConstant() ? x : in.apply("drop", new Op.Dropout(rate >= 0 && rate < 1 ? rate : 0.5f), x);
        if (in.node().outputs().size() == 1) {
            return List.of(result);
        }
        long[] shape = x.sample().stream().mapToLong(Integer::longValue).toArray();
        float[] ones = OnnxProducts.ones(OnnxConstant.count("the mask", shape));
        OnnxConstant mask = OnnxConstant.of(ones, shape).cast(OnnxConstant.Type.BOOL);
        return List.of(result, new OnnxValue(mask, mask, -1, mask.type(), x.sizes(), x.batch()));
    }
}
