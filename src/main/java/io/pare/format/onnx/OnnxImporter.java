package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxGraph.Declared;
import io.pare.format.onnx.OnnxInputs.Batch;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.TensorOp;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Turns a graph into a network.
 *
 * <p>A network computes each sample by itself. Which axis counts samples is tried: the first, the second, none.
 */
final class OnnxImporter {
    private final OnnxGraph graph;
    private final Bindings bindings;
    private final OnnxOrder order;

    OnnxImporter(OnnxGraph graph, Bindings bindings) {
        this.graph = graph;
        this.bindings = bindings;
        if (graph.outputs().isEmpty()) {
            throw new FormatException("the graph has no outputs");
        }
        this.order = new OnnxOrder(graph, bindings.constants().keySet());
    }

    /**
     * The network, under the names of a known one if it has the same layers.
     *
     * @param readings what axis may count samples, in the order in which they are tried
     */
    OnnxModel run(InputScale scale, List<Batch> readings) {
        checkBindings();
        checkOperators();
        Map<String, Declared> inputs = inputs();
        boolean numbers = inputs.values().stream().anyMatch(input -> input.shape().length == 0);
        FormatException first = null;
        FormatException certain = null;
        for (Batch batch : readings) {
            // A single number has no axis that could count samples.
            if (!numbers || batch == Batch.NONE) {
                OnnxAttempt attempt = null;
                try {
                    attempt = attempt(OnnxInputs.of(inputs, batch, bindings), scale);
                    OnnxModel model = attempt.run(scale);
                    return new OnnxModel(known(model.weights()), model.scaled(), model.inputs(), model.outputs(),
                            model.notes());
                } catch (FormatException e) {
                    boolean across = attempt != null && attempt.isAcrossSamples();
                    if (first == null) {
                        first = e;
                        certain = across ? null : e;
                    } else if (certain == null && attempt != null && !across) {
                        // An operator that no reading mends says more than one that another reading may mend.
                        certain = e;
                    }
                }
            }
        }
        if (first == null) {
            throw new FormatException("the inputs " + inputs.keySet()
                    + " declare no dimensions: save the file with the shapes of its inputs");
        }
        throw certain == null ? first : certain;
    }

    private OnnxAttempt attempt(OnnxInputs inputs, InputScale scale) {
        if (scale != null && !scale.fits(inputs.shape())) {
            throw new FormatException("the scale of inputs is for " + scale.mean().size() + " channels, the input is "
                    + inputs.shape());
        }
        return new OnnxAttempt(graph, order, inputs, bindings);
    }

    private void checkBindings() {
        for (String name : bindings.constants().keySet()) {
            if (!graph.inputs().containsKey(name)) {
                throw new FormatException(
                        "there is no input '" + name + "' for which a constant could stand; inputs are "
                                + graph.inputs().keySet());
            }
        }
        Set<String> dimensions = new HashSet<>();
        graph.inputs().forEach((name, declared) -> {
            for (int axis = 0; axis < declared.shape().length; axis++) {
                dimensions.add(name + ":" + axis);
            }
            dimensions.addAll(declared.names());
        });
        bindings.sizes().forEach((name, size) -> {
            if (!dimensions.contains(name)) {
                throw new FormatException("there is no free dimension '" + name + "' of that size");
            }
            if (size < 1) {
                throw new FormatException("the dimension '" + name + "' cannot have the size " + size);
            }
        });
    }

    /** Names every kind of operator that Pare lacks at once, each with the first place where it stands. */
    private void checkOperators() {
        Map<String, OnnxNode> lacking = new LinkedHashMap<>();
        for (OnnxNode node : order.nodes()) {
            if (!OnnxOperators.has(node.operator())) {
                lacking.putIfAbsent(node.operator(), node);
            }
        }
        if (!lacking.isEmpty()) {
            throw new FormatException(
                    lacking.values().stream().map(OnnxNode::toString).collect(Collectors.joining(", "))
                            + (lacking.size() == 1 ? " is" : " are") + " not supported; Pare reads networks of "
                            + String.join(", ", OnnxOperators.names()));
        }
    }

    /** The inputs that something reads; none if all outputs are constants. */
    Map<String, Declared> inputs() {
        Map<String, Declared> inputs = new LinkedHashMap<>(graph.inputs());
        inputs.keySet().removeIf(name -> order.isConstant(name) || order.readers(name).isEmpty());
        return inputs;
    }

    /** Gives the layers the names of a known network if they are the same. */
    private static CompressedWeights known(CompressedWeights weights) {
        if (weights.model().layers().stream().anyMatch(node -> node.op() instanceof TensorOp)) {
            // None of those has such an operator, and to build them all takes as long as the import.
            return weights;
        }
        for (String name : Models.recognised()) {
            Net candidate = Models.byName(name);
            if (candidate.computesLike(weights.model())) {
                Map<String, CompressedTensor> renamed = new LinkedHashMap<>();
                List<CompressedTensor> values = List.copyOf(weights.tensors().values());
                for (int i = 0; i < values.size(); i++) {
                    renamed.put(candidate.parameters().get(i).name(), values.get(i));
                }
                return new CompressedWeights(candidate, renamed, weights.scale());
            }
        }
        return weights;
    }
}
