package io.pare.compress.stage;

import io.pare.compress.constraint.WeightChange;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * What a stage will do to weights. Immutable.
 *
 * @param changes by what may happen to weights, the tensors to which it may
 * @param claims what holds afterwards
 */
public record Effect(Map<WeightChange, Predicate<String>> changes, List<Claim> claims) {
    /** Nothing changes, and nothing is claimed. */
    public static final Effect NONE = new Effect(Map.of(), List.of());

    /** Copies the list and the map. */
    public Effect {
        changes = Map.copyOf(changes);
        claims = List.copyOf(claims);
    }

    /**
     * {@return the same with a change of those tensors too}
     *
     * @param change what happens to weights
     * @param tensors by name: those that it happens to
     */
    public Effect and(WeightChange change, Predicate<String> tensors) {
        Map<WeightChange, Predicate<String>> more = new EnumMap<>(WeightChange.class);
        more.putAll(changes);
        more.merge(change, tensors, Predicate::or);
        return new Effect(more, claims);
    }

    /**
     * {@return the same with a change of all tensors too, if there is one}
     *
     * @param change what happens to weights
     * @param so whether it happens
     */
    public Effect and(WeightChange change, boolean so) {
        return so ? and(change, _ -> true) : this;
    }

    /**
     * {@return the same changes with these claims}
     *
     * @param left by the stage
     */
    public Effect claiming(List<Claim> left) {
        return new Effect(changes, left);
    }

    boolean breaks(Claim claim) {
        return claim.constraint().brokenBy().stream()
                .anyMatch(change -> claim.tensors().stream().anyMatch(changes.getOrDefault(change, _ -> false)));
    }
}
