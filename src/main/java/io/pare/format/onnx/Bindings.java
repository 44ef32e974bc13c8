package io.pare.format.onnx;

import java.util.HashMap;
import java.util.Map;

/**
 * What a file leaves open and its reader says: sizes of free dimensions, inputs that are constants, and which output is
 * wanted.
 *
 * <p>A network has fixed shapes; only the number of samples is free. Immutable and thread-safe.
 *
 * @param sizes of free dimensions: by the dimension's name, or by the input's name, a colon and the axis
 * @param constants tensors that stand for inputs of the graph, by the input's name
 * @param output name of the only output that is computed; {@code null} for all
 */
public record Bindings(Map<String, Integer> sizes, Map<String, OnnxConstant> constants, String output) {
    /** Says nothing. */
    public static final Bindings NONE = new Bindings(Map.of(), Map.of());

    public Bindings {
        sizes = Map.copyOf(sizes);
        constants = Map.copyOf(constants);
    }

    /** With all outputs. */
    public Bindings(Map<String, Integer> sizes, Map<String, OnnxConstant> constants) {
        this(sizes, constants, null);
    }

    /** The same with the size of a dimension, named as in {@link #sizes}. */
    public Bindings with(String dimension, int size) {
        Map<String, Integer> more = new HashMap<>(sizes);
        more.put(dimension, size);
        return new Bindings(more, constants, output);
    }

    /** The same with a tensor for an input. */
    public Bindings with(String input, OnnxConstant constant) {
        Map<String, OnnxConstant> more = new HashMap<>(constants);
        more.put(input, constant);
        return new Bindings(sizes, more, output);
    }

    /** The same with only one output, or with all for {@code null}. */
    public Bindings output(String name) {
        return new Bindings(sizes, constants, name);
    }
}
