package io.pare.format.onnx;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.TensorOp.Coordinates;
import io.pare.net.TensorOp.Interpolation;
import io.pare.net.TensorOp.Nearest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Operators that interpolate. */
final class OnnxResizing {
    /** The version in which Resize got its inputs and its modes of coordinates. */
    private static final int MODERN = 11;

    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        return OnnxOperator.all(Map.of("Resize", OnnxResizing::resize, "Upsample", OnnxResizing::upsample));
    }

    private OnnxResizing() {}

    /** How many values an axis gets, and by what factor. */
    private record Target(int[] sizes, float[] scales) {
        static Target of(OnnxValue x) {
            float[] scales = new float[x.rank()];
            Arrays.fill(scales, 1);
            return new Target(x.sizes().stream().mapToInt(Integer::intValue).toArray(), scales);
        }

        void scale(OnnxCall in, int axis, float scale) {
            if (!(scale > 0)) {
                throw in.refuse("has the scale " + scale);
            }
            scales[axis] = scale;
            sizes[axis] = in.node().small("scale", (long) Math.floor((double) sizes[axis] * scale));
        }
    }

    private static OnnxValue upsample(OnnxCall in) {
        OnnxValue x = in.value(0);
        OnnxConstant input = in.optionalConstant(1);
        float[] scales = input != null ? input.decimals()
                : in.node().has("scales") ? in.node().decimals("scales")
                        : new float[]{1, 1, in.node().decimal("height_scale", 1), in.node().decimal("width_scale", 1)};
        return resized(in, x, scaled(in, x, axes(in, x), scales), Coordinates.ASYMMETRIC, Nearest.FLOOR);
    }

    private static OnnxValue resize(OnnxCall in) {
        OnnxValue x = in.value(0);
        if (in.opset() < MODERN) {
            return resized(in, x, scaled(in, x, axes(in, x), in.constant(1).decimals()), Coordinates.ASYMMETRIC,
                    Nearest.FLOOR);
        }
        // Only tf_crop_and_resize looks at the region of interest.
        in.node().input(1);
        in.node().any("extrapolation_value");
        int[] axes = axes(in, x);
        OnnxConstant scales = in.optionalConstant(2);
        OnnxCall.Sizes sizes = in.sizes(3, "sizes");
        boolean bySizes = sizes != null && sizes.once().length > 0;
        Target target = bySizes ? sized(in, x, axes, sizes.once())
                : scaled(in, x, axes, scales == null ? new float[0] : scales.decimals());
        in.node().any("keep_aspect_ratio_policy");
        String mode = in.node().text("coordinate_transformation_mode", "half_pixel");
        Coordinates coordinates = switch (mode) {
            case "half_pixel" -> Coordinates.HALF_PIXEL;
            case "half_pixel_symmetric" -> Coordinates.HALF_PIXEL_SYMMETRIC;
            case "pytorch_half_pixel" -> Coordinates.PYTORCH_HALF_PIXEL;
            case "align_corners" -> Coordinates.ALIGN_CORNERS;
            case "asymmetric" -> Coordinates.ASYMMETRIC;
            default -> throw in.refuse("has coordinate_transformation_mode '" + mode
                    + "'; Pare has half_pixel, half_pixel_symmetric, pytorch_half_pixel, align_corners, asymmetric");
        };
        String near = in.node().text("nearest_mode", "round_prefer_floor");
        Nearest nearest = switch (near) {
            case "round_prefer_floor" -> Nearest.ROUND_PREFER_FLOOR;
            case "round_prefer_ceil" -> Nearest.ROUND_PREFER_CEIL;
            case "floor" -> Nearest.FLOOR;
            case "ceil" -> Nearest.CEIL;
            default -> throw in.refuse("has nearest_mode '" + near + "', which ONNX does not know");
        };
        return resized(in, x, target, coordinates, nearest);
    }

    private static int[] axes(OnnxCall in, OnnxValue x) {
        return in.node().has("axes")
                ? Arrays.stream(in.node().integers("axes")).mapToInt(axis -> in.axis(x, axis)).toArray()
                : IntStream.range(0, x.rank()).toArray();
    }

    private static Target scaled(OnnxCall in, OnnxValue x, int[] axes, float... scales) {
        Target target = Target.of(x);
        if (scales.length != axes.length) {
            throw in.refuse("has " + scales.length + " scales for a value of shape " + x.sizes());
        }
        for (int i = 0; i < axes.length; i++) {
            target.scale(in, axes[i], scales[i]);
        }
        return target;
    }

    private static Target sized(OnnxCall in, OnnxValue x, int[] axes, long... sizes) {
        Target target = Target.of(x);
        if (sizes.length != axes.length) {
            throw in.refuse("has " + sizes.length + " sizes for a value of shape " + x.sizes());
        }
        String policy = in.node().text("keep_aspect_ratio_policy", "stretch");
        float[] scales = new float[sizes.length];
        for (int i = 0; i < axes.length; i++) {
            scales[i] = (float) sizes[i] / x.size(axes[i]);
        }
        Arrays.sort(scales);
        for (int i = 0; i < axes.length; i++) {
            int own = x.size(axes[i]);
            float scale = switch (policy) {
                case "stretch" -> (float) sizes[i] / own;
                case "not_larger" -> scales[0];
                case "not_smaller" -> scales[scales.length - 1];
                default -> throw in.refuse("has keep_aspect_ratio_policy '" + policy + "', which ONNX does not know");
            };
            target.scales()[axes[i]] = scale;
            target.sizes()[axes[i]] = policy.equals("stretch") ? in.node().small("size", sizes[i])
                    : in.node().small("size", Math.round(scale * own));
        }
        return target;
    }

    private static OnnxValue resized(OnnxCall in, OnnxValue x, Target target, Coordinates coordinates,
            Nearest nearest) {
        String mode = in.node().text("mode", "nearest");
        Interpolation interpolation = switch (mode) {
            case "nearest" -> Interpolation.NEAREST;
            case "linear", "bilinear" -> Interpolation.LINEAR;
            case "cubic" -> Interpolation.CUBIC;
            default -> throw in.refuse("has mode '" + mode + "'; Pare has nearest, linear and cubic");
        };
        List<Integer> sample = new ArrayList<>();
        List<Float> scales = new ArrayList<>();
        for (int axis = 0; axis < x.rank(); axis++) {
            if (axis != x.batch()) {
                sample.add(target.sizes()[axis]);
                scales.add(target.scales()[axis]);
            } else if (target.sizes()[axis] != x.size(axis)) {
                throw in.acrossSamples();
            }
        }
        return in.apply("resize", new TensorOp.Resize(new Shape(sample), scales, interpolation, coordinates, nearest,
                in.node().decimal("cubic_coeff_a", -0.75f), in.node().integer("exclude_outside", 0) != 0,
                in.node().integer("antialias", 0) != 0), x);
    }
}
