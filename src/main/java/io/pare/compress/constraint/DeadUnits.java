package io.pare.compress.constraint;

import io.pare.mem.FloatTensor;
import java.util.Arrays;
import java.util.List;

/** Finds and empties units that no consumer reads or that read nothing. */
final class DeadUnits {
    private DeadUnits() {}

    /** By dependency and unit: whether either its row or all of its columns are zero, but not both. */
    static boolean[][] find(List<FloatTensor> tensors, List<GlobalSparsity.Dependency> dependencies) {
        boolean[][] dead = new boolean[dependencies.size()][];
        for (int w = 0; w < dead.length; w++) {
            FloatTensor producer = tensors.get(dependencies.get(w).producer());
            FloatTensor consumer = tensors.get(dependencies.get(w).consumer());
            int units = Math.toIntExact(producer.size(0));
            boolean[] fed = new boolean[units];
            float[] rows = producer.toArray();
            int inputs = rows.length / units;
            for (int unit = 0; unit < units; unit++) {
                fed[unit] = anyIn(rows, unit * inputs, (unit + 1) * inputs);
            }
            boolean[] read = new boolean[units];
            float[] columns = consumer.toArray();
            int perUnit = columns.length / Math.toIntExact(consumer.size(0)) / units;
            for (int from = 0; from < columns.length;) {
                for (int unit = 0; unit < units; unit++, from += perUnit) {
                    read[unit] = read[unit] || anyIn(columns, from, from + perUnit);
                }
            }
            dead[w] = new boolean[units];
            for (int unit = 0; unit < units; unit++) {
                dead[w][unit] = fed[unit] != read[unit];
            }
        }
        return dead;
    }

    /** Zeroes what belongs to dead units in the values of tensor {@code index}; returns whether anything changed. */
    static boolean clear(float[] values, int index, List<FloatTensor> tensors, boolean[][] dead,
            List<GlobalSparsity.Dependency> dependencies) {
        boolean changed = false;
        int width = values.length / Math.toIntExact(tensors.get(index).size(0));
        for (int w = 0; w < dead.length; w++) {
            int units = dead[w].length;
            if (dependencies.get(w).producer() == index) {
                for (int unit = 0; unit < units; unit++) {
                    changed |= dead[w][unit] && empty(values, unit * width, (unit + 1) * width);
                }
            }
            if (dependencies.get(w).consumer() == index) {
                int perUnit = width / units;
                for (int from = 0; from < values.length;) {
                    for (int unit = 0; unit < units; unit++, from += perUnit) {
                        changed |= dead[w][unit] && empty(values, from, from + perUnit);
                    }
                }
            }
        }
        return changed;
    }

    private static boolean anyIn(float[] values, int from, int to) {
        for (int e = from; e < to; e++) {
            if (values[e] != 0) {
                return true;
            }
        }
        return false;
    }

    private static boolean empty(float[] values, int from, int to) {
        boolean any = anyIn(values, from, to);
        if (any) {
            Arrays.fill(values, from, to, 0f);
        }
        return any;
    }

    /** Empties dead units, and those that die of that, in place; returns whether anything changed. */
    static boolean remove(List<FloatTensor> tensors, List<GlobalSparsity.Dependency> dependencies) {
        boolean ever = false;
        boolean changed = true;
        while (changed) {
            changed = false;
            boolean[][] dead = find(tensors, dependencies);
            for (int i = 0; i < tensors.size(); i++) {
                float[] values = tensors.get(i).toArray();
                if (clear(values, i, tensors, dead, dependencies)) {
                    tensors.get(i).copyFrom(values);
                    changed = true;
                }
            }
            ever |= changed;
        }
        return ever;
    }
}
