package io.pare.format.onnx;

import io.pare.file.FormatException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The operators on which the outputs of a graph depend, each behind those whose results it takes; a file may mix them. */
final class OnnxOrder {
    /** Stands for the graph itself, which reads its outputs. */
    private static final OnnxNode OUTSIDE = new OnnxNode("", "", "", List.of(), List.of(), Map.of());
    /** Operators that give constants whatever they take. */
    private static final Set<String> OF_SHAPES = Set.of("Shape", "Size");

    private final OnnxGraph graph;
    private final Set<String> bound;
    private final Map<String, OnnxNode> producers = new HashMap<>();
    private final Set<OnnxNode> ordered = new LinkedHashSet<>();
    private final Set<OnnxNode> begun = new HashSet<>();
    /** Operators that read a value; twice if they read it twice. */
    private final Map<String, List<OnnxNode>> readers = new HashMap<>();
    private final Set<String> computedAsConstants = new HashSet<>();

    /** @param bound inputs that are constants */
    OnnxOrder(OnnxGraph graph, Set<String> bound) {
        this.graph = graph;
        this.bound = bound;
        for (OnnxNode node : graph.nodes()) {
            for (String made : node.outputs()) {
                if (!made.isEmpty() && (isGiven(made) || producers.put(made, node) != null)) {
                    throw node.refuse("computes '" + made + "', which there is already");
                }
            }
        }
        graph.outputs().forEach(this::need);
        for (OnnxNode node : ordered) {
            node.inputs().forEach(input -> readers.computeIfAbsent(input, _ -> new ArrayList<>()).add(node));
            boolean constant = OF_SHAPES.contains(node.operator())
                    || node.inputs().stream().allMatch(input -> input.isEmpty() || isConstant(input));
            if (constant) {
                computedAsConstants.addAll(node.outputs());
            }
        }
        graph.outputs().forEach(output -> readers.computeIfAbsent(output, _ -> new ArrayList<>()).add(OUTSIDE));
    }

    List<OnnxNode> nodes() {
        return List.copyOf(ordered);
    }

    /** Those that read a value; the graph itself counts as one. */
    List<OnnxNode> readers(String value) {
        return readers.getOrDefault(value, List.of());
    }

    /** Whether a value depends on no input of the graph but by the shapes of values. */
    boolean isConstant(String value) {
        return graph.holds(value) || bound.contains(value) || computedAsConstants.contains(value);
    }

    /** Whether a value is there before any operator runs. */
    private boolean isGiven(String value) {
        return graph.inputs().containsKey(value) || graph.holds(value);
    }

    /** An operator on the way back from the output, and its inputs that were not looked at yet. */
    private record Open(OnnxNode node, Iterator<String> inputs) {
        Open(OnnxNode node) {
            this(node, node.inputs().iterator());
        }
    }

    private void need(String output) {
        Deque<Open> path = new ArrayDeque<>();
        OnnxNode last = producers.get(output);
        if (last != null && !ordered.contains(last)) {
            path.push(new Open(last));
        } else if (last == null && !isGiven(output)) {
            throw new FormatException("nothing computes the output '" + output + "'");
        }
        while (!path.isEmpty()) {
            OnnxNode node = path.peek().node;
            begun.add(node);
            if (!path.peek().inputs.hasNext()) {
                ordered.add(node);
                path.pop();
                continue;
            }
            String input = path.peek().inputs.next();
            OnnxNode producer = producers.get(input);
            if (producer == null && !input.isEmpty() && !isGiven(input)) {
                throw node.refuse("reads '" + input + "', which nothing computes");
            }
            if (producer != null && !ordered.contains(producer)) {
                if (begun.contains(producer)) {
                    throw node.refuse("reads '" + input + "', which depends on what it computes itself");
                }
                path.push(new Open(producer));
            }
        }
    }
}
