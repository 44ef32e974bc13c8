package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Non-zeros only in so many whole groups of units, or in groups whose network takes so many multiply-adds.
 *
 * <p>A group's distance to zero is its norm in the metric of {@link Score}, and no weight lies in two groups. So of a number
 * of groups those of the largest norms stay, of equal ones the first: the nearest point of the set. Under a budget
 * of multiply-adds those go first whose squared norm is least for what their going saves. That is the greedy rule of a
 * knapsack; of the groups that stay, all weights stay as they are.
 *
 * @param groups of the constraint's tensors
 * @param measure what is bounded
 * @param allowed of it, at most
 * @param score by which groups are compared
 * @param importance a factor of each group's squares; empty for equal ones
 * @param least share of the indices of each axis that stays, in [0, 1]; one stays in any case
 * @param multiple groups that are of the same axes go so many at a time, so that engines whose loops take as many channels at once
 *            gain; at least 1
 */
public record GroupSparsity(UnitGroups groups, Measure measure, long allowed, Score score, List<Double> importance,
        double least, int multiple) implements SupportSet {
    /** What is bounded. */
    public enum Measure {
        /** Groups. */
        GROUPS,
        /** Multiply-adds of the network without the groups that go. */
        MULTIPLY_ADDS
    }

    /** In which metric a group's norm is taken. */
    public enum Score {
        /** Squares over their sum in the tensor: about the share of what a layer gives that goes with a group. */
        MAGNITUDE,
        /** The same, times the square of the normalisation's scale: what a unit gives to those that read it. */
        SCALE,
        /** Squares times each element's importance: a diagonal Fisher matrix. A projection that is given none compares as
         * by {@link #MAGNITUDE}. */
        FISHER
    }

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if a number is out of its range
     */
    public GroupSparsity {
        importance = List.copyOf(importance);
        if (multiple < 1 || allowed < 0 || !(least >= 0 && least <= 1)
                || !importance.isEmpty() && importance.size() != groups.count()) {
            throw new IllegalArgumentException("no such set of groups: " + allowed + " allowed, " + least
                    + " of each axis stays, " + importance.size() + " factors for " + groups.count() + " groups");
        }
    }

    /**
     * Groups go one by one.
     *
     * @param groups of the constraint's tensors
     * @param measure what is bounded
     * @param allowed of it, at most
     * @param score by which groups are compared
     * @param importance a factor of each group's squares; empty for equal ones
     * @param least share of the indices of each axis that stays
     */
    public GroupSparsity(UnitGroups groups, Measure measure, long allowed, Score score, List<Double> importance,
            double least) {
        this(groups, measure, allowed, score, importance, least, 1);
    }

    /** {@return the least of the measure that is within reach: no axis keeps fewer of its indices} */
    public long reachable() {
        List<List<Integer>> order = blocks(IntStream.range(0, groups.count()).boxed().toList());
        return switch (measure) {
            case GROUPS -> count(groups.fewest(order, 0, least));
            case MULTIPLY_ADDS -> groups.multiplyAdds(groups.cheapest(order, 0, least));
        };
    }

    @Override
    public boolean joint() {
        return true;
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        keep(from, null, to);
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> weights, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        keep(from, weights, to);
    }

    private void keep(List<FloatTensor> from, @Nullable List<FloatTensor> weights, List<FloatTensor> to) {
        boolean[] kept = kept(squares(from, weights));
        for (int i = 0; i < from.size(); i++) {
            to.get(i).copyFrom(from.get(i));
        }
        for (UnitGroups.Slices slices : groups.slices()) {
            FloatTensor tensor = to.get(slices.tensor());
            forEach(tensor, slices, (group, start, end) -> {
                for (long e = start; e < end && !kept[group]; e++) {
                    tensor.set(e, 0);
                }
            });
        }
    }

    private boolean[] kept(double[] squares) {
        double[] savings = measure == Measure.MULTIPLY_ADDS ? groups.savings() : new double[0];
        // Of equal ones the last go first.
        List<Integer> single = IntStream.range(0, squares.length).boxed().sorted(Comparator
                .<Integer>comparingDouble(group -> price(List.of(group), squares, savings))
                .thenComparing(Comparator.reverseOrder())).toList();
        List<List<Integer>> order = multiple == 1 ? blocks(single)
                : blocks(single).stream().sorted(Comparator.comparingDouble(block -> price(block, squares, savings)))
                        .toList();
        return switch (measure) {
            case GROUPS -> groups.fewest(order, allowed, least);
            case MULTIPLY_ADDS -> groups.cheapest(order, allowed, least);
        };
    }

    /** What groups that go together cost, for each of them or for each multiply-add that they save. */
    private double price(List<Integer> block, double[] squares, double[] savings) {
        double sum = block.stream().mapToDouble(group -> squares[group]).sum();
        return sum == 0 || measure == Measure.GROUPS
                ? sum
                : sum / block.stream().mapToDouble(group -> savings[group]).sum();
    }

    /** Groups of the same axes in an order, so many at a time; what is left over stays. */
    private List<List<Integer>> blocks(List<Integer> order) {
        if (multiple == 1) {
            return order.stream().map(List::of).toList();
        }
        List<List<Integer>> uses = groups.uses();
        Map<List<Integer>, List<Integer>> open = new HashMap<>();
        List<List<Integer>> blocks = new ArrayList<>();
        for (int group : order) {
            List<Integer> block = open.computeIfAbsent(uses.get(group), _ -> new ArrayList<>());
            block.add(group);
            if (block.size() == multiple) {
                blocks.add(List.copyOf(block));
                block.clear();
            }
        }
        return blocks;
    }

    /** The squared norm of each group. */
    private double[] squares(List<FloatTensor> from, @Nullable List<FloatTensor> weights) {
        double[] squares = new double[groups.count()];
        for (UnitGroups.Slices slices : groups.slices()) {
            FloatTensor tensor = from.get(slices.tensor());
            FloatTensor weight = weights == null ? null : weights.get(slices.tensor());
            double[] own = new double[groups.count()];
            forEach(tensor, slices, (group, start, end) -> {
                double sum = 0;
                for (long e = start; e < end; e++) {
                    double square = (double) tensor.get(e) * tensor.get(e);
                    sum += weight == null ? square : square * weight.get(e);
                }
                own[group] += importance.isEmpty() ? sum : sum * importance.get(group);
            });
            double sum = Arrays.stream(own).sum();
            double unit = weight != null && score == Score.FISHER || sum == 0 ? 1 : sum;
            for (int group = 0; group < own.length; group++) {
                squares[group] += own[group] / unit;
            }
        }
        return squares;
    }

    private interface Run {
        void of(int group, long start, long end);
    }

    /** Runs of neighbouring elements that belong to groups. */
    private void forEach(FloatTensor tensor, UnitGroups.Slices slices, Run run) {
        List<Integer> axis = groups.axes().get(slices.axis());
        long behind = 1;
        for (int d = slices.dimension() + 1; d < tensor.rank(); d++) {
            behind *= tensor.size(d);
        }
        int i = 0;
        for (long start = 0; start < tensor.count(); start += behind) {
            int group = axis.get(i);
            i = i + 1 == axis.size() ? 0 : i + 1;
            if (group != UnitGroups.NONE) {
                run.of(group, start, start + behind);
            }
        }
    }

    /**
     * {@return whether each group has a weight that is not zero}
     *
     * @param values tensors of the constraint
     */
    public boolean[] used(List<FloatTensor> values) {
        boolean[] used = new boolean[groups.count()];
        for (UnitGroups.Slices slices : groups.slices()) {
            FloatTensor tensor = values.get(slices.tensor());
            forEach(tensor, slices, (group, start, end) -> {
                for (long e = start; e < end && !used[group]; e++) {
                    used[group] = tensor.get(e) != 0;
                }
            });
        }
        return used;
    }

    private static int count(boolean[] flags) {
        int count = 0;
        for (boolean flag : flags) {
            count += flag ? 1 : 0;
        }
        return count;
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        boolean[] used = used(values);
        return switch (measure) {
            case GROUPS -> Feasibility.atMost("groups", count(used), allowed);
            case MULTIPLY_ADDS ->
                    Feasibility.atMost("multiply-adds of whole units", groups.multiplyAdds(used), allowed);
        };
    }

    @Override
    public boolean contains(Constraint other) {
        return other instanceof GroupSparsity now && now.groups.equals(groups) && now.measure == measure
                && now.allowed <= allowed;
    }

    @Override
    public String describe() {
        return switch (measure) {
            case GROUPS -> String.format(Locale.ROOT, "at most %,d of %,d groups of units", allowed, groups.count());
            case MULTIPLY_ADDS -> String.format(Locale.ROOT, "at most %,d multiply-adds in whole units", allowed);
        };
    }
}
