package io.pare.exec;

import io.pare.mem.CriticalSection;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mem.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A graph that is bound to memory and ready to run, forward and backward, any number of times.
 *
 * <p>All memory and native handles are taken at compile time from the region, which owns them; a pass allocates nothing.
 * Values and gradients that are never live at the same time share memory: a tape is compiled twice, first to find the
 * lifetimes, then into the places that follow from them. Inputs and labels stay as they are; the output, and what
 * {@link #backward} needs, stay until the next pass of this tape or of one that shares its {@link Workspace}.
 *
 * <p>A tape is not thread-safe: one thread at a time runs it and those that share its workspace, and always a platform
 * thread; a second one gets {@link IllegalStateException}. The regions of the tape and of its parameters stay open while
 * it runs; after they are closed it throws {@link IllegalStateException}.
 */
public final class Tape {
    private static final Follower NOBODY = step -> {
    };

    private final Workspace workspace;
    private final CriticalSection section;
    private final Program program;
    private final Step[] steps;
    private final Segments segments;
    private final Pass pass;
    private final boolean training;
    private final MemoryPlan plan;
    private final MemorySegment memory;
    /** The thread of the forward pass whose values are there; {@code null} for none. */
    private @Nullable Thread passed;

    /** @param plan of {@code memory}; both are {@code null} where everything has memory of its own */
    private Tape(Region region, Workspace workspace, Goal goal, Binding binding, Segments segments, MemoryPlan plan,
            MemorySegment memory) {
        this.workspace = workspace;
        this.plan = plan;
        this.memory = memory;
        this.training = goal.training();
        this.section = new CriticalSection(workspace.oneThread()).on(region);
        Storage storage = plan == null ? new Storage.Separate(region) : plan.in(memory, region);
        this.program = Compiler.compile(goal, segments, region, storage, section, binding);
        this.steps = program.steps();
        this.segments = segments;
        this.pass = program.pass();
    }

    private static Tape compile(Region region, Workspace workspace, Goal goal, Binding binding, boolean recompute) {
        try (var _ = new CriticalSection(workspace.oneThread()).on(region).enter()) {
            Tape tape;
            if (goal.backend().planned()) {
                SegmentChoice choice = SegmentChoice.of(goal, recompute);
                tape = new Tape(region, workspace, goal, binding, choice.segments(), choice.plan(),
                        workspace.take(choice.plan().bytes()));
            } else {
                tape = separate(region, workspace, goal, binding);
            }
            tape.program.once().forEach(Runnable::run);
            tape.readMasks();
            return tape;
        }
    }

    private static Tape separate(Region region, Workspace workspace, Goal goal, Binding binding) {
        return new Tape(region, workspace, goal, binding, Segments.NONE, null, null);
    }

    /**
     * The memory that a tape would take, found without taking any.
     *
     * @param shared bytes for values, gradients and working memory, which tapes of one {@link Workspace} share
     * @param own bytes of inputs, labels and what a frozen tape makes of its parameters
     */
    public record Footprint(long shared, long own) {}

    /**
     * {@return what {@link #training} or {@link #inference} would take, parameters apart; it depends on the number of
     * threads}
     *
     * @param root loss or output of the graph
     * @param training whether there is a backward pass
     * @param backend that computes
     * @param parts as in {@link #training(Region, Workspace, Value, Binding, Backend, int, boolean)}
     * @param recompute likewise
     * @throws IllegalArgumentException if the backend does not plan its memory
     */
    public static Footprint footprint(Value root, boolean training, Backend backend, int parts, boolean recompute) {
        MemoryPlan plan = SegmentChoice.of(Goal.of(root, training, backend, parts), recompute).plan();
        return new Footprint(plan.bytes(), plan.permanentBytes());
    }

    /**
     * Compiles a graph that ends in a loss for training.
     *
     * @param region owns the tape's memory and native handles
     * @param loss a graph that ends in a loss
     * @param binding gives parameters and gradients; they must outlive the tape
     * @param backend that computes
     * @return the tape, which lives as long as the region
     * @throws IllegalArgumentException if the backend does not compute the graph
     */
    public static Tape training(Region region, Value loss, Binding binding, Backend backend) {
        return training(region, new Workspace(region), loss, binding, backend, 1, false);
    }

    /**
     * As {@link #training(Region, Value, Binding, Backend)}, in memory that may be shared, for batches that are one of
     * several parts of a larger one.
     *
     * @param region owns the tape's native handles and its own memory
     * @param workspace shared with tapes that do not run at once
     * @param loss a graph that ends in a loss
     * @param binding gives parameters and gradients; they must outlive the tape
     * @param backend that computes
     * @param parts above 1, a backward pass adds to the gradients that are there, and the loss counts for one in so
     *            many: after so many passes from zero on, gradients are those of the mean over all parts. Batch
     *            statistics are those of a part
     * @param recompute whether most values are computed again in the backward pass rather than kept for it: the same
     *            bits in less memory and up to a third more time. Backends without a plan of memory keep them
     * @return the tape, which lives as long as the region
     * @throws IllegalArgumentException if the backend does not compute the graph
     */
    public static Tape training(Region region, Workspace workspace, Value loss, Binding binding, Backend backend,
            int parts, boolean recompute) {
        return training(region, workspace, loss, binding, backend, new Parts(parts, parts > 1), recompute);
    }

    /**
     * As {@link #training(Region, Workspace, Value, Binding, Backend, int, boolean)}, for parts that other processes see,
     * too.
     *
     * @param region owns the tape's native handles and its own memory
     * @param workspace shared with tapes that do not run at once
     * @param loss a graph that ends in a loss
     * @param binding gives parameters and gradients; they must outlive the tape
     * @param backend that computes
     * @param parts of a batch
     * @param recompute whether most values are computed again in the backward pass rather than kept for it
     * @return the tape, which lives as long as the region
     */
    public static Tape training(Region region, Workspace workspace, Value loss, Binding binding, Backend backend,
            Parts parts, boolean recompute) {
        return compile(region, workspace, Goal.of(loss, true, backend, parts), binding, recompute);
    }

    /** Follows a backward pass. */
    public interface Follower {
        /**
         * Is told of a step that is done.
         *
         * @param step number of the step in {@link #finished}
         */
        void done(int step);
    }

    /**
     * {@return the parameters whose gradients are whole once a step of the backward pass is done, by the number of the
     * step; those in no list are so after the pass}
     */
    public List<List<String>> finished() {
        return program.finished();
    }

    /**
     * Compiles a graph for forward passes: no gradients, dropout does nothing.
     *
     * @param region owns the tape's memory and native handles
     * @param output last value of the graph
     * @param binding gives parameters; they must outlive the tape
     * @param backend that computes
     * @return the tape, which lives as long as the region
     * @throws IllegalArgumentException if the backend does not compute the graph
     */
    public static Tape inference(Region region, Value output, Binding binding, Backend backend) {
        return inference(region, new Workspace(region), output, binding, backend);
    }

    /**
     * As {@link #inference(Region, Value, Binding, Backend)}, in memory that may be shared.
     *
     * @param region owns the tape's native handles and its own memory
     * @param workspace shared with tapes that do not run at once
     * @param output last value of the graph
     * @param binding gives parameters; they must outlive the tape
     * @param backend that computes
     * @return the tape, which lives as long as the region
     */
    public static Tape inference(Region region, Workspace workspace, Value output, Binding binding, Backend backend) {
        return compile(region, workspace, Goal.of(output, false, backend, 1), binding, false);
    }

    /**
     * As {@link #inference(Region, Workspace, Value, Binding, Backend)}, for parameters whose values are there and never
     * change again: what steps make of them, they make here and not in each pass.
     *
     * @param region owns the tape's native handles and its own memory
     * @param workspace shared with tapes that do not run at once
     * @param output last value of the graph
     * @param binding gives parameters, which never change again
     * @param backend that computes
     * @return the tape, which lives as long as the region
     */
    public static Tape frozen(Region region, Workspace workspace, Value output, Binding binding, Backend backend) {
        return compile(region, workspace, Goal.frozen(output, backend), binding, false);
    }

    /** As {@link #training} or {@link #inference}, with memory of its own for everything: what sharing must be equal to. */
    static Tape separate(Region region, Value root, Binding binding, boolean training, Backend backend) {
        return separate(region, new Workspace(region), Goal.of(root, training, backend, 1), binding);
    }

    /** The plan that the tape was built by; {@code null} where everything has memory of its own. */
    MemoryPlan plan() {
        return plan;
    }

    /**
     * From now on fills memory with NaN where it is dead: all of it before a pass, and each block after the step that uses
     * it last. A read of dead memory then yields NaN, which tests detect.
     */
    void poison() {
        for (int i = 0; i < steps.length; i++) {
            steps[i] = new PoisonedStep(steps[i], pass, memory, i == 0 ? plan.blocks() : List.of(), deadAfter(i),
                    deadAfter(program.repeated()[i]), deadAfter(program.reversed()[i]));
        }
    }

    private List<MemoryPlan.Block> deadAfter(int when) {
        return plan.blocks().stream().filter(block -> block.endsAt(when)).toList();
    }

    /**
     * {@return the memory of an input, for the caller to fill before {@link #forward}}
     *
     * @param name of an {@link Operation.Input}
     * @throws IllegalArgumentException if the graph has none of that name
     */
    public FloatTensor input(String name) {
        FloatTensor tensor = program.inputs().get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no input '" + name + "'; there are " + program.inputs().keySet());
        }
        return tensor;
    }

    /**
     * {@return the batch's labels, ints, for the caller to fill before {@link #forward} when the graph ends in a
     * loss}
     */
    public MemorySegment labels() {
        return program.labels();
    }

    /**
     * Reads which weights the masks leave: call it when {@link Binding#mask} has changed. Sparse tapes write zero for the
     * gradients of the others; dense ones know no masks.
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

    /**
     * As {@link #forward(long)}, for one of the parts of a batch, from 0: dropout zeroes what it would in the whole.
     *
     * @param randomKey fixes what dropout zeroes
     * @param ofParts number of the part, from 0
     */
    public void forward(long randomKey, int ofParts) {
        try (var _ = section.enter()) {
            pass.begin(randomKey, ofParts);
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
        backward(NOBODY);
    }

    /**
     * As {@link #backward()}.
     *
     * @param follower called by this thread after each step
     */
    public void backward(Follower follower) {
        if (!training) {
            throw new IllegalStateException("compiled for inference: there is no backward pass");
        }
        try (var _ = section.enter()) {
            checkPassed();
            passed = null;
            runBackward(follower);
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

    private void runBackward(Follower follower) {
        for (int segment = segments.count() - 1; segment >= 0; segment--) {
            int start = segments.start(segment);
            int end = segments.end(segment, steps.length);
            if (segment + 1 < segments.count()) {
                pass.repeat(true);
                for (int i = start; i < end; i++) {
                    steps[i].forward();
                }
                pass.repeat(false);
            }
            for (int i = end - 1; i >= start; i--) {
                steps[i].backward();
                follower.done(i);
            }
        }
        for (Runnable sum : program.sums()) {
            sum.run();
        }
    }

    /** {@return mean loss over the batch of the last forward pass} */
    public double loss() {
        return pass.loss();
    }

    /** {@return samples of the last forward pass whose largest logit is the label's} */
    public long correct() {
        return pass.correct();
    }

    /** {@return the value of the node that the tape was compiled for; for a loss see {@link #loss}} */
    public FloatTensor output() {
        Source output = program.output();
        try (var _ = section.enter()) {
            output.refresh().run();
        }
        return output.tensor();
    }

    /** {@return how many layout conversions one forward and backward pass executes at most} */
    public int reorders() {
        return program.reorders();
    }
}
