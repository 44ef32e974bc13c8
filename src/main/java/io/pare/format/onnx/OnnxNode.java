package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.protobuf.Protobuf.Reader;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An operator with its inputs and attributes. Whoever turns it into a layer asks for what matters;
 * {@link #checkAllRead} then refuses what nobody asked for, so that nothing is passed over in silence.
 */
final class OnnxNode {
    private static final Set<String> ONNX = Set.of("", "ai.onnx");
    /** Larger sizes of windows, steps and the like are no sizes that a network has. */
    private static final int MAX_SIZE = 1 << 20;

    private final String domain;
    private final String operator;
    private final String name;
    private final List<String> inputs;
    private final List<String> outputs;
    private final Map<String, Object> attributes;
    private final Set<String> asked = new HashSet<>();
    private final BitSet taken = new BitSet();

    OnnxNode(String domain, String operator, String name, List<String> inputs, List<String> outputs,
            Map<String, Object> attributes) {
        this.domain = domain;
        this.operator = operator;
        this.name = name;
        this.inputs = inputs;
        this.outputs = outputs;
        this.attributes = attributes;
    }

    /** Whether a domain is that of ONNX's own operators. */
    static boolean isOnnx(String domain) {
        return ONNX.contains(domain);
    }

    /** Its kind, with the domain before it if that is not ONNX's own. */
    String operator() {
        return isOnnx(domain) ? operator : domain + "::" + operator;
    }

    /** Names of what it takes; empty where it is given nothing. */
    List<String> inputs() {
        return inputs;
    }

    List<String> outputs() {
        return outputs;
    }

    /** What it computes first. */
    String output() {
        return outputs.isEmpty() ? "" : outputs.getFirst();
    }

    /** The name of an input, or null if it is not given; that input counts as read. */
    String input(int index) {
        taken.set(index);
        String input = index < inputs.size() ? inputs.get(index) : "";
        return input.isEmpty() ? null : input;
    }

    /** Whether an attribute is given. */
    boolean has(String attribute) {
        return attributes.containsKey(attribute);
    }

    private <T> T attribute(String attribute, Class<T> kind, T otherwise) {
        asked.add(attribute);
        Object value = attributes.get(attribute);
        if (value != null && !kind.isInstance(value)) {
            throw refuse("has " + told(attribute) + ", which is of another type than ONNX says");
        }
        return value == null ? otherwise : kind.cast(value);
    }

    long integer(String attribute, long otherwise) {
        return attribute(attribute, Long.class, otherwise);
    }

    float decimal(String attribute, float otherwise) {
        return attribute(attribute, Float.class, otherwise);
    }

    String text(String attribute, String otherwise) {
        return attribute(attribute, String.class, otherwise);
    }

    long[] integers(String attribute, long... otherwise) {
        return attribute(attribute, long[].class, otherwise);
    }

    float[] decimals(String attribute) {
        return attribute(attribute, float[].class, null);
    }

    List<?> texts(String attribute) {
        return attribute(attribute, List.class, List.of());
    }

    Reader tensor(String attribute) {
        return attribute(attribute, Reader.class, null).again();
    }

    /** Refuses any value of an attribute but the one that Pare computes with. */
    void only(String attribute, long value) {
        if (integer(attribute, value) != value) {
            throw refuse("has " + told(attribute) + ", which Pare does not support: only " + value);
        }
    }

    /** Attributes that do not change what is computed. */
    void any(String... without) {
        asked.addAll(Arrays.asList(without));
    }

    /** An attribute and its value, for a message. */
    String told(String attribute) {
        return attribute + " " + switch (attributes.get(attribute)) {
            case long[] values -> Arrays.toString(values);
            case float[] values -> Arrays.toString(values);
            case String text -> "'" + text + "'";
            case Reader _ -> "(a tensor)";
            case Object value -> value.toString();
        };
    }

    /** Refuses what the one who understands this operator did not ask for. */
    void checkAllRead() {
        for (String attribute : attributes.keySet()) {
            if (!asked.contains(attribute)) {
                throw refuse("has " + told(attribute) + ", an attribute that Pare does not support");
            }
        }
        for (int i = 0; i < inputs.size(); i++) {
            if (!taken.get(i) && !inputs.get(i).isEmpty()) {
                throw refuse("has '" + inputs.get(i) + "' as input " + i + ", which Pare does not support");
            }
        }
    }

    FormatException refuse(String why) {
        return new FormatException(this + " " + why);
    }

    @Override
    public String toString() {
        return "operator " + operator() + (name.isEmpty() ? "" : " '" + name + "'");
    }

    int small(String what, long value) {
        if (value < 0 || value > MAX_SIZE) {
            throw refuse("has " + what + " " + value);
        }
        return (int) value;
    }
}
