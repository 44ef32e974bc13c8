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

    public Effect {
        changes = Map.copyOf(changes);
        claims = List.copyOf(claims);
    }

    /** The same with a change of those tensors too. */
    public Effect and(WeightChange change, Predicate<String> tensors) {
        Map<WeightChange, Predicate<String>> more = new EnumMap<>(WeightChange.class);
        more.putAll(changes);
        more.merge(change, tensors, Predicate::or);
        return new Effect(more, claims);
    }

    /** The same with a change of all tensors too, if {@code so}. */
    public Effect and(WeightChange change, boolean so) {
        return so ? and(change, _ -> true) : this;
    }

    /** The same changes with these claims. */
    public Effect claiming(List<Claim> left) {
        return new Effect(changes, left);
    }

    boolean breaks(Claim claim) {
        return claim.constraint().brokenBy().stream()
                .anyMatch(change -> claim.tensors().stream().anyMatch(changes.getOrDefault(change, _ -> false)));
    }
}
