package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.pare.PareFile;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network under construction, whose steps may still be changed. Those that nothing reads are left out at the end.
 *
 * <p>A step's place is its number, which stays what it is; the input's is 0.
 */
final class OnnxDraft {
    /** No network has tensors of a higher rank. */
    private static final int MAX_RANK = 64;

    private final OnnxTensors.Budget memory;
    private final List<Step> steps = new ArrayList<>();
    /** Places in the order in which they are computed. */
    private final List<Integer> order = new ArrayList<>();

    /**
     * A node to be.
     *
     * @param kind what its name begins with
     * @param tensors its parameters
     */
    record Step(String kind, Op op, List<Integer> inputs, Shape output, List<CompressedTensor> tensors) {}

    OnnxDraft(Shape input, OnnxTensors.Budget memory) {
        this.memory = memory;
        add(NetBuilder.INPUT, new Op.Input(input), List.of(), List.of());
    }

    Step step(int place) {
        return steps.get(place);
    }

    int size() {
        return steps.size();
    }

    /** Adds a step; returns its place. {@link IllegalArgumentException} if the operator does not take its inputs. */
    int add(String kind, Op op, List<Integer> inputs, List<CompressedTensor> tensors) {
        return addAt(order.size(), kind, op, inputs, tensors);
    }

    /** Adds a step that is computed right before another one. */
    int addBefore(int place, String kind, Op op, List<Integer> inputs, CompressedTensor... tensors) {
        return addAt(order.indexOf(place), kind, op, inputs, List.of(tensors));
    }

    private int addAt(int index, String kind, Op op, List<Integer> inputs, List<CompressedTensor> tensors) {
        steps.add(step(kind, op, inputs, tensors));
        order.add(index, steps.size() - 1);
        return steps.size() - 1;
    }

    /** Puts another step in place of one. */
    void replace(int place, String kind, Op op, List<Integer> inputs, List<CompressedTensor> tensors) {
        steps.set(place, step(kind, op, inputs, tensors));
    }

    private Step step(String kind, Op op, List<Integer> inputs, List<CompressedTensor> tensors) {
        Shape output = op.output(inputs.stream().map(place -> steps.get(place).output()).toList());
        long features = output.sizes().stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        if (features > PareFile.MAX_FEATURES || output.rank() > MAX_RANK) {
            throw new IllegalArgumentException("gives " + output + " values for a sample, at most "
                    + PareFile.MAX_FEATURES + " are read");
        }
        return new Step(kind, op, inputs, output, tensors);
    }

    /**
     * Values in the form in which a network keeps them; takes over the array.
     *
     * @param shape that the operator asks for
     */
    CompressedTensor tensor(String what, float[] values, long... shape) {
        if (Arrays.stream(shape).reduce(1, Math::multiplyExact) != values.length) {
            throw new IllegalArgumentException(
                    "has " + values.length + " values for its " + what + ", " + Arrays.toString(shape) + " are needed");
        }
        memory.take((long) values.length * Float.BYTES);
        return CompressedTensor.takingOver(values, shape);
    }

    /** Whether the step at {@code place} is computed from that at {@code earlier}. */
    boolean reads(int place, int earlier) {
        return place == earlier || reached(List.of(place))[earlier];
    }

    private boolean[] reached(List<Integer> from) {
        boolean[] reached = new boolean[steps.size()];
        from.forEach(place -> reached[place] = true);
        for (int place : order.reversed()) {
            if (reached[place]) {
                steps.get(place).inputs().forEach(input -> reached[input] = true);
            }
        }
        return reached;
    }

    /** The network that gives what the step at {@code output} gives. */
    CompressedWeights build(String name, int output, InputScale scale) {
        boolean[] reached = reached(List.of(output));
        if (!reached[0]) {
            throw new FormatException("the output does not depend on the input");
        }
        NetBuilder net = new NetBuilder(name, steps.getFirst().output());
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        Map<String, Integer> counters = new HashMap<>();
        int[] places = new int[steps.size()];
        for (int place : order.subList(1, order.size())) {
            Step step = steps.get(place);
            if (reached[place]) {
                int number = counters.merge(step.kind(), 1, Integer::sum);
                String layer = step.op() instanceof Op.Flatten && number == 1 ? step.kind() : step.kind() + number;
                net.add(layer, step.op(), step.inputs().stream().map(input -> places[input]).toList());
                places[place] = net.at();
                List<Parameter> parameters = step.op().parameters(layer);
                for (int i = 0; i < parameters.size(); i++) {
                    tensors.put(parameters.get(i).name(), step.tensors().get(i));
                }
            }
        }
        Net built = net.from(places[output]).build();
        return new CompressedWeights(built, Collections.unmodifiableMap(tensors), scale);
    }
}
