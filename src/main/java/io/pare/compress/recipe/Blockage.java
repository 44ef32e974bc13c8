package io.pare.compress.recipe;

import io.pare.compress.UnitLink;
import io.pare.compress.Variable;
import io.pare.mem.FloatTensor;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** Finds the tensor that cuts a network's outputs off from its inputs. */
final class Blockage {
    private Blockage() {}

    /**
     * The first tensor through which no signal passes: all its weights are zero, or the others read only units that no
     * input reaches. {@code null} if there is none, or a path leads past all of them.
     *
     * @param links between tensors; all columns of a tensor without a producer count as reached
     * @param passable whether a path leads past such tensors
     */
    static String find(List<Variable> weights, List<UnitLink> links, Predicate<Set<String>> passable) {
        Set<String> blocked = new LinkedHashSet<>();
        Map<String, boolean[]> reached = new HashMap<>();
        for (Variable variable : weights) {
            FloatTensor value = variable.value();
            String feeds =
                    links.stream().filter(link -> link.consumer().equals(variable.name())).map(UnitLink::producer)
                            .findFirst().orElse(null);
            boolean[] from = feeds == null ? null : reached.get(feeds);
            boolean[] units = new boolean[Math.toIntExact(value.size(0))];
            long columns = value.count() / units.length;
            boolean any = false;
            for (int unit = 0; unit < units.length; unit++) {
                for (long column = 0; column < columns && !units[unit]; column++) {
                    units[unit] = value.get(unit * columns + column) != 0
                            && (from == null || from[(int) (column * from.length / columns)]);
                }
                any |= units[unit];
            }
            if (!any) {
                blocked.add(variable.name());
            }
            reached.put(variable.name(), units);
        }
        return blocked.isEmpty() || passable.test(blocked) ? null : blocked.iterator().next();
    }
}
