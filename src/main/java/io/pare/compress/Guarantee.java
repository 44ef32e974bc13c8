package io.pare.compress;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;

/**
 * A constraint that a stage's result lies in and that every later result has to lie in.
 *
 * @param tensors names, in the constraint's order
 * @param memory of the constraint: the levels that count as allowed
 */
public record Guarantee(Constraint constraint, List<String> tensors, Map<String, double[]> memory) {
    private static final ObjectMapper JSON = new ObjectMapper();

    public Guarantee {
        tensors = List.copyOf(tensors);
    }

    static Guarantee of(Constraint constraint, Variable variable) {
        return new Guarantee(constraint, List.of(variable.name()), Map.of());
    }

    static String write(List<Guarantee> guarantees) {
        try {
            return JSON.writerFor(new TypeReference<List<Guarantee>>() {}).writeValueAsString(guarantees);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<Guarantee> read(String json) {
        try {
            return JSON.readValue(json, new TypeReference<List<Guarantee>>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot read the constraints of a saved run", e);
        }
    }

    @Override
    public String toString() {
        return String.join("+", tensors) + ": " + constraint.describe();
    }
}
