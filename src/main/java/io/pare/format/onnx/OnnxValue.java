package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A value of a graph while it is imported: a constant, or what a node of the network gives for a sample.
 *
 * @param constant null for a computed value; without the batch's axis
 * @param doubled the constant if there were twice as many samples, the same object if that makes no difference
 * @param place of the node that gives it, below 0 for a constant
 * @param sizes the shape in ONNX; of the batch's axis the number of samples that the graph is read with
 * @param batch the axis that counts samples, -1 if there is none; the node's output has the other axes
 */
record OnnxValue(OnnxConstant constant, OnnxConstant doubled, int place, Type type, List<Integer> sizes, int batch) {
    OnnxValue {
        sizes = List.copyOf(sizes);
    }

    static OnnxValue of(OnnxConstant constant) {
        return of(constant, constant);
    }

    static OnnxValue of(OnnxConstant constant, OnnxConstant doubled) {
        return new OnnxValue(constant, doubled, -1, constant.type(), sizes(constant.shape()), -1);
    }

    static OnnxValue computed(int place, Type type, List<Integer> sizes, int batch) {
        return new OnnxValue(null, null, place, type, sizes, batch);
    }

    static List<Integer> sizes(long... shape) {
        return Arrays.stream(shape).mapToObj(Math::toIntExact).toList();
    }

    boolean isConstant() {
        return constant != null;
    }

    /** Whether it is one number. */
    boolean isNumber() {
        return isConstant() && constant.count() == 1;
    }

    int rank() {
        return sizes.size();
    }

    int size(int axis) {
        return sizes.get(axis);
    }

    /** The sizes of one sample. */
    List<Integer> sample() {
        List<Integer> sample = new ArrayList<>(sizes);
        if (batch >= 0) {
            sample.remove(batch);
        }
        return sample;
    }

    /** The shape of one sample; {@link IllegalArgumentException} if it is empty. */
    Shape shape() {
        return new Shape(sample());
    }

    /** The axis of a sample that is an axis of the value other than the batch's. */
    int inSample(int axis) {
        return batch >= 0 && axis > batch ? axis - 1 : axis;
    }

    /** The same under another type. */
    OnnxValue as(Type other) {
        return new OnnxValue(constant, doubled, place, other, sizes, batch);
    }
}
