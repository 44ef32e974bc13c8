package io.pare.exec;

import io.pare.kernel.Bits;
import io.pare.kernel.Kernels;
import io.pare.mem.CriticalSection;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Builds the steps of a tape: what exists while they are built, and the order in which they are.
 *
 * <p>Each build call of a step is one moment. Forward steps count from 0. For each segment, from the last one, the repeated
 * forward steps and the backward steps follow; then comes what follows a pass. {@link Storage} learns lifetimes from these moments.
 * The same goal gives the same calls in the same order each time.
 */
final class Compiler implements Building {
    private static final Kernels KERNELS = Kernels.active();

    private final Goal goal;
    private final Segments segments;
    private final Region region;
    private final Storage storage;
    private final CriticalSection section;
    private final Binding binding;
    private final Pass pass = new Pass();
    private final MemorySegment labels;
    private final List<StepFactory> factories;
    private final Map<String, FloatTensor> inputs = new HashMap<>();
    private final Map<Value, Buffer> values = new IdentityHashMap<>();
    private final Map<Value, List<Buffer>> contributions = new IdentityHashMap<>();
    private final Map<Value, List<Value>> consumers = new IdentityHashMap<>();
    private final Set<Value> needsGradient = Collections.newSetFromMap(new IdentityHashMap<>());
    /** What the backward step that is being built adds to parameters' gradients. */
    private final List<Runnable> additions = new ArrayList<>();
    /** The parameters whose gradients are whole after the backward step that is being built. */
    private final List<String> finishing = new ArrayList<>();
    private final List<List<String>> finished = new ArrayList<>();
    private final List<Runnable> sums = new ArrayList<>();
    private final List<Runnable> once = new ArrayList<>();
    private final Step[] steps;
    private final int[] repeated;
    private final int[] reversed;
    private final Source output;
    private int moment;
    private long randomTaken;

    private Compiler(Goal goal, Segments segments, Region region, Storage storage, CriticalSection section,
            Binding binding) {
        this.goal = goal;
        this.segments = segments;
        this.region = region;
        this.storage = storage;
        this.section = section;
        this.binding = binding;
        findReaders();
        this.labels = storage.permanent((long) goal.batch() * Integer.BYTES);
        this.factories = goal.backend().factories().stream().map(maker -> maker.apply(this)).toList();
        this.steps = forwardSteps();
        this.repeated = new int[steps.length];
        this.reversed = new int[steps.length];
        for (int i = 0; i < steps.length; i++) {
            finished.add(List.of());
        }
        if (goal.training()) {
            for (int segment = segments.count() - 1; segment >= 0; segment--) {
                prepareBackward(segment);
            }
            sumGradients();
            moment++;
        }
        this.output = plain(goal.root());
    }

    /**
     * Binds a goal to memory.
     *
     * @param region owner of native handles
     * @param storage where steps take their memory
     * @param section entered by every pass; learns the regions of parameters
     */
    static Program compile(Goal goal, Segments segments, Region region, Storage storage, CriticalSection section,
            Binding binding) {
        Compiler done = new Compiler(goal, segments, region, storage, section, binding);
        return new Program(done.steps, segments, done.repeated, done.reversed, done.sums.toArray(Runnable[]::new),
                done.finished, done.inputs, done.labels, done.output, done.pass, done.once,
                done.factories.stream().mapToInt(StepFactory::reorders).sum());
    }

    private void findReaders() {
        for (Value node : goal.order()) {
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

    private Step[] forwardSteps() {
        List<Step> built = new ArrayList<>();
        for (Value node : goal.order()) {
            switch (node.op()) {
                case Operation.Input(String name) -> {
                    FloatTensor tensor =
                            new FloatTensor(storage.permanent(node.count() * Float.BYTES), node.shape());
                    inputs.put(name, tensor);
                    values.put(node, new Buffer.Plain(tensor));
                }
                case Operation.Parameter(String name) ->
                        values.put(node, new Buffer.Plain(bound(node, binding.value(name))));
                case Operation.State(String name) ->
                        values.put(node, new Buffer.Plain(bound(node, binding.value(name))));
                case Operation.Apply _,Operation.Reshape _,Operation.SoftmaxCrossEntropy _,Operation.Distillation _,Operation.BinaryCrossEntropy _,Operation.SquaredError _ -> {
                    // The step of the node before may compute this one as well.
                    if (!values.containsKey(node)) {
                        built.add(step(node));
                        moment++;
                    }
                }
            }
        }
        return built.toArray(Step[]::new);
    }

    private Step step(Value node) {
        for (StepFactory factory : factories) {
            Optional<Step> step = factory.step(node);
            if (step.isPresent()) {
                return step.get();
            }
        }
        throw new IllegalArgumentException("the backend has no step for " + node);
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
                steps[i] = new AddingStep(steps[i], additions.toArray(Runnable[]::new));
                additions.clear();
            }
            finished.set(i, List.copyOf(finishing));
            finishing.clear();
            reversed[i] = moment++;
        }
    }

    /** Brings the gradients of parameters that several steps contribute to, or none, where the binding wants them. */
    private void sumGradients() {
        for (Value node : goal.order()) {
            if (node.op() instanceof Operation.Parameter(String name) && needsGradient.contains(node)) {
                FloatTensor target = bound(node, binding.gradient(name));
                List<Buffer> all = contributions(node);
                boolean alreadyThere = all.size() == 1 && all.getFirst() instanceof Buffer.Plain(FloatTensor tensor)
                        && tensor.segment().address() == target.segment().address();
                if (!alreadyThere && !(all.isEmpty() && goal.adds())) {
                    sums.add(summation(target, all, node, !goal.adds()));
                }
            }
        }
    }

