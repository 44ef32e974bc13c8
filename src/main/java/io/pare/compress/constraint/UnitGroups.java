package io.pare.compress.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Units of several tensors that stay or go together, as a constraint sees them: each weight belongs to one group at most.
 *
 * @param count groups, counted from 0
 * @param axes for each axis the group of each index, or -1 for one that stays
 * @param slices at most one for each tensor: the dimension by whose indices its weights belong to groups
 * @param work multiply-adds
 */
public record UnitGroups(int count, List<List<Integer>> axes, List<Slices> slices, List<Work> work) {
    /** The group of an index that stays. */
    public static final int NONE = -1;

    /**
     * The dimension of a tensor along an axis.
     *
     * @param tensor index in the constraint's list
     * @param dimension of the tensor, from 0
     * @param axis index in {@link UnitGroups#axes}
     */
    public record Slices(int tensor, int dimension, int axis) {}

    /**
     * Multiply-adds: a number for each combination of indices along some axes.
     *
     * @param each for one combination
     * @param axes indices in {@link UnitGroups#axes}
     */
    public record Work(long each, List<Integer> axes) {
        /** Copies the list. */
        public Work {
            axes = List.copyOf(axes);
        }
    }

    /**
     * Copies the lists.
     *
     * @throws IllegalArgumentException if a number is out of its range
     */
    public UnitGroups {
        axes = axes.stream().map(List::copyOf).toList();
        slices = List.copyOf(slices);
        work = List.copyOf(work);
        int most = count;
        int numbers = axes.size();
        boolean fits = count >= 0 && axes.stream().flatMap(List::stream).allMatch(g -> g >= NONE && g < most)
                && slices.stream().allMatch(each -> each.axis >= 0 && each.axis < numbers)
                && work.stream().flatMap(each -> each.axes.stream()).allMatch(axis -> axis >= 0 && axis < numbers);
        if (!fits) {
            throw new IllegalArgumentException("no groups of units: a number is out of its range");
        }
    }

    /** {@return multiply-adds where all groups stay} */
    public long multiplyAdds() {
        return new Remaining(this, 0).cost;
    }

    /**
     * Groups go in an order, as far as each axis keeps some of its indices.
     *
     * @param order groups that go together, the first to go first
     * @param allowed multiply-adds at which that ends
     * @param least share of each axis that stays; one index stays in any case
     * @return whether each group stays
     */
    boolean[] cheapest(List<List<Integer>> order, long allowed, double least) {
        Remaining remaining = new Remaining(this, least);
        boolean[] kept = all();
        List<List<Integer>> gone = new ArrayList<>();
        for (List<Integer> block : order) {
            if (remaining.cost <= allowed) {
                break;
            }
            if (remaining.remove(block)) {
                block.forEach(group -> kept[group] = false);
                gone.add(block);
            }
        }
        // The last one may have saved more than was asked for: what fits comes back, the dearest first.
        for (List<Integer> block : gone.reversed()) {
            if (remaining.restore(block, allowed)) {
                block.forEach(group -> kept[group] = true);
            }
        }
        return kept;
    }

    /** As {@link #cheapest}, until so many groups are left. */
    boolean[] fewest(List<List<Integer>> order, long allowed, double least) {
        Remaining remaining = new Remaining(this, least);
        boolean[] kept = all();
        int left = count;
        for (List<Integer> block : order) {
            if (left <= allowed) {
                break;
            }
            if (remaining.remove(block)) {
                block.forEach(group -> kept[group] = false);
                left -= block.size();
            }
        }
        return kept;
    }

    private boolean[] all() {
        boolean[] kept = new boolean[count];
        Arrays.fill(kept, true);
        return kept;
    }

    /**
     * {@return multiply-adds where only some groups stay}
     *
     * @param kept whether each group stays
     */
    public long multiplyAdds(boolean[] kept) {
        Remaining remaining = new Remaining(this, -1);
        for (int group = 0; group < count; group++) {
            if (!kept[group]) {
                remaining.remove(List.of(group));
            }
        }
        return remaining.cost;
    }

    /** {@return for each group its axes, once for each index: groups with the same ones can stand for each other} */
    List<List<Integer>> uses() {
        List<List<Integer>> uses = new ArrayList<>(Collections.nCopies(count, List.of()));
        for (int axis = 0; axis < axes.size(); axis++) {
            for (int group : axes.get(axis)) {
                if (group != NONE) {
                    if (uses.get(group).isEmpty()) {
                        uses.set(group, new ArrayList<>());
                    }
                    uses.get(group).add(axis);
                }
            }
        }
        return uses;
    }

    /** {@return for each group the multiply-adds that go if it goes alone} */
    double[] savings() {
        double[] savings = new double[count];
        for (Work each : work) {
            double all = each.each;
            for (int axis : each.axes) {
                all *= axes.get(axis).size();
            }
            for (int axis : each.axes) {
                for (int group : axes.get(axis)) {
                    if (group != NONE) {
                        savings[group] += all / axes.get(axis).size();
                    }
                }
            }
        }
        return savings;
    }

    /** What stays while groups go. */
    private static final class Remaining {
        private final UnitGroups groups;
        private final int[] sizes;
        private final int[] floors;
        /** For each group its axes, once for each index; for each axis its work. */
        private final List<List<Integer>> axesOf;
        private final List<List<Work>> workOf = new ArrayList<>();
        private long cost;

        /** @param least below 0 for no bound at all */
        Remaining(UnitGroups groups, double least) {
            this.groups = groups;
            sizes = groups.axes.stream().mapToInt(List::size).toArray();
            floors = Arrays.stream(sizes).map(size -> least < 0 ? 0 : Math.max(1, (int) Math.ceil(least * size - 1e-9)))
                    .toArray();
            axesOf = groups.uses();
            groups.axes.forEach(_ -> workOf.add(new ArrayList<>()));
            for (Work each : groups.work) {
                each.axes.stream().distinct().forEach(axis -> workOf.get(axis).add(each));
                cost += cost(each);
            }
        }

        private long cost(Work work) {
            long product = work.each;
            for (int axis : work.axes) {
                product *= sizes[axis];
            }
            return product;
        }

        /** Takes all of these groups out, or none. */
        boolean remove(List<Integer> block) {
            List<Integer> used = block.stream().flatMap(group -> axesOf.get(group).stream()).toList();
            for (int axis : used) {
                sizes[axis]--;
            }
            boolean allowed = used.stream().allMatch(axis -> sizes[axis] >= floors[axis]);
            for (int axis : used) {
                sizes[axis]++;
            }
            if (allowed) {
                resize(used, -1);
            }
            return allowed;
        }

        /** Takes these groups back if that costs no more than so much. */
        boolean restore(List<Integer> block, long most) {
            List<Integer> used = block.stream().flatMap(group -> axesOf.get(group).stream()).toList();
            resize(used, 1);
            if (cost > most) {
                resize(used, -1);
                return false;
            }
            return true;
        }

        private void resize(List<Integer> used, int by) {
            for (int axis : used) {
                for (Work each : workOf.get(axis)) {
                    cost -= cost(each);
                }
                sizes[axis] += by;
                for (Work each : workOf.get(axis)) {
                    cost += cost(each);
                }
            }
        }
    }
}
