package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Op;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The import of a graph under one reading of what a sample is. */
final class OnnxAttempt {
    private final OnnxGraph graph;
    private final OnnxOrder order;
    private final OnnxInputs inputs;
    private final OnnxTensors.Budget memory = new OnnxMemory();
    private final OnnxFolding folding = new OnnxFolding(memory);
    private final OnnxDraft draft;
    private final Map<String, OnnxValue> values = new HashMap<>();
    /** How many values of the graph the node at a place gives. */
    private final Map<Integer, Integer> namesOf = new HashMap<>();
    /** Nodes for constants by their elements and shape, so that each is there once. */
    private final Map<ByteBuffer, Map<List<Integer>, Integer>> constants = new IdentityHashMap<>();
    private final Set<String> notes = new LinkedHashSet<>();
    private boolean crosses;

    OnnxAttempt(OnnxGraph graph, OnnxOrder order, OnnxInputs inputs, Bindings bindings) {
        this.graph = graph;
        this.order = order;
        this.inputs = inputs;
        this.notes.addAll(inputs.notes());
        bindings.constants().forEach((name, constant) -> put(name, OnnxValue.of(constant)));
        try {
            draft = new OnnxDraft(inputs.shape(), memory);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new FormatException("the input '" + inputs.ports().getFirst().name() + "' " + e.getMessage(), e);
        }
    }

    // What operators ask for.

    OnnxDraft draft() {
        return draft;
    }

    OnnxFolding folding() {
        return folding;
    }

    OnnxTensors.Budget memory() {
        return memory;
    }

    OnnxTensors tensors() {
        return graph.reader();
    }

    long opset() {
        return graph.opset();
    }

    int samples() {
        return inputs.samples();
    }

    boolean isFree() {
        return inputs.isFree();
    }

    /** Says that an operator works across samples, so that another reading may do. */
    void crosses() {
        crosses = true;
    }

    /** Whether an operator works across samples. */
    boolean isAcrossSamples() {
        return crosses;
    }

    void note(String line) {
        notes.add(line);
    }

    List<OnnxNode> readers(String value) {
        return order.readers(value);
    }

    boolean isConstant(String value) {
        return order.isConstant(value);
    }

    /** Whether a node's output is one value of the graph alone, and only one operator reads that. */
    boolean isReadOnce(String value) {
        return order.readers(value).size() == 1 && namesOf.get(values.get(value).place()) == 1;
    }

    private void put(String name, OnnxValue value) {
        values.put(name, value);
        namesOf.merge(value.place(), 1, Integer::sum);
    }

    OnnxValue value(OnnxNode node, String name) {
        OnnxValue value = values.get(name);
        if (value == null && graph.holds(name)) {
            value = OnnxValue.of(graph.tensor(name, memory));
            put(name, value);
        }
        if (value == null) {
            throw node.refuse("reads '" + name + "', which Pare does not compute");
        }
        return value;
    }

    /** The place of a constant. */
    int constant(OnnxValue value) {
        return constants.computeIfAbsent(value.constant().data(), _ -> new HashMap<>())
                .computeIfAbsent(value.sample(), _ -> constant(value.constant(), value.shape()));
    }

    private int constant(OnnxConstant constant, Shape shape) {
        float[] elements = constant.decimals();
        for (int i = 0; i < elements.length; i++) {
            if (Float.isInfinite(elements[i])) {
                note("infinite constants are read as the largest finite numbers");
                elements[i] = Math.copySign(Float.MAX_VALUE, elements[i]);
            }
        }
        CompressedTensor tensor = draft.tensor("value", elements,
                shape.sizes().stream().mapToLong(Integer::longValue).toArray());
        return draft.add("constant", new TensorOp.Constant(shape), List.of(), List.of(tensor));
    }

    // The run.

    /** Refuses what does not fit, or not this reading, by {@link FormatException}. */
    OnnxModel run(InputScale scale) {
        placeInputs();
        for (OnnxNode node : order.nodes()) {
            try {
                run(node);
            } catch (IllegalArgumentException e) {
                throw node.refuse(e.getMessage());
            } catch (ArithmeticException e) {
                throw node.refuse("has sizes that are too large: " + e.getMessage());
            }
        }
        List<Port> outputs = new ArrayList<>();
        int output = placeOutputs(outputs);
        new OnnxPatterns(draft).replace();
        new OnnxAttention(draft, output).replace();
        CompressedWeights weights = draft.build(graph.name(), output,
                scale == null ? InputScale.usual(inputs.shape()) : scale);
        return new OnnxModel(weights, scale != null, inputs.ports(), outputs, List.copyOf(notes));
    }