    /** Adds all contributions to what is there, or to zero. */
    private Runnable summation(FloatTensor target, List<Buffer> all, Value node, boolean fromZero) {
        List<Source> sources = all.stream().map(part -> part.plain(this, node)).toList();
        return () -> {
            if (fromZero) {
                target.fill(0f);
            }
            for (int i = 0; i < sources.size(); i++) {
                Source source = sources.get(i);
                source.refresh().run();
                add(target, source.tensor());
            }
        };
    }

    private static void add(FloatTensor target, FloatTensor addend) {
        KERNELS.add(target.segment(), 0, addend.segment(), 0, target.segment(), 0, target.count());
    }

    private FloatTensor bound(Value node, FloatTensor tensor) {
        if (tensor == null || !Arrays.equals(tensor.shape(), node.shape())) {
            throw new IllegalArgumentException("the binding gives " + tensor + " for " + node);
        }
        section.on(tensor.segment());
        return tensor;
    }

    private List<Value> readers(Value node) {
        return consumers.getOrDefault(node, List.of());
    }

    /** Whether a parameter has one reader, which then writes its whole gradient. */
    private boolean isReadOnce(Value parameter) {
        return readers(parameter).size() == 1;
    }

    @Override
    public Region region() {
        return region;
    }

    @Override
    public int batch() {
        return goal.batch();
    }

    @Override
    public boolean training() {
        return goal.training();
    }

    @Override
    public boolean frozen() {
        return goal.frozen();
    }

    @Override
    public int parts() {
        return goal.parts();
    }

    @Override
    public @Nullable Together together() {
        return goal.training() ? goal.together() : null;
    }

    @Override
    public Pass pass() {
        return pass;
    }

    @Override
    public MemorySegment labels() {
        return labels;
    }

    @Override
    public @Nullable Bits mask(Value parameter) {
        return parameter.op() instanceof Operation.Parameter(String name) ? binding.mask(name) : null;
    }

    @Override
    public long takeRandom(long count) {
        long first = randomTaken;
        randomTaken += count * goal.parts();
        return first;
    }

    @Override
    public MemorySegment allocate(long bytes, @Nullable MemorySegment replaced) {
        return storage.allocate(bytes, replaced, moment);
    }

    @Override
    public MemorySegment keep(long bytes) {
        return storage.permanent(bytes);
    }

    @Override
    public void once(Runnable work) {
        once.add(work);
    }

    @Override
    public MemorySegment scratch(long bytes) {
        return storage.scratch(bytes, moment);
    }

    @Override
    public void uses(MemorySegment used) {
        storage.use(used, moment);
    }

    @Override
    public void writtenByLoss(FloatTensor gradient) {
        storage.use(gradient.segment(), steps.length - 1);
    }

    @Override
    public Buffer value(Value node) {
        return values.get(node);
    }

    @Override
    public void value(Value node, Buffer buffer) {
        values.put(node, buffer);
    }

    @Override
    public Value onlyReader(Value node) {
        List<Value> readers = readers(node);
        return readers.size() == 1 ? readers.getFirst() : node;
    }

    @Override
    public boolean isLogits(Value node) {
        return readers(node).stream().allMatch(reader -> switch (reader.op()) {
            case Operation.SoftmaxCrossEntropy _,Operation.Distillation _,Operation.BinaryCrossEntropy _,Operation.SquaredError _ ->
                    true;
            case Operation.Input _,Operation.Parameter _,Operation.State _,Operation.Apply _,Operation.Reshape _ ->
                    false;
        });
    }

    @Override
    public boolean needsGradient(Value node) {
        return needsGradient.contains(node);
    }

    @Override
    public FloatTensor gradientFor(Value node, @Nullable FloatTensor replaced) {
        FloatTensor tensor;
        if (!(node.op() instanceof Operation.Parameter(String name) && isReadOnce(node))) {
            tensor = tensor(replaced, node.shape());
        } else if (!goal.adds()) {
            finishing.add(name);
            tensor = bound(node, binding.gradient(name));
        } else {
            finishing.add(name);
            FloatTensor sum = bound(node, binding.gradient(name));
            FloatTensor part = tensor(node.shape());
            additions.add(() -> add(sum, part));
            return part;
        }
        contribute(node, new Buffer.Plain(tensor));
        return tensor;
    }

    @Override
    public @Nullable FloatTensor gradientSum(Value node) {
        if (!(goal.adds() && node.op() instanceof Operation.Parameter(String name) && isReadOnce(node))) {
            return null;
        }
        finishing.add(name);
        return bound(node, binding.gradient(name));
    }

    @Override
    public void contribute(Value node, Buffer buffer) {
        contributions.computeIfAbsent(node, unused -> new ArrayList<>()).add(buffer);
    }

    @Override
    public List<Buffer> contributions(Value node) {
        return contributions.getOrDefault(node, List.of());
    }

    @Override
    public Source gradient(Value node) {
        List<Buffer> all = contributions(node);
        if (all.size() == 1) {
            return all.getFirst().plain(this, node);
        }
        FloatTensor sum = tensor(node.shape());
        return new Source(sum, summation(sum, all, node, true));
    }
}
