package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.onnx.Protobuf.Numbers;
import io.pare.format.onnx.Protobuf.Reader;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
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
    private static final int EXTERNAL = 1;

    /**
     * A value that the graph takes.
     *
     * @param type number of its elements' type, 0 if none is given
     * @param shape -1 where a size is free
     */
    record Input(int type, long[] shape) {}

    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Reader> tensors = new HashMap<>();
    private final Map<String, Reader> sparseTensors = new HashMap<>();
    private final Map<String, Input> inputs = new LinkedHashMap<>();
    private final Set<String> outputs = new LinkedHashSet<>();
    private final Map<String, String> properties = new HashMap<>();
    private String name = "onnx";

    /** Reads a whole file. */
    OnnxGraph(byte[] file) {
        Reader model = new Reader(file);
        boolean seen = false;
        while (model.next()) {
            if (model.field() == 7) {
                seen = true;
                readGraph(model.message());
            } else if (model.field() == 14) {
                readProperty(model.message(), properties);
            }
        }
        if (!seen) {
            throw new FormatException("no ONNX file: it holds no graph");
        }
    }

    List<Node> nodes() {
        return nodes;
    }

    Map<String, Input> inputs() {
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

    /** Whether the file holds a tensor of that name. */
    boolean holds(String tensor) {
        return tensors.containsKey(tensor) || sparseTensors.containsKey(tensor);
    }

    /**
     * A tensor of the file, each at most once.
     *
     * @param budget is told of what takes more memory than it takes in the file
     */
    OnnxConstant tensor(String tensor, Budget budget) {
        return tensors.containsKey(tensor)
                ? readTensor(tensors.get(tensor))
                : readSparse(sparseTensors.get(tensor), budget);
    }

    /** Bounds how much more than the file itself its content may take. */
    interface Budget {
        /** Refuses with {@link FormatException} what would be too much. */
        void take(long bytes);
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

    private static void readProperty(Reader in, Map<String, String> into) {
        String key = "";
        String value = "";
        while (in.next()) {
            key = in.field() == 1 ? in.text() : key;
            value = in.field() == 2 ? in.text() : value;
        }
        into.put(key, value);
    }

    private static String readName(Reader in) {
        return text(in, 1);
    }

    private static String tensorName(Reader in) {
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
        int type = 0;
        Numbers shape = new Numbers();
        while (in.next()) {
            if (in.field() == 1) {
                input = in.text();
            } else if (in.field() == 2) {
                Reader types = in.message();
                while (types.next()) {
                    type = types.field() == 1 ? readTensorType(types.message(), shape) : type;
                }
            }
        }
        if (inputs.put(input, new Input(type, shape.toArray())) != null) {
            throw new FormatException("two inputs are named '" + input + "'");
        }
    }

    private static int readTensorType(Reader in, Numbers shape) {
        int type = 0;
        while (in.next()) {
            if (in.field() == 1) {
                type = (int) in.number();
            } else if (in.field() == 2) {
                Reader sizes = in.message();
                while (sizes.next()) {
                    long size = -1;
                    Reader dimension = sizes.message();
                    while (dimension.next()) {
                        size = dimension.field() == 1 ? dimension.number() : size;
                    }
                    shape.add(size);
                }
            }
        }
        return type;
    }

    private static Node readNode(Reader in) {
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
        return new Node(domain, operator, name, inputs, outputs, attributes);
    }

    /** Reads an attribute as Long, Float, String, long[], float[] or the message of a tensor. */
    private static void readAttribute(Reader in, Map<String, Object> into) {
        String name = "";
        int type = 0;
        Object value = null;
        Numbers integers = new Numbers();
        FixedWidth floats = new FixedWidth();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> name = in.text();
                case 2 -> value = in.decimal();
                case 3 -> value = in.number();
                case 4 -> value = in.text();
                case 5, 22 -> value = in.message();
                case 7 -> floats.add(in);
                case 8 -> in.numbers(integers);
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

    /** Numbers of four or eight bytes; the usual single run of them is not copied. */
    private static final class FixedWidth {
        private ByteBuffer first;
        private ByteArrayOutputStream all;

        void add(Reader in) {
            ByteBuffer next = in.buffer();
            if (first == null) {
                first = next;
                return;
            }
            if (all == null) {
                all = new ByteArrayOutputStream();
                copy(first);
            }
            copy(next);
        }

        private void copy(ByteBuffer from) {
            all.write(from.array(), from.arrayOffset() + from.position(), from.remaining());
        }

        /** Null if there are none. */
        ByteBuffer bytes() {
            return all == null ? first : ByteBuffer.wrap(all.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        }

        float[] floats() {
            ByteBuffer bytes = bytes();
            float[] values = new float[bytes == null ? 0 : bytes.remaining() / Float.BYTES];
            if (bytes != null) {
                bytes.asFloatBuffer().get(values);
            }
            return values;
        }
    }

    /** Reads a tensor, after a check of its sizes against its bytes. */
    static OnnxConstant readTensor(Reader in) {
        Numbers sizes = new Numbers();
        Numbers integers = new Numbers();
        Numbers longs = new Numbers();
        Numbers unsigned = new Numbers();
        FixedWidth floats = new FixedWidth();
        FixedWidth doubles = new FixedWidth();
        ByteBuffer raw = null;
        long code = 0;
        String name = "";
        boolean external = false;
        Map<String, String> place = new HashMap<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> in.numbers(sizes);
                case 2 -> code = in.number();
                case 4 -> floats.add(in);
                case 5 -> in.numbers(integers);
                case 7 -> in.numbers(longs);
                case 8 -> name = in.text();
                case 9 -> raw = in.bytes();
                case 10 -> doubles.add(in);
                case 11 -> in.numbers(unsigned);
                case 13 -> readProperty(in.message(), place);
                case 14 -> external = in.number() == EXTERNAL;
                default -> {
                    // Documentation, texts.
                }
            }
        }
        String what = name.isEmpty() ? "a tensor" : "tensor '" + name + "'";
        if (external) {
            throw new FormatException(what + " lies in another file, '" + place.getOrDefault("location", "")
                    + "' (external data): save the ONNX file with its weights inside");
        }
        Type type = Type.of(code);
        if (type == null) {
            throw new FormatException(what + " has the element type " + code + " of ONNX, which Pare does not read");
        }
        ByteBuffer typed = switch (type.field()) {
            case FLOATS -> floats.bytes();
            case DOUBLES -> doubles.bytes();
            case INTEGERS -> narrow(integers, type);
            case LONGS -> narrow(longs, type);
            case UNSIGNED_LONGS -> narrow(unsigned, type);
        };
        boolean twice = raw != null && raw.hasRemaining() && typed != null && typed.hasRemaining();
        long[] shape = sizes.toArray();
        int count = OnnxConstant.count(what, shape);
        ByteBuffer data = raw != null && raw.hasRemaining() ? raw : typed;
        int given = data == null ? 0 : data.remaining();
        if (twice || given != (long) count * type.width()) {
            throw new FormatException(what + " of shape " + Arrays.toString(shape) + " and type " + type + " needs "
                    + (long) count * type.width() + " bytes, " + (twice ? "twice as many" : given)
                    + " are there: the file is damaged");
        }
        return new OnnxConstant(type, shape, data == null ? ByteBuffer.allocate(0) : data);
    }

    /** Integers of a message as elements of their type: 16-bit floating-point numbers are integers there too. */
    private static ByteBuffer narrow(Numbers values, Type type) {
        ByteBuffer into = ByteBuffer.allocate(Math.multiplyExact(values.size(), type.width()))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < values.size(); i++) {
            switch (type.width()) {
                case 1 -> into.put((byte) values.get(i));
                case 2 -> into.putShort((short) values.get(i));
                case 4 -> into.putInt((int) values.get(i));
                default -> into.putLong(values.get(i));
            }
        }
        return into.flip();
    }

    /** Reads a tensor of which only some elements are given, by number or by their place in each dimension. */
    static OnnxConstant readSparse(Reader in, Budget budget) {
        OnnxConstant values = null;
        OnnxConstant indices = null;
        Numbers sizes = new Numbers();
        String name = "";
        while (in.next()) {
            switch (in.field()) {
                case 1 -> {
                    name = tensorName(in.message());
                    values = readTensor(in.message());
                }
                case 2 -> indices = readTensor(in.message());
                case 3 -> in.numbers(sizes);
                default -> {
                    // Nothing else is defined.
                }
            }
        }
        long[] shape = sizes.toArray();
        String what = "the sparse tensor '" + name + "'";
        int count = OnnxConstant.count(what, shape);
        long[] flat = indices == null ? null : indices.integers();
        int given = values == null ? 0 : values.count();
        boolean byPlace = indices != null && indices.shape().length == 2;
        if (values == null || flat == null || flat.length != (long) given * (byPlace ? shape.length : 1)) {
            throw new FormatException(what + " of shape " + Arrays.toString(shape) + " has " + given + " values and "
                    + (flat == null ? "no" : flat.length) + " indices: the file is damaged");
        }
        budget.take((long) count * values.type().width());
        int[] places = new int[given];
        for (int i = 0; i < given; i++) {
            long place = 0;
            for (int d = 0; d < (byPlace ? shape.length : 1); d++) {
                long size = byPlace ? shape[d] : count;
                long index = flat[byPlace ? i * shape.length + d : i];
                if (index < 0 || index >= size) {
                    throw new FormatException(what + " of shape " + Arrays.toString(shape) + " has index " + index
                            + ", which lies outside");
                }
                place = place * size + index;
            }
            places[i] = (int) place;
        }
        return values.scattered(places, count, shape);
    }

    /**
     * An operator with its inputs and attributes. Whoever turns it into a layer asks for what matters;
     * {@link #checkAllRead} then refuses what nobody asked for, so that nothing is passed over in silence.
     */
    static final class Node {
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

        Node(String domain, String operator, String name, List<String> inputs, List<String> outputs,
                Map<String, Object> attributes) {
            this.domain = domain;
            this.operator = operator;
            this.name = name;
            this.inputs = inputs;
            this.outputs = outputs;
            this.attributes = attributes;
        }

        /** Its kind, with the domain before it if that is not ONNX's own. */
        String operator() {
            return ONNX.contains(domain) ? operator : domain + "::" + operator;
        }

        /** Names of what it takes; empty where it is given nothing. */
        List<String> inputs() {
            return inputs;
        }

        List<String> outputs() {
            return outputs;
        }

        /** What it computes first, the only thing that Pare looks at. */
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

        Reader tensor(String attribute) {
            return attribute(attribute, Reader.class, null);
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

}
