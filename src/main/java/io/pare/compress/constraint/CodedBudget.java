package io.pare.compress.constraint;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Places and values of all non-zeros together take at most so many bits: the rate of a rate-distortion problem as a
 * constraint. Fewer weights in rows and columns that live cost as much as more of them anywhere.
 *
 * <p>Bits of places are those of a code that knows how many non-zeros each row and each column has, and takes the density of a
 * place as the product of both shares. A value takes a fixed width. An element stays if what its removal would change, squared
 * and weighted, is above lambda times its bits; the largest set that fits is found by bisection over lambda. Within a
 * projection an element's bits follow from the projections before, whose counts are halved each time, so that the support does
 * not swing. What is measured are the bits of the result by its own counts: the bound holds exactly. The projection is greedy,
 * and so near the nearest point but not always it.
 *
 * @param bits of places and values, of all tensors together
 * @param widths of a value, for each tensor: 1 to 8 bits
 * @param clustered whether values lie on {@code 2^width} codewords; otherwise they are free, and only the support is chosen
 * @param dependencies between tensors, for the removal of units without a consumer or an input
 */
public record CodedBudget(long bits, List<Integer> widths, boolean clustered,
        @JsonProperty("wires") List<GlobalSparsity.Dependency> dependencies) implements Constraint {
    private static final int ROUNDS = 3;
    private static final int MOST_WIDTH = 8;
    /** Below what an element saves in the densest of places. */
    private static final double LEAST_BITS = 0.5;
    /** So that sums in another order stay within the budget too. */
    private static final double SLACK = 1e-3;

    /**
     * Copies the lists.
     *
     * @throws IllegalArgumentException if there is no tensor, a width is not 1 to 8, or bits are below 1
     */
    public CodedBudget {
        widths = List.copyOf(widths);
        dependencies = List.copyOf(dependencies);
        if (bits < 1 || widths.isEmpty() || widths.stream().anyMatch(width -> width < 1 || width > MOST_WIDTH)) {
            throw new IllegalArgumentException("no such budget: " + bits + " bits, values of " + widths + " bits");
        }
    }

    @Override
    public boolean joint() {
        return true;
    }

    /**
     * {@return the bits that places and values take, by the same code}
     *
     * @param tensors in the order of {@code widths}
     */
    public double length(List<FloatTensor> tensors) {
        double sum = 0;
        for (int i = 0; i < tensors.size(); i++) {
            sum += PositionCost.length(tensors.get(i)) + (double) widths.get(i) * Projector.nonzeros(tensors.get(i));
        }
        return sum;
    }

    /**
     * {@return the bits that each non-zero of a tensor takes, its place and its value, in the tensor's order}
     *
     * @param index of the tensor's width
     * @param tensor by whose own rows and columns places are counted
     */
    public double[] bits(int index, FloatTensor tensor) {
        PositionCost.Counts counts = PositionCost.Counts.of(tensor);
        return LongStream.range(0, tensor.count()).filter(e -> tensor.get(e) != 0)
                .mapToDouble(e -> Math.max(LEAST_BITS, counts.bits(e) + widths.get(index))).toArray();
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        spend(from, null, to, memory, kernels);
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        spend(from, importance, to, memory, kernels);
    }

    /** A non-zero that may stay. */
    private record Candidate(int tensor, long element, double score) {}

    private void spend(List<FloatTensor> from, @Nullable List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        List<Candidate> ranked = ranked(from, importance, memory);
        List<Candidate> chosen = select(ranked, from);
        write(chosen, from, to);
        if (!dependencies.isEmpty()) {
            chosen = withoutDead(ranked, chosen, from, to);
        }
        for (int i = 0; clustered && i < to.size(); i++) {
            double[] codes = Projector.codebook(kernels, to.get(i), importance == null ? null : importance.get(i),
                    1 << widths.get(i), memory.get(Clustering.CODEBOOK, i));
            memory.put(Clustering.CODEBOOK, i, codes);
            Projector.nearest(kernels, to.get(i), to.get(i), codes, true);
        }
        PositionCost.remember(to, memory);
    }

    /** Non-zeros by what their removal costs over the bits that it saves; the best one of each tensor comes first. */
    private List<Candidate> ranked(List<FloatTensor> from, @Nullable List<FloatTensor> importance,
            ProjectionState memory) {
        List<Candidate> candidates = new ArrayList<>();
        for (int i = 0; i < from.size(); i++) {
            FloatTensor tensor = from.get(i);
            double[] codes = clustered ? memory.get(Clustering.CODEBOOK, i) : null;
            PositionCost.Counts counts = PositionCost.known(memory)
                    ? PositionCost.remembered(memory, i)
                    : PositionCost.Counts.of(tensor);
            int best = -1;
            for (long e = 0; e < tensor.count(); e++) {
                float value = tensor.get(e);
                if (value != 0) {
                    double weight = importance == null ? 1 : importance.get(i).get(e);
                    double gain = weight * value * value;
                    if (codes != null && codes.length > 0) {
                        double left = value - codes[Projector.nearestIndex(codes, value)];
                        gain -= weight * left * left;
                    }
                    double cost = Math.max(LEAST_BITS, counts.bits(e) + widths.get(i));
                    candidates.add(new Candidate(i, e, gain / cost));
                    if (best < 0 || candidates.getLast().score() > candidates.get(best).score()) {
                        best = candidates.size() - 1;
                    }
                }
            }
            if (best >= 0) {
                candidates.set(best, new Candidate(i, candidates.get(best).element(), Double.POSITIVE_INFINITY));
            }
        }
        candidates.sort(Comparator.comparingDouble(Candidate::score).reversed());
        return candidates;
    }

    /** The longest beginning that is within the budget. */
    private List<Candidate> select(List<Candidate> ranked, List<FloatTensor> from) {
        int low = 0;
        int high = ranked.size() + 1;
        while (high - low > 1) {
            int middle = (low + high) >>> 1;
            if (length(ranked.subList(0, middle), from) <= bits - SLACK) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return ranked.subList(0, low);
    }

    private double length(List<Candidate> chosen, List<FloatTensor> from) {
        List<PositionCost.Counts> counts = from.stream().map(PositionCost.Counts::none).toList();
        chosen.forEach(each -> counts.get(each.tensor()).add(each.element()));
        double sum = counts.stream().mapToDouble(PositionCost.Counts::empty).sum();
        for (Candidate each : chosen) {
            sum += counts.get(each.tensor()).bits(each.element()) + widths.get(each.tensor());
        }
        return sum;
    }

    private static void write(List<Candidate> chosen, List<FloatTensor> from, List<FloatTensor> to) {
        to.forEach(tensor -> tensor.fill(0f));
        chosen.forEach(each -> to.get(each.tensor()).set(each.element(), from.get(each.tensor()).get(each.element())));
    }

    /** Chooses again without the weights of dead units, whose bits go to others. */
    private List<Candidate> withoutDead(List<Candidate> ranked, List<Candidate> first, List<FloatTensor> from,
            List<FloatTensor> to) {
        List<float[]> alive = new ArrayList<>();
        from.forEach(tensor -> alive.add(tensor.toArray()));
        List<Candidate> chosen = first;
        for (int round = 0; round < ROUNDS; round++) {
            boolean[][] dead = DeadUnits.find(to, dependencies);
            boolean changed = false;
            for (int i = 0; i < from.size(); i++) {
                changed |= DeadUnits.clear(alive.get(i), i, from, dead, dependencies);
            }
            if (!changed) {
                return chosen;
            }
            chosen = select(ranked.stream().filter(each -> alive.get(each.tensor())[(int) each.element()] != 0)
                    .toList(), from);
            write(chosen, from, to);
        }
        DeadUnits.remove(to, dependencies);
        List<Candidate> left = chosen.stream().filter(each -> to.get(each.tensor()).get(each.element()) != 0).toList();
        boolean path = IntStream.range(0, to.size())
                .allMatch(i -> left.stream().anyMatch(each -> each.tensor() == i));
        if (path && length(left, from) <= bits - SLACK) {
            return left;
        }
        // Without a path all units are dead: the weights that were chosen can still form one later.
        write(first, from, to);
        return first;
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        Feasibility places = Feasibility.atMost("bits of places and values", (long) Math.ceil(length(values)), bits);
        for (int i = 0; clustered && i < values.size(); i++) {
            places = places.and(new Clustering(1 << widths.get(i)).measure(List.of(values.get(i)), memory));
        }
        return places;
    }

    @Override
    public long values() {
        return clustered
                ? 1L << Collections.max(widths)
                : Long.MAX_VALUE;
    }

    @Override
    public Set<WeightChange> changes() {
        return clustered
                ? Set.of(WeightChange.MAKES_ZEROS, WeightChange.SPLITS_VALUES)
                : Set.of(WeightChange.MAKES_ZEROS);
    }

    @Override
    public Set<WeightChange> brokenBy() {
        return clustered
                ? Set.of(WeightChange.FILLS_ZEROS, WeightChange.SPLITS_VALUES)
                : Set.of(WeightChange.FILLS_ZEROS);
    }

    @Override
    public boolean contains(Constraint other) {
        return other instanceof CodedBudget now && now.bits <= bits && now.widths.equals(widths)
                && (now.clustered || !clustered);
    }

    @Override
    public String describe() {
        return "places and values" + (clustered ? " of a codebook" : "") + " in at most " + bits + " bits";
    }
}
