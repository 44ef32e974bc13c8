package io.pare.graph;

import io.pare.kernel.Bits;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A graph that is bound to memory and ready to run, forward and backward, any number of times.
 *
 * <p>All memory and native handles are taken at compile time from the region, which owns them; a pass allocates nothing.
 * A tape is not thread-safe: one thread at a time runs it, and always a platform thread. Values that a pass leaves behind
 * stay until the next pass.
 */
public final class Tape {
    private final Region region;
    private final Binding binding;
    private final boolean training;
    private final Source output;
    private final Rules rules;
    private final Step[] steps;
    private final List<Runnable> parameterSums = new ArrayList<>();
    private final Map<Node, Slot> values = new IdentityHashMap<>();
    private final Map<Node, List<Slot>> contributions = new IdentityHashMap<>();
    private final Map<Node, List<Node>> consumers = new IdentityHashMap<>();
    private final Set<Node> needsGradient = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<String, FloatTensor> inputs = new HashMap<>();
    private final MemorySegment labels;
    private long key;
    private double loss;
    private long correct;
    private long randomTaken;

    /** What computes. */
    enum Way {
        /** Plain Java. */
        JAVA,
        /** oneDNN where it has a primitive, plain Java elsewhere. */
        NATIVE,
        /** As {@link #NATIVE}, in {@link Precision#BF16}. */
        NATIVE_BF16,
        /** Only the weights that masks leave, see {@link SparseRules}. */
        SPARSE;

        static Way dense(boolean useNative, Precision precision) {
            if (precision == Precision.BF16) {
                Optional<String> obstacle = useNative ? precision.obstacle() : Optional.of("has no form in Java");
                obstacle.ifPresent(reason -> {
                    throw new IllegalArgumentException("bf16 " + reason);
                });
                return NATIVE_BF16;
            }
            return useNative ? NATIVE : JAVA;
        }
    }

    private Tape(Region region, Node root, Binding binding, boolean training, Way way) {
        this.region = region;
        this.binding = binding;
        this.training = training;
        List<Node> order = topologicalOrder(root);
        findGradients(order);
        int batch =
                order.stream().filter(node -> node.op() instanceof Op.Input).mapToInt(node -> node.size(0)).findFirst()
                        .orElse(0);
        this.labels = region.allocate((long) batch * Integer.BYTES);
        this.rules = new Rules(this, way, batch);
        List<Step> compiled = new ArrayList<>();
        for (Node node : order) {
            switch (node.op()) {
                case Op.Input(String name) -> {
                    FloatTensor tensor = region.tensor(node.shape());
                    inputs.put(name, tensor);
                    values.put(node, new Slot.Plain(tensor));
                }
                case Op.Parameter(String name) -> values.put(node, new Slot.Plain(bound(node, binding.value(name))));
                case Op.State(String name) -> values.put(node, new Slot.Plain(bound(node, binding.value(name))));
                default -> {
                    // The step of the node before may have computed this one as well.
                    if (!values.containsKey(node)) {
                        compiled.add(rules.step(node));
                    }
                }
            }
        }
        this.steps = compiled.toArray(Step[]::new);
        this.output = plain(root);
        if (training) {
            for (int i = steps.length - 1; i >= 0; i--) {
                steps[i].prepareBackward();
            }
            for (Node node : order) {
                if (node.op() instanceof Op.Parameter(String name) && needsGradient.contains(node)) {
                    sumInto(bound(node, binding.gradient(name)), contributions.getOrDefault(node, List.of()));
                }
            }
        }
        readMasks();
    }

    /** Compiles a graph that ends in a loss for training. */
    public static Tape training(Region region, Node loss, Binding binding, boolean useNative) {
        return training(region, loss, binding, useNative, Precision.FP32);
    }

    /**
     * As {@link #training(Region, Node, Binding, boolean)}, in the given numbers.
     *
     * @throws IllegalArgumentException if {@link Precision#obstacle} names one, or without {@code useNative}
     */
    public static Tape training(Region region, Node loss, Binding binding, boolean useNative, Precision precision) {
        return new Tape(region, loss, binding, true, Way.dense(useNative, precision));
    }

