package io.pare.format.onnx;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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
public record Bindings(Map<String, Integer> sizes, Map<String, OnnxConstant> constants,
        @Nullable String output) {
    /** Says nothing. */
    public static final Bindings NONE = new Bindings(Map.of(), Map.of());

    /** Copies the maps. */
    public Bindings {
        sizes = Map.copyOf(sizes);
        constants = Map.copyOf(constants);
    }

    /**
     * With all outputs.
     *
     * @param sizes of dimensions, by name
     * @param constants for inputs, by name
     */
    public Bindings(Map<String, Integer> sizes, Map<String, OnnxConstant> constants) {
        this(sizes, constants, null);
    }

    /**
     * {@return the same with the size of a dimension, named as in {@link #sizes}}
     *
     * @param dimension its name in the file
     * @param size at least 1
     */
    public Bindings with(String dimension, int size) {
        Map<String, Integer> more = new HashMap<>(sizes);
        more.put(dimension, size);
        return new Bindings(more, constants, output);
    }

    /**
     * {@return the same with a tensor for an input}
     *
     * @param input of the graph
     * @param constant takes the input's place
     */
    public Bindings with(String input, OnnxConstant constant) {
        Map<String, OnnxConstant> more = new HashMap<>(constants);
        more.put(input, constant);
        return new Bindings(sizes, more, output);
    }

    /**
     * {@return the same with only one output, or with all for {@code null}}
     *
     * @param name of an output of the graph
     */
    public Bindings output(@Nullable String name) {
        return new Bindings(sizes, constants, name);
    }
}
