package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.protobuf.Protobuf.Numbers;
import io.pare.format.protobuf.Protobuf.Reader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The messages of an ONNX file (onnx.proto3 of github.com/onnx/onnx), read but not understood.
 *
 * <p>Tensors are read when they are asked for: what no operator needs may be of any type and lie anywhere.
 */
final class OnnxGraph {
    /**
     * A value that the graph takes or gives.
     *
     * @param type number of its elements' type, 0 if none is given
     * @param shape -1 where a size is free
     * @param names of the free sizes, empty for those that have none
     */
    record Declared(int type, long[] shape, List<String> names) {}

    private final List<OnnxNode> nodes = new ArrayList<>();
    private final Map<String, Reader> tensors = new HashMap<>();
    private final Map<String, Reader> sparseTensors = new HashMap<>();
    private final Map<String, Declared> inputs = new LinkedHashMap<>();
    private final Set<String> outputs = new LinkedHashSet<>();
    private final Map<String, String> properties = new HashMap<>();
    private final OnnxTensors reader;
    private String name = "onnx";
    /** Files that do not say theirs have the first version. */
    private long opset = 1;

    /**
     * Reads a whole file.
     *
     * @param folder in which other files may hold its tensors; null if there is none
     */
    OnnxGraph(ByteBuffer file, Path folder) {
        reader = new OnnxTensors(folder);
        Reader model = new Reader(file);
        boolean seen = false;
        while (model.next()) {
            if (model.field() == 7) {
                seen = true;
                readGraph(model.message());
            } else if (model.field() == 8) {
                readVersion(model.message());
            } else if (model.field() == 14) {
                readProperty(model.message(), properties);
            }
        }
        if (!seen) {
            throw new FormatException("no ONNX file: it holds no graph");
        }
    }

    /** Leaves of the outputs that one alone which {@code bindings} choose, if they do; returns this. */
    OnnxGraph with(Bindings bindings) {
        String chosen = bindings.output();
        if (chosen != null && !outputs.contains(chosen)) {
            throw new FormatException("there is no output '" + chosen + "'; the graph gives "
                    + String.join(", ", outputs));
        }
        outputs.removeIf(output -> chosen != null && !output.equals(chosen));
        return this;
    }

    List<OnnxNode> nodes() {
        return nodes;
    }

    Map<String, Declared> inputs() {
        return inputs;
    }

    Set<String> outputs() {
        return outputs;
    }

    Map<String, String> properties() {
        return properties;
    }

    String name() {
        return name;
    }

    /** Version of ONNX's own operators. */
    long opset() {
        return opset;
    }

    /** Reads the tensors of attributes. */
    OnnxTensors reader() {
        return reader;
    }

    /** Whether the file holds a tensor of that name. */
    boolean holds(String tensor) {
        return tensors.containsKey(tensor) || sparseTensors.containsKey(tensor);
    }

    /**
     * A tensor of the file, each at most once.
     *
     * @param budget is told of what takes more memory than it takes in the file
     */
    OnnxConstant tensor(String tensor, OnnxTensors.Budget budget) {
        return tensors.containsKey(tensor)
                ? reader.read(tensors.get(tensor).again())
                : reader.readSparse(sparseTensors.get(tensor).again(), budget);
    }

    private void readVersion(Reader in) {
        String domain = "";
        long version = 0;
        while (in.next()) {
            domain = in.field() == 1 ? in.text() : domain;
            version = in.field() == 2 ? in.number() : version;
        }
        opset = OnnxNode.isOnnx(domain) ? version : opset;
    }

    private void readGraph(Reader in) {
        while (in.next()) {
            switch (in.field()) {
                case 1 -> nodes.add(readNode(in.message()));
                case 2 -> name = in.text();
                case 5 -> declare(tensors, tensorName(in.message()), in.message());
                case 11 -> readInput(in.message());
                case 12 -> outputs.add(readName(in.message()));
                case 15 -> declare(sparseTensors, sparseName(in.message()), in.message());
                default -> {
                    // Documentation, types of values between nodes.
                }
            }
        }
    }

    private void declare(Map<String, Reader> into, String tensor, Reader message) {
        if (holds(tensor)) {
            throw new FormatException("two tensors are named '" + tensor + "'");
        }
        into.put(tensor, message);
    }