    /** Compiles a graph for forward passes: no gradients, dropout does nothing. */
    public static Tape inference(Region region, Node output, Binding binding, boolean useNative) {
        return inference(region, output, binding, useNative, Precision.FP32);
    }

    /** As {@link #inference(Region, Node, Binding, boolean)}, in the given numbers; see {@link #training}. */
    public static Tape inference(Region region, Node output, Binding binding, boolean useNative, Precision precision) {
        return new Tape(region, output, binding, false, Way.dense(useNative, precision));
    }

    /**
     * As {@link #training}, where only the weights that {@link Binding#mask} leaves are multiplied.
     *
     * <p>For chains of convolutions of stride 1 without padding and with a bias, max-pooling whose windows do not overlap, linear layers
     * and ReLU, on batches of a multiple of {@link SparseRules#SAMPLES}; others throw
     * {@link IllegalArgumentException}. The work is that of the weights that are left.
     */
    public static Tape sparseTraining(Region region, Node loss, Binding binding) {
        return new Tape(region, loss, binding, true, Way.SPARSE);
    }

    /** As {@link #inference}, under the conditions of {@link #sparseTraining}. */
    public static Tape sparseInference(Region region, Node output, Binding binding) {
        return new Tape(region, output, binding, false, Way.SPARSE);
    }