    private void run(OnnxNode node) {
        OnnxOperator operator = OnnxOperators.of(node.operator());
        OnnxCall call = new OnnxCall(node, this, false);
        List<OnnxValue> results = operator.of(call);
        if (!call.computes() && dependsOnSamples(node)) {
            results = together(results, doubled(node, operator, results));
        }
        node.checkAllRead();
        for (int i = 0; i < node.outputs().size(); i++) {
            String output = node.outputs().get(i);
            boolean read = !order.readers(output).isEmpty();
            if (i < results.size()) {
                put(output, results.get(i));
            } else if (!output.isEmpty() && read) {
                throw node.refuse("has output " + i + " '" + output + "' that is used; Pare computes only "
                        + (results.size() == 1 ? "the first" : results.size()));
            }
        }
    }

    private boolean dependsOnSamples(OnnxNode node) {
        return node.inputs().stream().filter(name -> !name.isEmpty()).map(name -> value(node, name))
                .anyMatch(value -> value.doubled() != value.constant());
    }

    /** The constants if there were twice as many samples; where the file has none for that, as they are. */
    private List<OnnxValue> doubled(OnnxNode node, OnnxOperator operator, List<OnnxValue> otherwise) {
        try {
            return operator.of(new OnnxCall(node, this, true));
        } catch (FormatException | IllegalArgumentException | ArithmeticException e) {
            return otherwise;
        }
    }

    private static List<OnnxValue> together(List<OnnxValue> once, List<OnnxValue> doubled) {
        List<OnnxValue> both = new ArrayList<>();
        for (int i = 0; i < once.size(); i++) {
            both.add(OnnxValue.of(once.get(i).constant(), doubled.get(i).constant()));
        }
        return both;
    }

    private void placeInputs() {
        List<Port> ports = inputs.ports();
        for (int i = 0; i < ports.size(); i++) {
            Port port = ports.get(i);
            OnnxValue value = OnnxValue.computed(0, port.type(), inputs.sizes().get(i), port.batchAxis());
            if (ports.size() > 1) {
                Shape part = Shape.of(port.features());
                int place = draft.add("part", new TensorOp.Slice(List.of(port.offset()), List.of(1), part), List.of(0),
                        List.of());
                if (!value.shape().equals(part)) {
                    place = draft.add("reshape", new TensorOp.Reshape(value.shape()), List.of(place), List.of());
                }
                value = OnnxValue.computed(place, port.type(), value.sizes(), value.batch());
            }
            put(port.name(), value);
        }
    }

    /** The place of what the network gives. */
    private int placeOutputs(List<Port> ports) {
        List<Integer> parts = new ArrayList<>();
        int offset = 0;
        for (String name : graph.outputs()) {
            OnnxValue value = values.get(name);
            boolean alone = graph.outputs().size() == 1 && !inputs.ports().isEmpty();
            if (value == null || value.isConstant() && alone) {
                throw new FormatException("the output '" + name + "' does not depend on the inputs "
                        + inputs.ports().stream().map(Port::name).toList());
            }
            long[] shape = value.sizes().stream().mapToLong(Integer::longValue).toArray();
            if (value.batch() >= 0 && isFree()) {
                shape[value.batch()] = -1;
            }
            Port port = new Port(name, value.type() == null ? Type.FLOAT : value.type(), shape, value.batch(), offset);
            ports.add(port);
            offset = Math.addExact(offset, port.features());
            parts.add(value.isConstant() ? constant(value) : value.place());
        }
        if (parts.size() == 1) {
            return read(parts.getFirst());
        }
        List<Integer> flat = parts.stream().map(this::flat).toList();
        return read(draft.add("concat", new Op.Concat(flat.size()), flat, List.of()));
    }

    /** Constants where a graph has no input: chosen by the number that stands for one, whatever it is. */
    private int read(int output) {
        if (!inputs.ports().isEmpty()) {
            return output;
        }
        int number = draft.add("reshape", new TensorOp.Reshape(Shape.of()), List.of(0), List.of());
        return draft.add("where", new TensorOp.Choose(), List.of(number, output, output), List.of());
    }

    private int flat(int place) {
        Shape shape = draft.step(place).output();
        return shape.rank() == 1 ? place
                : shape.rank() == 3 ? draft.add("flatten", new Op.Flatten(), List.of(place), List.of())
                        : draft.add("reshape", new TensorOp.Reshape(shape.flat()), List.of(place), List.of());
    }
}
