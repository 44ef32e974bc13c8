package io.pare.compress.constraint;

import java.util.Map;
import java.util.TreeMap;

/**
 * What a constraint remembers from one projection to the next: codebooks, counts, bit widths. Saved with a run's state.
 *
 * <p>A name is followed by the index of the tensor in its group, because one constraint may hold several tensors.
 */
public final class ProjectionState {
    private final Map<String, double[]> values = new TreeMap<>();

    /** The remembered values, or {@code null}. */
    public double[] get(String name, int tensor) {
        double[] found = values.get(name + "." + tensor);
        return found == null ? null : found.clone();
    }

    public void put(String name, int tensor, double... remembered) {
        values.put(name + "." + tensor, remembered.clone());
    }

    /** Everything, in the names' order; a copy. */
    public Map<String, double[]> all() {
        Map<String, double[]> copy = new TreeMap<>();
        values.forEach((name, remembered) -> copy.put(name, remembered.clone()));
        return copy;
    }

    /** Replaces everything. */
    public void replace(Map<String, double[]> all) {
        values.clear();
        all.forEach((name, remembered) -> values.put(name, remembered.clone()));
    }
}
