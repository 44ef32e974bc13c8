package io.pare.compress.constraint;

import com.fasterxml.jackson.core.type.TypeReference;
import io.pare.descent.RunState;
import java.util.Map;
import java.util.TreeMap;

/**
 * The state of a constraint between projections: codebooks, counts, bit widths. Saved with the run.
 *
 * <p>A name is followed by the index of the tensor in its group, because one constraint may hold several tensors.
 */
public final class ProjectionState {
    private final Map<String, double[]> values = new TreeMap<>();

    /** The saved values, or {@code null}. */
    public double[] get(String name, int tensor) {
        double[] found = values.get(name + "." + tensor);
        return found == null ? null : found.clone();
    }

    public void put(String name, int tensor, double... saved) {
        values.put(name + "." + tensor, saved.clone());
    }

    /** Everything, in the names' order; a copy. */
    public Map<String, double[]> all() {
        Map<String, double[]> copy = new TreeMap<>();
        values.forEach((name, saved) -> copy.put(name, saved.clone()));
        return copy;
    }

    /** Replaces everything. */
    public void replace(Map<String, double[]> all) {
        values.clear();
        all.forEach((name, saved) -> values.put(name, saved.clone()));
    }

    /** Saves everything under that name, or takes it back. */
    public void visit(RunState state, String name) {
        Map<String, double[]> saved = state.json(name, values, new TypeReference<Map<String, double[]>>() {});
        if (saved.containsValue(null)) {
            throw state.damaged(name, null);
        }
        if (state.reading()) {
            replace(saved);
        }
    }
}
