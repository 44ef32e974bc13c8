package io.pare.exec;

import io.pare.kernel.Bits;
import io.pare.mem.CriticalSection;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mem.Workspace;
import io.pare.net.Op;
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
 * Values and gradients that are never needed at the same time share memory: a tape is compiled twice, first to find who
 * needs what from when to when, then into the places that follow from that. Inputs and labels stay as they are; the output,
 * and what {@link #backward} needs, stay until the next pass of this tape or of one that shares its {@link Workspace}.
 *
 * <p>A tape is not thread-safe: one thread at a time runs it and those that share its workspace, and always a platform
 * thread; a second one gets {@link IllegalStateException}. The regions of the tape and of its parameters stay open while
 * it runs; after they are closed it throws {@link IllegalStateException}.
 */
public final class Tape {
    /** More of them would save little more. */
    private static final int MOST_SEGMENTS = 12;

    private final Region region;
    private final Storage storage;
    private final Workspace workspace;
    private final CriticalSection section;
    private final Binding binding;
    private final int parts;
    private final boolean training;
    private final Source output;
    private final Rules rules;
    private final Step[] steps;
    private final Segments segments;
    /** When each step computes again, or 0, and when it computes gradients. */
    private final int[] repeated;
    private final int[] reversed;
    private final List<Runnable> parameterSums = new ArrayList<>();
    private final Map<Value, Slot> values = new IdentityHashMap<>();
    private final Map<Value, List<Slot>> contributions = new IdentityHashMap<>();
    private final Map<Value, List<Value>> consumers = new IdentityHashMap<>();
    private final Set<Value> needsGradient = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<String, FloatTensor> inputs = new HashMap<>();
    private final MemorySegment labels;
    private final List<Runnable> additions = new ArrayList<>();
    private MemoryPlan plan;
    private MemorySegment memory;
    /** Which step is being built: forward ones from 0 on, then backward ones, then what follows a pass. */
    private int moment;
    /** The thread of the forward pass whose values are there; {@code null} for none. */
    private Thread passed;
    private boolean repeating;
    private int part;
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

    private Tape(Region region, Storage storage, Workspace workspace, Value root, List<Value> order, Binding binding,
            boolean training, Way way, int parts, Segments segments) {
        this.segments = segments;
        this.region = region;
        this.storage = storage;
        this.workspace = workspace;
        this.section = new CriticalSection(workspace.oneThread()).on(region);
        this.binding = binding;
        this.training = training;
        this.parts = parts;
        findGradients(order);
        int batch =
                order.stream().filter(node -> node.op() instanceof Operation.Input).mapToInt(node -> node.size(0))
                        .findFirst()
                        .orElse(0);
        this.labels = storage.permanent((long) batch * Integer.BYTES);
        this.rules = new Rules(this, way, batch);
        List<Step> compiled = new ArrayList<>();
        for (Value node : order) {
            switch (node.op()) {
                case Operation.Input(String name) -> {
                    FloatTensor tensor =
                            new FloatTensor(storage.permanent(node.count() * Float.BYTES), node.shape());
                    inputs.put(name, tensor);
                    values.put(node, new Slot.Plain(tensor));
                }
                case Operation.Parameter(String name) ->
                        values.put(node, new Slot.Plain(bound(node, binding.value(name))));
                case Operation.State(String name) -> values.put(node, new Slot.Plain(bound(node, binding.value(name))));
                default -> {
                    // The step of the node before may have computed this one as well.
                    if (!values.containsKey(node)) {
                        compiled.add(rules.step(node));
                        moment++;
                    }
                }
            }
        }
        this.steps = compiled.toArray(Step[]::new);
        this.repeated = new int[steps.length];
        this.reversed = new int[steps.length];
        if (training) {
            for (int segment = segments.count() - 1; segment >= 0; segment--) {
                prepareBackward(segment);
            }
            for (Value node : order) {
                if (node.op() instanceof Operation.Parameter(String name) && needsGradient.contains(node)) {
                    sumInto(bound(node, binding.gradient(name)), contributions.getOrDefault(node, List.of()));
                }
            }
            moment++;
        }
        this.output = plain(root);
    }

    private void prepareBackward(int segment) {
        int start = segments.start(segment);
        int end = segments.end(segment, steps.length);
        for (int i = start; i < end && segment + 1 < segments.count(); i++) {
            repeated[i] = moment++;
            storage.repeat(i, repeated[i]);
        }
        for (int i = end - 1; i >= start; i--) {
            steps[i].prepareBackward();
            if (!additions.isEmpty()) {
                steps[i] = new Adding(steps[i], additions.toArray(Runnable[]::new));
                additions.clear();
            }
            reversed[i] = moment++;
        }
    }

    private static Tape compile(Region region, Workspace workspace, Value root, Binding binding, boolean training,
            Way way, int parts, boolean recompute) {
        try (var _ = new CriticalSection(workspace.oneThread()).on(region).enter()) {
            List<Value> order = topologicalOrder(root);
            Tape tape;
            if (way == Way.SPARSE) {
                tape = new Tape(region, new Storage.Separate(region), workspace, root, order, binding, training, way,
                        parts, Segments.NONE);
            } else {
                Survey survey = survey(root, order, training, way, parts, recompute);
                MemoryPlan plan = survey.plan();
                MemorySegment memory = workspace.take(plan.bytes());
                tape = new Tape(region, plan.in(memory, region), workspace, root, order, binding, training, way,
                        parts, survey.segments());
                tape.plan = plan;
                tape.memory = memory;
            }
            tape.readMasks();
            return tape;
        }
    }

    /** What a tape of {@code steps} forward steps in such segments takes. */
    private record Survey(MemoryPlan plan, Segments segments, int steps) {
        /** Bytes that each step leaves for the backward pass. */
        long[] kept() {
            long[] kept = new long[steps];
            plan.blocks().stream().filter(block -> block.first() < steps && block.lastsTo(steps))
                    .forEach(block -> kept[block.first()] += block.size());
            return kept;
        }
    }

    /** Where values may be computed twice, in that number of segments that takes least memory. */
    private static Survey survey(Value root, List<Value> order, boolean training, Way way, int parts,
            boolean recompute) {
        Survey best = survey(root, order, training, way, parts, Segments.NONE);
        if (recompute && training) {
            long[] kept = best.kept();
            for (int count = 2; count <= Math.min(MOST_SEGMENTS, kept.length); count++) {
                Survey next = survey(root, order, training, way, parts, Segments.of(kept, count));
                best = next.plan().bytes() < best.plan().bytes() ? next : best;
            }
        }
        return best;
    }

    private static Survey survey(Value root, List<Value> order, boolean training, Way way, int parts,
            Segments segments) {
        Map<String, long[]> shapes = new HashMap<>();
        for (Value node : order) {
            if (node.op() instanceof Operation.Parameter(String name)) {
                shapes.put(name, node.shape());
            } else if (node.op() instanceof Operation.State(String name)) {
                shapes.put(name, node.shape());
            }
        }
        MemorySurvey survey = new MemorySurvey(shapes, segments);
        try (Region handles = Region.confined("memory survey")) {
            Tape tape = new Tape(handles, survey, new Workspace(handles), root, order, survey, training, way, parts,
                    segments);
            return new Survey(survey.plan(), segments, tape.steps.length);
        }
    }

    /**
     * The memory that a tape would take, found without taking any.
     *
     * @param shared bytes for values, gradients and working memory, which tapes of one {@link Workspace} share
     * @param own bytes of inputs and labels
     */
    public record Footprint(long shared, long own) {}

    /**
     * What {@link #training} or {@link #inference} would take, parameters apart. It depends on the number of threads.
     *
     * @param parts as in {@link #training(Region, Workspace, Value, Binding, boolean, Precision, int, boolean)}
     * @param recompute likewise
     */
    public static Footprint footprint(Value root, boolean training, boolean useNative, Precision precision, int parts,
            boolean recompute) {
        MemoryPlan plan =
                survey(root, topologicalOrder(root), training, Way.dense(useNative, precision), parts, recompute)
                        .plan();
        return new Footprint(plan.bytes(), plan.permanentBytes());
    }

    /** Compiles a graph that ends in a loss for training. */
    public static Tape training(Region region, Value loss, Binding binding, boolean useNative) {
        return training(region, loss, binding, useNative, Precision.FP32);
    }

    /**
     * As {@link #training(Region, Value, Binding, boolean)}, in the given numbers.
     *
     * @throws IllegalArgumentException if {@link Precision#obstacle} names one, or without {@code useNative}
     */
    public static Tape training(Region region, Value loss, Binding binding, boolean useNative, Precision precision) {
        return training(region, new Workspace(region), loss, binding, useNative, precision, 1, false);
    }

    /**
     * As {@link #training(Region, Value, Binding, boolean, Precision)}, in memory that may be shared, for batches that are
     * one of several parts of a larger one.
     *
     * @param parts above 1, a backward pass adds to the gradients that are there, and the loss counts for one in so many:
     *            after so many passes from zero on, gradients are those of the mean over all parts. Batch statistics are
     *            those of a part
     * @param recompute whether most values are computed again in the backward pass rather than kept for it: the same bits
     *            in less memory and up to a third more time
     */
    public static Tape training(Region region, Workspace workspace, Value loss, Binding binding, boolean useNative,
            Precision precision, int parts, boolean recompute) {
        return compile(region, workspace, loss, binding, true, Way.dense(useNative, precision), parts, recompute);
    }

    /** Compiles a graph for forward passes: no gradients, dropout does nothing. */
    public static Tape inference(Region region, Value output, Binding binding, boolean useNative) {
        return inference(region, output, binding, useNative, Precision.FP32);
    }

    /** As {@link #inference(Region, Value, Binding, boolean)}, in the given numbers; see {@link #training}. */
    public static Tape inference(Region region, Value output, Binding binding, boolean useNative, Precision precision) {
        return inference(region, new Workspace(region), output, binding, useNative, precision);
    }

    /** As {@link #inference(Region, Value, Binding, boolean, Precision)}, in memory that may be shared. */
    public static Tape inference(Region region, Workspace workspace, Value output, Binding binding, boolean useNative,
            Precision precision) {
        return compile(region, workspace, output, binding, false, Way.dense(useNative, precision), 1, false);
    }

    /**
     * As {@link #training}, where only the weights that {@link Binding#mask} leaves are multiplied.
     *
     * <p>For chains of convolutions of stride 1 without padding and with a bias, max-pooling whose windows do not overlap, linear layers
     * and ReLU, on batches of a multiple of {@link SparseRules#SAMPLES}; others throw
     * {@link IllegalArgumentException}. The work is that of the weights that are left.
     */
    public static Tape sparseTraining(Region region, Value loss, Binding binding) {
        return compile(region, new Workspace(region), loss, binding, true, Way.SPARSE, 1, false);
    }

    /** Whether {@link #sparseInference} takes a graph: all that is computed in it, and its batch, have sparse rules. */
    public static boolean hasSparseRules(Value output) {
        return topologicalOrder(output).stream().allMatch(node -> node.op() instanceof Operation.Input
                ? node.size(0) % SparseRules.SAMPLES == 0
                : node.inputs().isEmpty() || SparseRules.cover(node));
    }

    /** As {@link #inference}, under the conditions of {@link #sparseTraining}. */
    public static Tape sparseInference(Region region, Value output, Binding binding) {
        return compile(region, new Workspace(region), output, binding, false, Way.SPARSE, 1, false);
    }

    /** As {@link #training}, with memory of its own for everything: what sharing must be equal to. */
    static Tape separate(Region region, Value root, Binding binding, boolean training, boolean useNative,
            Precision precision) {
        return new Tape(region, new Storage.Separate(region), new Workspace(region), root, topologicalOrder(root),
                binding, training, Way.dense(useNative, precision), 1, Segments.NONE);
    }

    /** The plan that the tape was built by; {@code null} where everything has memory of its own. */
    MemoryPlan plan() {
        return plan;
    }

    /**
     * From now on fills memory with NaN where nobody needs it: all of it before a pass, and each block after the step that
     * used it last. Whoever reads what he should not shows.
     */
    void poison() {
        for (int i = 0; i < steps.length; i++) {
            steps[i] = new Poisoned(this, steps[i], i == 0 ? plan.blocks() : List.of(), deadAfter(i),
                    deadAfter(repeated[i]), deadAfter(reversed[i]));
        }
    }

    private List<MemoryPlan.Block> deadAfter(int when) {
        return plan.blocks().stream().filter(block -> block.endsAt(when)).toList();
    }

    private record Poisoned(Tape tape, Step step, List<MemoryPlan.Block> before, List<MemoryPlan.Block> afterForward,
            List<MemoryPlan.Block> afterRepeat, List<MemoryPlan.Block> afterBackward) implements Step {
        private void fill(List<MemoryPlan.Block> blocks) {
            blocks.forEach(block -> tape.memory.asSlice(block.offset(), block.bytes()).fill((byte) -1));
        }

        @Override
        public void readMasks() {
            step.readMasks();
        }

        @Override
        public void forward() {
            if (!tape.repeating) {
                fill(before);
            }
            step.forward();
            fill(tape.repeating ? afterRepeat : afterForward);
        }

        @Override
        public void prepareBackward() {
            throw new AssertionError("the tape is built");
        }

        @Override
        public void backward() {
            step.backward();
            fill(afterBackward);
        }
    }

    /** A step that adds its parameters' gradients to those that are there. */
    private record Adding(Step step, Runnable[] additions) implements Step {
        @Override
        public void forward() {
            step.forward();
        }

        @Override
        public void prepareBackward() {
            throw new AssertionError("the tape is built");
        }

        @Override
        public void backward() {
            step.backward();
            for (Runnable addition : additions) {
                addition.run();
            }
        }
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
        try (var _ = section.enter()) {
            for (int i = steps.length - 1; i >= 0; i--) {
                steps[i].readMasks();
            }
        }
    }

    /**
     * Computes every value.
     *
     * @param randomKey key of the pass for dropout: the same key gives the same zeros
     */
    public void forward(long randomKey) {
        forward(randomKey, 0);
    }

    /** As {@link #forward(long)}, for one of the parts of a batch, from 0: dropout zeroes what it would in the whole. */
    public void forward(long randomKey, int ofParts) {
        try (var _ = section.enter()) {
            key = randomKey;
            part = ofParts;
            passed = Thread.currentThread();
            workspace.claim(this);
            for (Step step : steps) {
                step.forward();
            }
        }
    }

    /**
     * Computes the gradient of the loss by every parameter, from the values of the last forward pass, which it uses up. It
     * is for the thread of that pass.
     */
    public void backward() {
        if (!training) {
            throw new IllegalStateException("compiled for inference: there is no backward pass");
        }
        try (var _ = section.enter()) {
            checkPassed();
            passed = null;
            runBackward();
        }
    }

    private void checkPassed() {
        if (passed == null) {
            throw new IllegalStateException("a backward pass takes a forward pass before it");
        }
        if (passed != Thread.currentThread()) {
            throw new IllegalStateException("a tape is used by two threads: the forward pass before was that of '"
                    + passed.getName() + "', the backward pass is that of '" + Thread.currentThread().getName() + "'");
        }
        if (!workspace.isClaimedBy(this)) {
            throw new IllegalStateException(
                    "what a backward pass needs is gone: since the forward pass another tape ran"
                            + " that shares its memory");
        }
    }

    private void runBackward() {
        for (int segment = segments.count() - 1; segment >= 0; segment--) {
            int start = segments.start(segment);
            int end = segments.end(segment, steps.length);
            if (segment + 1 < segments.count()) {
                repeating = true;
                for (int i = start; i < end; i++) {
                    steps[i].forward();
                }
                repeating = false;
            }
            for (int i = end - 1; i >= start; i--) {
                steps[i].backward();
            }
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
        try (var _ = section.enter()) {
            output.refresh().run();
        }
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

    /** Memory, filled with anything, until the last step that {@linkplain #uses uses} it. */
    MemorySegment allocate(long bytes) {
        return allocate(bytes, null);
    }

    /** As {@link #allocate(long)}, perhaps in place of memory that the step no longer needs when it begins to write. */
    MemorySegment allocate(long bytes, MemorySegment replaced) {
        return storage.allocate(bytes, replaced, moment);
    }

    FloatTensor tensor(long... shape) {
        return tensor(null, shape);
    }

    private FloatTensor tensor(FloatTensor replaced, long... shape) {
        return new FloatTensor(allocate(FloatTensor.count(shape) * Float.BYTES,
                replaced == null ? null : replaced.segment()), shape);
    }

    /** Working memory of the step that is being built. */
    MemorySegment scratch(long bytes) {
        return storage.scratch(bytes, moment);
    }

    /**
     * Says that the pass of a step that is being built uses memory. Said by those who hand memory out already; of steps
     * it takes those to say it whose backward pass needs what the forward pass had.
     */
    void uses(MemorySegment used) {
        storage.use(used, moment);
    }

    void uses(FloatTensor used) {
        uses(used.segment());
    }

    /** Says that the forward pass of the last step writes this already. */
    void writtenByLoss(FloatTensor gradient) {
        storage.use(gradient.segment(), steps.length - 1);
    }

    /** Whether a forward pass is made once more, for the backward pass: what has an effect beyond it must not have it twice. */
    boolean repeating() {
        return repeating;
    }

    /** Which part of a batch the pass sees. */
    int part() {
        return part;
    }

    /** How many batches add up to one. */
    int parts() {
        return parts;
    }

    long key() {
        return key;
    }

    /** Reserves {@code count} positions for each part among the random numbers of a pass; returns the first. */
    long takeRandom(long count) {
        long first = randomTaken;
        randomTaken += count * parts;
        return first;
    }

    void report(double meanLoss, long correctSamples) {
        this.loss = meanLoss;
        this.correct = correctSamples;
    }

    Slot value(Value node) {
        return values.get(node);
    }

    void value(Value node, Slot slot) {
        values.put(node, slot);
    }

    /** Takes plain memory for the node's value. */
    FloatTensor allocateValue(Value node) {
        return allocateValue(node, null);
    }

    /** As {@link #allocateValue(Value)}, perhaps in place of a value that the step overwrites as it reads. */
    FloatTensor allocateValue(Value node, FloatTensor replaced) {
        FloatTensor tensor = tensor(replaced, node.shape());
        values.put(node, new Slot.Plain(tensor));
        return tensor;
    }

    /** The node's value, row-major. */
    Source plain(Value node) {
        return rules.plain(values.get(node), node);
    }

    /** The mask of a parameter; {@code null} for none. */
    Bits mask(Value parameter) {
        return parameter.op() instanceof Operation.Parameter(String name) ? binding.mask(name) : null;
    }

    /** The ReLU that is the only one to read the node, which a step may compute with it; else the node itself. */
    Value withRelu(Value node) {
        List<Value> readers = consumers.getOrDefault(node, List.of());
        return readers.size() == 1 && readers.getFirst().op() instanceof Operation.Apply(Op.Relu _) ? readers.getFirst()
                : node;
    }

    /** Whether the node is read by nothing but losses: its value is then wanted in fp32. */
    boolean isLogits(Value node) {
        return consumers.getOrDefault(node, List.of()).stream()
                .allMatch(reader -> reader.op() instanceof Operation.SoftmaxCrossEntropy
                        || reader.op() instanceof Operation.Distillation);
    }

    boolean needsGradient(Value node) {
        return needsGradient.contains(node);
    }

    /** Plain memory for one consumer's contribution to the node's gradient. */
    FloatTensor gradientFor(Value node) {
        return gradientFor(node, null);
    }

    /** As {@link #gradientFor(Value)}, perhaps in place of a gradient that the step overwrites as it reads. */
    FloatTensor gradientFor(Value node, FloatTensor replaced) {
        FloatTensor tensor;
        if (!(node.op() instanceof Operation.Parameter(String name) && consumers.get(node).size() == 1)) {
            tensor = tensor(replaced, node.shape());
        } else if (parts == 1) {
            tensor = bound(node, binding.gradient(name));
        } else {
            FloatTensor sum = bound(node, binding.gradient(name));
            FloatTensor part = tensor(node.shape());
            additions.add(() -> rules.addTo(sum, part));
            return part;
        }
        contribute(node, new Slot.Plain(tensor));
        return tensor;
    }

    /** The gradient of a parameter if the step itself is to add to what is there, else {@code null}. */
    FloatTensor gradientSum(Value node) {
        return parts > 1 && node.op() instanceof Operation.Parameter(String name) && consumers.get(node).size() == 1
                ? bound(node, binding.gradient(name)) : null;
    }

    void contribute(Value node, Slot slot) {
        contributions.computeIfAbsent(node, unused -> new ArrayList<>()).add(slot);
    }

    /** The contributions to the node's gradient; complete when the node's own {@code prepareBackward} runs. */
    List<Slot> contributions(Value node) {
        return contributions.getOrDefault(node, List.of());
    }

    /** The node's whole gradient, row-major. */
    Source gradient(Value node) {
        List<Slot> all = contributions(node);
        if (all.size() == 1) {
            return rules.plain(all.getFirst(), node);
        }
        FloatTensor sum = tensor(node.shape());
        return new Source(sum, summation(sum, all, node, true));
    }

    private void sumInto(FloatTensor target, List<Slot> all) {
        boolean alreadyThere = all.size() == 1 && all.getFirst() instanceof Slot.Plain(FloatTensor tensor)
                && tensor.segment().address() == target.segment().address();
        if (!alreadyThere && !(all.isEmpty() && parts > 1)) {
            parameterSums.add(summation(target, all, null, parts == 1));
        }
    }

    /** Adds all contributions to what is there, or to zero. */
    private Runnable summation(FloatTensor target, List<Slot> all, Value node, boolean fromZero) {
        List<Source> sources = all.stream().map(part -> rules.plain(part, node)).toList();
        return () -> {
            if (fromZero) {
                target.fill(0f);
            }
            for (int i = 0; i < sources.size(); i++) {
                Source source = sources.get(i);
                source.refresh().run();
                rules.addTo(target, source.tensor());
            }
        };
    }

    private FloatTensor bound(Value node, FloatTensor tensor) {
        if (tensor == null || !Arrays.equals(tensor.shape(), node.shape())) {
            throw new IllegalArgumentException("the binding gives " + tensor + " for " + node);
        }
        section.on(tensor.segment());
        return tensor;
    }

    private void findGradients(List<Value> order) {
        for (Value node : order) {
            boolean reaches = node.op() instanceof Operation.Parameter;
            for (Value input : node.inputs()) {
                consumers.computeIfAbsent(input, unused -> new ArrayList<>()).add(node);
                reaches |= needsGradient.contains(input);
            }
            if (reaches) {
                needsGradient.add(node);
            }
        }
    }

    /** Inputs before users, by depth-first search with a stack of our own: graphs may be deeper than a thread's. */
    private static List<Value> topologicalOrder(Value root) {
        List<Value> order = new ArrayList<>();
        Set<Value> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Map<Value, Integer> next = new IdentityHashMap<>();
        Deque<Value> stack = new ArrayDeque<>();
        stack.push(root);
        seen.add(root);
        while (!stack.isEmpty()) {
            Value node = stack.peek();
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