    static void readProperty(Reader in, Map<String, String> into) {
        String key = "";
        String value = "";
        while (in.next()) {
            key = in.field() == 1 ? in.text() : key;
            value = in.field() == 2 ? in.text() : value;
        }
        into.put(key, value);
    }

    static String readName(Reader in) {
        return text(in, 1);
    }

    static String tensorName(Reader in) {
        return text(in, 8);
    }

    /** A sparse tensor has the name of its values. */
    private static String sparseName(Reader in) {
        String found = "";
        while (in.next()) {
            found = in.field() == 1 ? tensorName(in.message()) : found;
        }
        return found;
    }

    private static String text(Reader in, int field) {
        String text = "";
        while (in.next()) {
            text = in.field() == field ? in.text() : text;
        }
        return text;
    }

    private void readInput(Reader in) {
        String input = "";
        Declared declared = new Declared(0, new long[0], List.of());
        while (in.next()) {
            if (in.field() == 1) {
                input = in.text();
            } else if (in.field() == 2) {
                Reader types = in.message();
                while (types.next()) {
                    declared = types.field() == 1 ? readTensorType(types.message()) : declared;
                }
            }
        }
        if (inputs.put(input, declared) != null) {
            throw new FormatException("two inputs are named '" + input + "'");
        }
    }

    private static Declared readTensorType(Reader in) {
        int type = 0;
        Numbers shape = new Numbers();
        List<String> names = new ArrayList<>();
        while (in.next()) {
            if (in.field() == 1) {
                type = (int) in.number();
            } else if (in.field() == 2) {
                Reader sizes = in.message();
                while (sizes.next()) {
                    long size = -1;
                    String free = "";
                    Reader dimension = sizes.message();
                    while (dimension.next()) {
                        size = dimension.field() == 1 ? dimension.number() : size;
                        free = dimension.field() == 2 ? dimension.text() : free;
                    }
                    shape.add(size);
                    names.add(free);
                }
            }
        }
        return new Declared(type, shape.toArray(), names);
    }

    private static OnnxNode readNode(Reader in) {
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        String name = "";
        String operator = "";
        String domain = "";
        Map<String, Object> attributes = new LinkedHashMap<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> inputs.add(in.text());
                case 2 -> outputs.add(in.text());
                case 3 -> name = in.text();
                case 4 -> operator = in.text();
                case 5 -> readAttribute(in.message(), attributes);
                case 7 -> domain = in.text();
                default -> {
                    // Documentation.
                }
            }
        }
        return new OnnxNode(domain, operator, name, inputs, outputs, attributes);
    }

    /** Reads an attribute as Long, Float, String, long[], float[], List or the message of a tensor. */
    private static void readAttribute(Reader in, Map<String, Object> into) {
        String name = "";
        int type = 0;
        Object value = null;
        Numbers integers = new Numbers();
        OnnxTensors.FixedWidth floats = new OnnxTensors.FixedWidth();
        List<String> texts = new ArrayList<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> name = in.text();
                case 2 -> value = in.decimal();
                case 3 -> value = in.number();
                case 4 -> value = in.text();
                case 5, 22 -> value = in.message();
                case 7 -> floats.add(in);
                case 8 -> in.numbers(integers);
                case 9 -> texts.add(in.text());
                case 20 -> type = (int) in.number();
                default -> {
                    // Documentation; graphs, texts, types: the attribute's type says so.
                }
            }
        }
        // Writers may leave out a value that is zero or empty; old ones leave out the type.
        Object read = switch (type) {
            case 0 -> value != null ? value : integers.size() > 0 ? integers.toArray() : floats.floats();
            case 1 -> value == null ? Float.valueOf(0) : value;
            case 2 -> value == null ? Long.valueOf(0) : value;
            case 3 -> value == null ? "" : value;
            case 6 -> floats.floats();
            case 7 -> integers.toArray();
            case 8 -> texts;
            default -> value == null ? new Unread(type) : value;
        };
        if (into.put(name, read) != null) {
            throw new FormatException("an operator has the attribute '" + name + "' twice");
        }
    }

    /** An attribute of a kind that no operator of Pare's has. */
    private record Unread(int type) {
        @Override
        public String toString() {
            return "of ONNX's attribute type " + type;
        }
    }
}
