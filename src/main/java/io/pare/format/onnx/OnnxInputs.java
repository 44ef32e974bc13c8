package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.onnx.OnnxGraph.Declared;
import io.pare.format.pare.PareFile;
import io.pare.net.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The inputs of a graph under one reading of what a sample is.
 *
 * @param ports what the graph takes
 * @param sizes their shapes, with the number of samples
 * @param samples with which the graph is read
 * @param isFree whether any number of samples will do
 * @param notes what a user should know
 */
record OnnxInputs(List<Port> ports, List<List<Integer>> sizes, int samples, boolean isFree, List<String> notes) {
    /** Which axis of the inputs counts samples. */
    enum Batch {
        /** The first one, as nearly everywhere. */
        FIRST,
        /** The second one, as in recurrent networks, whose first counts steps. */
        SECOND,
        /** None: all that the graph takes is one sample. */
        NONE;

        int axis(int rank) {
            return switch (this) {
                case FIRST -> 0;
                case SECOND -> Math.min(1, rank - 1);
                case NONE -> -1;
            };
        }
    }

    /** Reads the inputs of those names. */
    static OnnxInputs of(Map<String, Declared> inputs, Batch batch, Bindings bindings) {
        Set<Integer> counts = new TreeSet<>();
        List<String> notes = new ArrayList<>();
        List<List<Integer>> sizes = new ArrayList<>();
        List<Port> ports = new ArrayList<>();
        inputs.forEach((name, declared) -> {
            Type type = declared.type() == 0 ? Type.FLOAT : Type.of(declared.type());
            if (type == null) {
                throw new FormatException("input '" + name + "' has elements of ONNX's type " + declared.type()
                        + ", numbers are needed");
            }
            int axis = batch.axis(declared.shape().length);
            long[] shape = shape(name, declared, axis, bindings, notes);
            List<Integer> own = new ArrayList<>(OnnxValue.sizes(shape));
            if (axis >= 0 && shape[axis] >= 0) {
                counts.add((int) shape[axis]);
            }
            sizes.add(own);
            ports.add(new Port(name, type, shape, axis, 0));
        });
        if (counts.size() > 1) {
            throw new FormatException("the inputs " + inputs.keySet() + " have " + counts + " samples");
        }
        for (Port port : ports) {
            long features = OnnxCall.product(OnnxValue.sizes(port.shape()), port.batchAxis() + 1, port.shape().length);
            if (features > PareFile.MAX_FEATURES) {
                throw new FormatException(
                        "input '" + port.name() + "' has " + features + " values for a sample, at most "
                                + PareFile.MAX_FEATURES + " are read");
            }
        }
        int samples = counts.isEmpty() ? 1 : counts.iterator().next();
        int offset = 0;
        for (int i = 0; i < ports.size(); i++) {
            Port port = ports.get(i);
            if (port.batchAxis() >= 0) {
                sizes.get(i).set(port.batchAxis(), samples);
            }
            ports.set(i, new Port(port.name(), port.type(), port.shape(), port.batchAxis(), offset));
            offset = Math.addExact(offset, ports.get(i).features());
        }
        return new OnnxInputs(ports, sizes, samples, counts.isEmpty() && batch != Batch.NONE,
                List.copyOf(new LinkedHashSet<>(notes)));
    }

    private static long[] shape(String name, Declared declared, int batch, Bindings bindings, List<String> notes) {
        long[] shape = declared.shape().clone();
        Set<String> open = new LinkedHashSet<>();
        for (int axis = 0; axis < shape.length; axis++) {
            String free = declared.names().get(axis);
            Integer given = bindings.sizes().getOrDefault(name + ":" + axis,
                    free.isEmpty() ? null : bindings.sizes().get(free));
            Integer named = bindings.sizes().get(free);
            if (shape[axis] < 0 && given != null) {
                if (named != null && !named.equals(given)) {
                    throw new FormatException("the dimension '" + free + "' is said to be " + named + ", of input '"
                            + name + "' it is " + given);
                }
                shape[axis] = given;
            } else if (shape[axis] < 0 && axis == batch) {
                shape[axis] = -1;
                continue;
            } else if (shape[axis] < 0 && batch < 0 && axis == 0) {
                shape[axis] = 1;
                notes.add("the network takes one sample at a time: it computes across the free dimension '"
                        + (free.isEmpty() ? name + ":0" : free) + "', which is read as 1");
            }
            if (shape[axis] < 0) {
                open.add(free.isEmpty() ? name + ":" + axis : free);
                continue;
            }
            if (shape[axis] == 0 || shape[axis] > Integer.MAX_VALUE) {
                throw new FormatException("input '" + name + "' has the shape " + Arrays.toString(declared.shape())
                        + "; sizes from 1 to " + Integer.MAX_VALUE + " are needed");
            }
        }
        if (!open.isEmpty()) {
            throw new FormatException("input '" + name + "' has the free dimension" + (open.size() == 1 ? " '" : "s '")
                    + String.join("', '", open) + "': give " + (open.size() == 1 ? "its size" : "their sizes")
                    + ", as by --dim " + String.join("=128 --dim ", open) + "=128");
        }
        return shape;
    }

    /** The shape of one sample: that of the only input, or of all of them as a vector; a number, unread, if there is none. */
    Shape shape() {
        if (ports.isEmpty()) {
            return Shape.of(1);
        }
        if (ports.size() == 1) {
            return OnnxValue.computed(0, Type.FLOAT, sizes.getFirst(), ports.getFirst().batchAxis()).shape();
        }
        return Shape.of(ports.getLast().offset() + ports.getLast().features());
    }
}
