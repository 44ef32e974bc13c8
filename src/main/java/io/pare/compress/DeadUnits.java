package io.pare.compress;

import io.pare.mem.FloatTensor;
import java.util.List;

/** Finds and empties units that no consumer reads or that read nothing. */
final class DeadUnits {
    private DeadUnits() {}

    /** By wire and unit: whether its row or all of its columns are zero. */
    static boolean[][] find(List<FloatTensor> tensors, List<GlobalSparsity.Wire> wires) {
        boolean[][] dead = new boolean[wires.size()][];
        for (int w = 0; w < dead.length; w++) {
            FloatTensor producer = tensors.get(wires.get(w).producer());
            FloatTensor consumer = tensors.get(wires.get(w).consumer());
            int units = Math.toIntExact(producer.size(0));
            float[] rows = producer.toArray();
            float[] columns = consumer.toArray();
            boolean[] fed = new boolean[units];
            boolean[] read = new boolean[units];
            int inputs = rows.length / units;
            for (int e = 0; e < rows.length; e++) {
                fed[e / inputs] |= rows[e] != 0;
            }
            int width = columns.length / Math.toIntExact(consumer.size(0));
            int perUnit = width / units;
            for (int e = 0; e < columns.length; e++) {
                read[e % width / perUnit] |= columns[e] != 0;
            }
            dead[w] = new boolean[units];
            for (int unit = 0; unit < units; unit++) {
                dead[w][unit] = !(fed[unit] && read[unit]);
            }
        }
        return dead;
    }

    /** Zeroes what belongs to dead units in the values of tensor {@code index}; returns whether anything changed. */
    static boolean clear(float[] values, int index, List<FloatTensor> tensors, boolean[][] dead,
            List<GlobalSparsity.Wire> wires) {
        boolean changed = false;
        for (int w = 0; w < dead.length; w++) {
            int row = values.length / Math.toIntExact(tensors.get(index).size(0));
            int perUnit = Math.max(1, row / dead[w].length);
            for (int e = 0; e < values.length; e++) {
                boolean gone = wires.get(w).producer() == index && dead[w][e / row]
                        || wires.get(w).consumer() == index && dead[w][e % row / perUnit];
                if (gone && values[e] != 0) {
                    values[e] = 0;
                    changed = true;
                }
            }
        }
        return changed;
    }

    /** Empties dead units, and those that die of that, in place; returns whether anything changed. */
    static boolean remove(List<FloatTensor> tensors, List<GlobalSparsity.Wire> wires) {
        boolean ever = false;
        boolean changed = true;
        while (changed) {
            changed = false;
            boolean[][] dead = find(tensors, wires);
            for (int i = 0; i < tensors.size(); i++) {
                float[] values = tensors.get(i).toArray();
                if (clear(values, i, tensors, dead, wires)) {
                    tensors.get(i).copyFrom(values);
                    changed = true;
                }
            }
            ever |= changed;
        }
        return ever;
    }
}
