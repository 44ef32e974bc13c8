package io.pare.compress.constraint;

import com.fasterxml.jackson.core.type.TypeReference;
import io.pare.descent.RunState;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The state of a constraint between projections: codebooks, counts, bit widths. Saved with the run.
 *
 * <p>A name is followed by the index of the tensor in its group, because one constraint may hold several tensors.
 */
public final class ProjectionState {
    private final Map<String, double[]> values = new TreeMap<>();

    /** Begins with nothing saved. */
    public ProjectionState() {}

    /**
     * {@return the saved values, or {@code null}; a copy}
     *
     * @param name of what was saved
     * @param tensor index in the group
     */
    public double @Nullable [] get(String name, int tensor) {
        double[] found = values.get(name + "." + tensor);
        return found == null ? null : found.clone();
    }

    /**
     * Saves values, in place of those that were there.
     *
     * @param name of what is saved
     * @param tensor index in the group
     * @param saved values; they are copied
     */
    public void put(String name, int tensor, double... saved) {
        values.put(name + "." + tensor, saved.clone());
    }

    /** {@return everything, in the names' order; a copy} */
    public Map<String, double[]> all() {
        Map<String, double[]> copy = new TreeMap<>();
        values.forEach((name, saved) -> copy.put(name, saved.clone()));
        return copy;
    }

    /**
     * Replaces everything.
     *
     * @param all by name and index, as {@link #all} gave it
     */
    public void replace(Map<String, double[]> all) {
        values.clear();
        all.forEach((name, saved) -> values.put(name, saved.clone()));
    }

    /**
     * Saves everything under that name, or takes it back.
     *
     * @param state that is saved or read
     * @param name in the state
     */
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