    /** The memory of an input, for the caller to fill before {@link #forward}. */
    public FloatTensor input(String name) {
        FloatTensor tensor = inputs.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no input '" + name + "'; there are " + inputs.keySet());
        }
        return tensor;
    }

    /** The batch's labels, ints, for the caller to fill before {@link #forward} when the graph ends in a loss. */
    public MemorySegment labels() {
        return labels;
    }

    /**
     * Takes note of which weights masks leave: call it when {@link Binding#mask} has changed. The gradients of others
     * are zero in sparse tapes; dense ones know no masks.
     */
    public void readMasks() {
        for (int i = steps.length - 1; i >= 0; i--) {
            steps[i].readMasks();
        }
    }

    /**
     * Computes every value.
     *
     * @param randomKey key of the pass for dropout: the same key gives the same zeros
     */
    public void forward(long randomKey) {
        this.key = randomKey;
        for (Step step : steps) {
            step.forward();
        }
    }

    /** Computes the gradient of the loss by every parameter, from the values of the last forward pass. */
    public void backward() {
        if (!training) {
            throw new IllegalStateException("compiled for inference: there is no backward pass");
        }
        for (int i = steps.length - 1; i >= 0; i--) {
            steps[i].backward();
        }
        for (int i = 0; i < parameterSums.size(); i++) {
            parameterSums.get(i).run();
        }
    }

    /** Mean loss over the batch of the last forward pass. */
    public double loss() {
        return loss;
    }

    /** Samples of the last forward pass whose largest logit is the label's. */
    public long correct() {
        return correct;
    }

    /** The value of the node that the tape was compiled for; for a loss see {@link #loss}. */
    public FloatTensor output() {
        output.refresh().run();
        return output.tensor();
    }

    /** How many layout conversions one forward and backward pass executes at most. */
    public int reorders() {
        return rules.reorders();
    }

    // What steps need while they are built.

    Region region() {
        return region;
    }

    boolean training() {
        return training;
    }

    long key() {
        return key;
    }

    /** Reserves {@code count} positions among the random numbers of a pass; returns the first. */
    long takeRandom(long count) {
        long first = randomTaken;
        randomTaken += count;
        return first;
    }

    void report(double meanLoss, long correctSamples) {
        this.loss = meanLoss;
        this.correct = correctSamples;
    }

    Slot value(Node node) {
        return values.get(node);
    }

    void value(Node node, Slot slot) {
        values.put(node, slot);
    }

    /** Takes plain memory for the node's value. */
    FloatTensor allocateValue(Node node) {
        FloatTensor tensor = region.tensor(node.shape());
        values.put(node, new Slot.Plain(tensor));
        return tensor;
    }

    /** The node's value, row-major. */
    Source plain(Node node) {
        return rules.plain(values.get(node), node);
    }

    /** The mask of a parameter; {@code null} for none. */
    Bits mask(Node parameter) {
        return parameter.op() instanceof Op.Parameter(String name) ? binding.mask(name) : null;
    }

    /** The ReLU that is the only one to read the node, which a step may compute with it; else the node itself. */
    Node withRelu(Node node) {
        List<Node> readers = consumers.getOrDefault(node, List.of());
        return readers.size() == 1 && readers.getFirst().op() instanceof Op.Relu ? readers.getFirst() : node;
    }

    /** Whether the node is read by nothing but losses: its value is then wanted in fp32. */
    boolean isLogits(Node node) {
        return consumers.getOrDefault(node, List.of()).stream()
                .allMatch(reader -> reader.op() instanceof Op.SoftmaxCrossEntropy
                        || reader.op() instanceof Op.Distillation);
    }

    boolean needsGradient(Node node) {
        return needsGradient.contains(node);
    }

    /** Plain memory for one consumer's contribution to the node's gradient. */
    FloatTensor gradientFor(Node node) {
        FloatTensor tensor = node.op() instanceof Op.Parameter(String name) && consumers.get(node).size() == 1
                ? bound(node, binding.gradient(name)) : region.tensor(node.shape());
        contribute(node, new Slot.Plain(tensor));
        return tensor;
    }

    void contribute(Node node, Slot slot) {
        contributions.computeIfAbsent(node, unused -> new ArrayList<>()).add(slot);
    }

    /** The contributions to the node's gradient; complete when the node's own {@code prepareBackward} runs. */
    List<Slot> contributions(Node node) {
        return contributions.getOrDefault(node, List.of());
    }

    /** The node's whole gradient, row-major. */
    Source gradient(Node node) {
        List<Slot> parts = contributions(node);
        if (parts.size() == 1) {
            return rules.plain(parts.getFirst(), node);
        }
        FloatTensor sum = region.tensor(node.shape());
        return new Source(sum, summation(sum, parts, node));
    }

    private void sumInto(FloatTensor target, List<Slot> parts) {
        boolean alreadyThere = parts.size() == 1 && parts.getFirst() instanceof Slot.Plain(FloatTensor tensor)
                && tensor.segment().address() == target.segment().address();
        if (!alreadyThere) {
            parameterSums.add(summation(target, parts, null));
        }
    }

    private Runnable summation(FloatTensor target, List<Slot> parts, Node node) {
        List<Source> sources = parts.stream().map(part -> rules.plain(part, node)).toList();
        return () -> {
            target.fill(0f);
            for (int i = 0; i < sources.size(); i++) {
                Source source = sources.get(i);
                source.refresh().run();
                rules.addTo(target, source.tensor());
            }
        };
    }

    private static FloatTensor bound(Node node, FloatTensor tensor) {
        if (tensor == null || !Arrays.equals(tensor.shape(), node.shape())) {
            throw new IllegalArgumentException("the binding gives " + tensor + " for " + node);
        }
        return tensor;
    }

    private void findGradients(List<Node> order) {
        for (Node node : order) {
            boolean reaches = node.op() instanceof Op.Parameter;
            for (Node input : node.inputs()) {
                consumers.computeIfAbsent(input, unused -> new ArrayList<>()).add(node);
                reaches |= needsGradient.contains(input);
            }
            if (reaches) {
                needsGradient.add(node);
            }
        }
    }

    /** Inputs before users, by depth-first search with a stack of our own: graphs may be deeper than a thread's. */
    private static List<Node> topologicalOrder(Node root) {
        List<Node> order = new ArrayList<>();
        Set<Node> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Map<Node, Integer> next = new IdentityHashMap<>();
        Deque<Node> stack = new ArrayDeque<>();
        stack.push(root);
        seen.add(root);
        while (!stack.isEmpty()) {
            Node node = stack.peek();
            int child = next.merge(node, 1, Integer::sum) - 1;
            if (child < node.inputs().size()) {
                if (seen.add(node.input(child))) {
                    stack.push(node.input(child));
                }
            } else {
                order.add(stack.pop());
            }
        }
        return order;
    }
}
