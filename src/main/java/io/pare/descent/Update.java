package io.pare.descent;

import io.pare.natives.NativeThreads;
import io.pare.natives.Team;
import java.util.List;

/**
 * The optimiser's steps on all tensors of a network, divided over as many threads as oneDNN has.
 *
 * <p>The bits are the same for every number of threads. One thread computes where there are few elements. On 16 cores of
 * a Xeon one thread took 12 of the 97 ms of a ResNet-18 step in bf16, and 0.7 of the 2.9 ms of a LeNet-5 step.
 *
 * <p>One call at a time. Tensors are the caller's and must outlive it.
 */
public final class Update implements AutoCloseable {
    /** Elements below which waking threads costs more than they save. */
    private static final long FEW = 1 << 16;
    /** Boundaries of parts are multiples of this: whole bytes of a mask, and whole cache lines of floats. */
    private static final long GRAIN = 64;

    private final List<? extends Optimizer.Operand> operands;
    private final Team team;
    private final long total;
    private Optimizer optimizer;
    private double rate;
    private long step;

    /**
     * Takes as many threads as oneDNN has, if there are many elements.
     *
     * @param operands changed by steps; the caller's
     */
    public Update(List<? extends Optimizer.Operand> operands) {
        this(operands, NativeThreads.get());
    }

    Update(List<? extends Optimizer.Operand> operands, int threads) {
        long elements = 0;
        for (Optimizer.Operand operand : operands) {
            elements += operand.value().count();
        }
        this.operands = List.copyOf(operands);
        this.total = elements;
        this.team = new Team(elements < FEW ? 1 : threads, this::part);
    }

    /**
     * Takes a step on every tensor.
     *
     * @param optimizer the rule
     * @param rate learning rate
     * @param step number of the step, from 1
     */
    public void step(Optimizer optimizer, double rate, long step) {
        this.optimizer = optimizer;
        this.rate = rate;
        this.step = step;
        team.run();
    }

    /** A range of all elements, laid end to end. */
    private void part(int share, int shares) {
        long from = total * share / shares;
        long to = total * (share + 1) / shares;
        long first = 0;
        for (int i = 0; i < operands.size(); i++) {
            Optimizer.Operand operand = operands.get(i);
            long count = operand.value().count();
            long begin = boundary(from - first, count);
            long end = boundary(to - first, count);
            if (begin < end) {
                optimizer.step(operand, rate, step, begin, end);
            }
            first += count;
        }
    }

    /** The boundary in a tensor of {@code count} elements nearest to {@code at}, which may lie outside. */
    private static long boundary(long at, long count) {
        return at >= count ? count : Math.max(0, at) / GRAIN * GRAIN;
    }

    @Override
    public void close() {
        team.close();
    }
}
