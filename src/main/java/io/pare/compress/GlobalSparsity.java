package io.pare.compress;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.List;
import java.util.Locale;

/**
 * At most so many non-zeros in all tensors together; how many each gets follows from the weights.
 *
 * <p>Each tensor keeps its largest magnitudes. Under {@link Score#MAGNITUDE} the projection is the Euclidean one onto
 * the union; {@link Score#LAMP} compares tensors by the layer-adaptive score of Lee et al. (2010.07611), the share of a
 * weight's square in the squares of all that are no smaller, which needs no weights between layers and never empties
 * one.
 *
 * @param total non-zeros in all
 * @param score what makes weights of different tensors comparable
 * @param wires where given, units that nobody reads and units that read nothing are emptied, and what they had goes to
 *            others: weights there cost storage and change nothing but a constant
 */
public record GlobalSparsity(long total, Score score, List<Wire> wires) implements Constraint {
    static final String KEPT = "kept";
    private static final int ROUNDS = 6;

    /**
     * Units, which are rows, of one tensor feed columns of another, by index in the constraint's list.
     *
     * @see Link
     */
    public record Wire(int producer, int consumer) {}

    /** What is compared across tensors. */
    public enum Score {
        MAGNITUDE, LAMP
    }

    public GlobalSparsity {
        wires = List.copyOf(wires);
        if (total < 1) {
            throw new IllegalArgumentException("a total of " + total + " non-zeros leaves no network");
        }
    }

    @Override
    public boolean joint() {
        return true;
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, Memory memory, Projections kernels) {
        select(from, to, memory, kernels);
        for (int round = 0; round < ROUNDS && !wires.isEmpty(); round++) {
            if (!DeadUnits.remove(to, wires)) {
                return;
            }
            // What was emptied is taken off the list, and the total is chosen again from what is left.
            boolean[][] dead = DeadUnits.find(to, wires);
            for (int i = 0; i < from.size(); i++) {
                float[] alive = from.get(i).toArray();
                DeadUnits.clear(alive, i, from, dead, wires);
                to.get(i).copyFrom(alive);
            }
            select(to, to, memory, kernels);
        }
        if (!wires.isEmpty()) {
            DeadUnits.remove(to, wires);
        }
    }

    private void select(List<FloatTensor> from, List<FloatTensor> to, Memory memory, Projections kernels) {
        // No tensor can get more than all: of larger ones only that many have to be ranked.
        for (int i = 0; i < from.size(); i++) {
            Projector.topK(kernels, from.get(i), to.get(i), total);
        }
        long[] kept = Allotment.counts(to, total, score);
        for (int i = 0; i < from.size(); i++) {
            memory.put(KEPT, i, kept[i]);
            Projector.topK(kernels, to.get(i), to.get(i), kept[i]);
        }
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, Memory memory) {
        return Feasibility.atMost("non-zeros", values.stream().mapToLong(Projector::nonzeros).sum(), total);
    }

    @Override
    public String describe() {
        return "at most " + total + " non-zeros in all, by " + score.name().toLowerCase(Locale.ROOT);
    }
}
