package io.pare.compress.constraint;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.pare.kernel.Projections;
import io.pare.kernel.Span;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * At most so many non-zeros in all tensors together; how many each gets follows from the weights.
 *
 * <p>Each tensor keeps its largest magnitudes. Under {@link Score#MAGNITUDE} the projection is the Euclidean one onto
 * the union, and the weighted one is that of weighted changes. {@link Score#LAMP} compares tensors by the layer-adaptive
 * score of Lee et al. (2010.07611): the share of a weight's square in the squares of all that are no smaller. It needs no
 * weights between layers and never empties one.
 *
 * @param total non-zeros in all
 * @param score what makes weights of different tensors comparable
 * @param dependencies between tensors; where given, units that have no consumer or no input are emptied and their weights go to
 *            others: there they would cost storage and change nothing but a constant
 * @param counts of each tensor under {@link Score#COUNTS}, else empty
 * @param importance of each tensor under {@link Score#IMPORTANCE}; empty for equal ones
 * @param rate power of an element's bits by which its squared magnitude is divided before it is compared; 0 for none. Bits
 *            follow from the rows and columns of the projections before, so that thin ones are drained
 */
public record GlobalSparsity(long total, Score score, @JsonProperty("wires") List<Dependency> dependencies,
        List<Long> counts, List<Double> importance,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) double rate)
        implements SupportSet {
    static final String KEPT = "kept";
    private static final int ROUNDS = 3;
    private static final int MOST_RATE = 10;

    /**
     * The rows of one tensor are units that feed columns of another. Both are indices in the constraint's list.
     *
     * @param producer whose rows are the units
     * @param consumer whose columns read them
     */
    public record Dependency(int producer, int consumer) {}

    /** What is compared across tensors. */
    public enum Score {
        /** The magnitude itself. */
        MAGNITUDE,
        /** The layer-adaptive score. */
        LAMP,
        /** The square of the magnitude times the tensor's importance: a diagonal Fisher matrix, averaged by tensor. */
        IMPORTANCE,
        /**
         * The square of the magnitude times the element's own importance: a diagonal Fisher matrix. A projection that is
         * given no importance compares magnitudes.
         */
        FISHER,
        /** Nothing: each tensor has a count of its own. */
        COUNTS
    }

    /**
     * Copies the lists.
     *
     * @throws IllegalArgumentException if the total is below 1, or the rate is not 0 to {@value #MOST_RATE}
     */
    public GlobalSparsity {
        dependencies = List.copyOf(dependencies);
        counts = List.copyOf(counts);
        importance = List.copyOf(importance);
        if (total < 1) {
            throw new IllegalArgumentException("a total of " + total + " non-zeros leaves no network");
        }
        checkRate(rate);
    }

    /**
     * Refuses what is no rate.
     *
     * @param rate a power of bits
     * @throws IllegalArgumentException if it is not from 0 to {@value #MOST_RATE}
     */
    public static void checkRate(double rate) {
        if (!(rate >= 0 && rate <= MOST_RATE)) {
            throw new IllegalArgumentException("rate cannot be " + rate + ": it is a power from 0 to " + MOST_RATE);
        }
    }

    /**
     * Compares elements whatever it costs to store them.
     *
     * @param total non-zeros that stay, of all tensors together; at least 1
     * @param score by which elements of different tensors are compared
     * @param dependencies between tensors, for the removal of dead units
     * @param counts of each tensor under {@link Score#COUNTS}, else empty
     * @param importance of each tensor under {@link Score#IMPORTANCE}; empty for equal ones
     */
    public GlobalSparsity(long total, Score score, List<Dependency> dependencies, List<Long> counts,
            List<Double> importance) {
        this(total, score, dependencies, counts, importance, 0);
    }

    /**
     * Chooses by one score over all tensors, without counts and importance.
     *
     * @param total non-zeros that stay, of all tensors together; at least 1
     * @param score by which elements of different tensors are compared
     * @param dependencies between tensors, for the removal of dead units
     */
    public GlobalSparsity(long total, Score score, List<Dependency> dependencies) {
        this(total, score, dependencies, List.of(), List.of());
    }

    /**
     * {@return a constraint with a count for each tensor; what ties them is the removal of dead units}
     *
     * @param counts non-zeros that stay, in the order of the tensors
     * @param dependencies between tensors
     */
    public static GlobalSparsity counts(List<Long> counts, List<Dependency> dependencies) {
        return new GlobalSparsity(Math.max(1, counts.stream().mapToLong(Long::longValue).sum()), Score.COUNTS,
                dependencies,
                counts, List.of());
    }

    @Override
    public boolean joint() {
        return true;
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        if (rate == 0) {
            choose(from, to, memory, kernels);
        } else {
            rated(from, null, to, memory, kernels);
        }
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        if (rate == 0) {
            WeightedSupport.project(this, from, importance, to, memory, kernels);
        } else {
            rated(from, importance, to, memory, kernels);
        }
    }

    /** Projects by weights, or equal ones, that are divided by what elements cost to store. */
    private void rated(List<FloatTensor> from, @Nullable List<FloatTensor> weights, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        GlobalSparsity free = new GlobalSparsity(total, score, dependencies, counts, importance);
        try (Region region = Region.confined("rated weights")) {
            List<FloatTensor> divided = new ArrayList<>();
            for (int i = 0; i < from.size(); i++) {
                FloatTensor tensor = region.tensor(from.get(i).shape());
                if (weights == null) {
                    tensor.fill(1f);
                } else {
                    tensor.copyFrom(weights.get(i));
                }
                if (PositionCost.known(memory)) {
                    PositionCost.divide(from.get(i), tensor, i, rate, memory);
                }
                divided.add(tensor);
            }
            free.projectWeighted(from, divided, to, memory, kernels);
        }
        PositionCost.remember(to, memory);
    }

    private void choose(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        select(from, to, memory, kernels);
        if (dependencies.isEmpty()) {
            return;
        }
        List<float[]> alive = new ArrayList<>();
        from.forEach(tensor -> alive.add(tensor.toArray()));
        for (int round = 0; round < ROUNDS; round++) {
            boolean[][] dead = DeadUnits.find(to, dependencies);
            boolean changed = false;
            for (int i = 0; i < from.size(); i++) {
                changed |= DeadUnits.clear(alive.get(i), i, from, dead, dependencies);
            }
            if (!changed) {
                break;
            }
            // Excludes the weights of dead units and selects the total again from the rest.
            for (int i = 0; i < from.size(); i++) {
                to.get(i).copyFrom(alive.get(i));
            }
            select(to, to, memory, kernels);
        }
        DeadUnits.remove(to, dependencies);
        if (to.stream().anyMatch(tensor -> Projector.nonzeros(tensor) == 0)) {
            // Without a path all units are dead. Emptied tensors would pull all weights to zero for good; the selected
            // weights can still form a path later.
            select(from, to, memory, kernels);
        }
    }

    private void select(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        long[] kept = counts(from, to, kernels);
        for (int i = 0; i < from.size(); i++) {
            memory.put(KEPT, i, kept[i]);
            Projector.topK(kernels, from.get(i), to.get(i), kept[i]);
        }
    }

    private long[] counts(List<FloatTensor> from, List<FloatTensor> to, Projections kernels) {
        switch (score) {
            case COUNTS -> {
                return counts.stream().mapToLong(Long::longValue).toArray();
            }
            case MAGNITUDE, IMPORTANCE, FISHER -> {
                List<Span> spans = new ArrayList<>();
                long elements = 0;
                for (int i = 0; i < from.size(); i++) {
                    FloatTensor tensor = from.get(i);
                    double weight = score == Score.IMPORTANCE && !importance.isEmpty()
                            ? Math.max(1e-12, Math.sqrt(importance.get(i)))
                            : 1;
                    spans.add(new Span(tensor.segment(), 0, null, 0, tensor.count(), (float) weight));
                    elements += tensor.count();
                }
                return kernels.globalBudget(spans, Math.min(total, elements));
            }
            case LAMP -> {
                // No tensor can get more than all: of larger ones only that many have to be ranked.
                if (from != to) {
                    for (int i = 0; i < from.size(); i++) {
                        Projector.topK(kernels, from.get(i), to.get(i), total);
                    }
                }
                return Allotment.counts(to, total, score);
            }
        }
        throw new IllegalStateException("no rule for " + score);
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        return Feasibility.atMost("non-zeros", values.stream().mapToLong(Projector::nonzeros).sum(), total);
    }

    @Override
    public boolean contains(Constraint other) {
        return other instanceof GlobalSparsity now && now.total <= total;
    }

    @Override
    public String describe() {
        return "at most " + total + " non-zeros in all, by " + score.name().toLowerCase(Locale.ROOT)
                + (rate == 0 ? "" : " over bits^" + rate);
    }
}
