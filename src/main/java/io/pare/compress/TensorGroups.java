package io.pare.compress;

import io.pare.compress.constraint.UnitGroups;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Units of a network's tensors that stay or go together, see {@link Training#groups}.
 *
 * <p>Weights belong to the group of the units that they read, or to that of the units that they give where what they read stays.
 * Where all of these are zero nothing reads the group.
 *
 * @param count groups, counted from 0
 * @param axes for each axis the group of each index, or {@link UnitGroups#NONE}
 * @param slices dimensions of tensors with indices in groups
 * @param work multiply-adds
 * @param held by name of a layer whose units are in no group, the layer for which they stay
 */
public record TensorGroups(int count, List<List<Integer>> axes, List<Slices> slices, List<UnitGroups.Work> work,
        Map<String, String> held) {
    /** What the indices along a dimension are to a group. */
    public enum Role {
        /** Weights that read its units. */
        READS,
        /** Weights that give its units. */
        GIVES,
        /** The scale that a normalisation gives its units. */
        SCALE,
        /** Biases and shifts: zero where the group goes. */
        SHIFT,
        /** Statistics and constants, which stay. */
        OTHER
    }

    /**
     * A dimension of a tensor along an axis.
     *
     * @param tensor name
     * @param dimension from 0
     * @param axis index in {@link TensorGroups#axes}
     * @param role of its indices
     */
    public record Slices(String tensor, int dimension, int axis, Role role) {}

    /** Copies the lists. */
    public TensorGroups {
        axes = axes.stream().map(List::copyOf).toList();
        slices = List.copyOf(slices);
        work = List.copyOf(work);
        held = new LinkedHashMap<>(held);
    }

    /**
     * {@return the same without groups that have a weight in one of these tensors}
     *
     * @param tensors names of weights that stay as they are
     */
    public TensorGroups without(Set<String> tensors) {
        Set<Integer> gone = new HashSet<>();
        slices.stream().filter(each -> tensors.contains(each.tensor()))
                .forEach(each -> gone.addAll(axes.get(each.axis())));
        if (gone.isEmpty()) {
            return this;
        }
        int[] numbers = new int[count];
        int left = 0;
        for (int group = 0; group < count; group++) {
            numbers[group] = gone.contains(group) ? UnitGroups.NONE : left++;
        }
        return new TensorGroups(left, axes.stream().map(axis -> axis.stream()
                .map(group -> group == UnitGroups.NONE ? UnitGroups.NONE : numbers[group]).toList()).toList(), slices,
                work, held);
    }

    /** {@return the names of the weights that belong to groups, in the order of the slices} */
    public List<String> owners() {
        return owning().stream().map(Slices::tensor).toList();
    }

    private List<Slices> owning() {
        Map<String, Slices> owning = new LinkedHashMap<>();
        for (Role role : List.of(Role.READS, Role.GIVES)) {
            for (Slices each : slices) {
                boolean grouped = axes.get(each.axis()).stream().anyMatch(group -> group != UnitGroups.NONE);
                if (each.role() == role && grouped) {
                    owning.putIfAbsent(each.tensor(), each);
                }
            }
        }
        return List.copyOf(owning.values());
    }

    /** {@return the groups as a constraint on the tensors of {@link #owners}, in that order, sees them} */
    public UnitGroups constrained() {
        List<UnitGroups.Slices> own = new ArrayList<>();
        for (Slices each : owning()) {
            own.add(new UnitGroups.Slices(own.size(), each.dimension(), each.axis()));
        }
        return new UnitGroups(count, axes, own, work);
    }

    /**
     * {@return for each group the mean square of the scales of its normalisations; 1 where it has none}
     *
     * @param variables of the training, statistics too
     */
    public List<Double> scales(List<Variable> variables) {
        double[] sums = new double[count];
        long[] counts = new long[count];
        for (Slices each : slices) {
            if (each.role() == Role.SCALE) {
                Variable scale = variable(variables, each.tensor());
                List<Integer> axis = axes.get(each.axis());
                for (int i = 0; i < axis.size(); i++) {
                    if (axis.get(i) != UnitGroups.NONE) {
                        sums[axis.get(i)] += (double) scale.value().get(i) * scale.value().get(i);
                        counts[axis.get(i)]++;
                    }
                }
            }
        }
        return Arrays.stream(range(count)).mapToObj(group -> counts[group] == 0 ? 1 : sums[group] / counts[group])
                .toList();
    }

    private static int[] range(int count) {
        int[] range = new int[count];
        Arrays.setAll(range, i -> i);
        return range;
    }

    private static Variable variable(List<Variable> variables, String name) {
        return variables.stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow();
    }

    /**
     * Zeroes what gives the units of groups that nothing reads: weights, scales and shifts.
     *
     * @param variables of the training
     * @param kept whether each group stays
     */
    public void clear(List<Variable> variables, boolean[] kept) {
        for (Slices each : slices) {
            if (each.role() == Role.OTHER) {
                continue;
            }
            var tensor = variable(variables, each.tensor()).value();
            List<Integer> axis = axes.get(each.axis());
            long behind = 1;
            for (int d = each.dimension() + 1; d < tensor.rank(); d++) {
                behind *= tensor.size(d);
            }
            for (long e = 0; e < tensor.count(); e++) {
                int group = axis.get((int) (e / behind % axis.size()));
                if (group != UnitGroups.NONE && !kept[group]) {
                    tensor.set(e, 0);
                }
            }
        }
    }
}
