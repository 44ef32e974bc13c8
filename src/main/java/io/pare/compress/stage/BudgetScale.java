package io.pare.compress.stage;

import io.pare.compress.Variable;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Cost;
import io.pare.compress.constraint.ProjectionState;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;

/**
 * How far budgets let the counts of a stage go: what is left after a projection is asked what it costs, and a factor of all counts
 * follows.
 */
final class BudgetScale {
    private static final double LEAST = 1e-8;
    private static final double MOST = 1e8;
    private static final double NEAR = 1.005;

    private final RunContext context;
    private final List<Variable> held;
    private final List<Budget> budgets;
    private final List<Cost> costs = new ArrayList<>();

    /** @throws RecipeException if the training does not know a cost */
    BudgetScale(RunContext context, List<Budget> budgets, List<Variable> held) {
        this.context = context;
        this.held = held;
        this.budgets = budgets;
        for (Budget budget : budgets) {
            Cost cost = context.training().cost(budget.quantity());
            if (cost == null) {
                throw new RecipeException("a budget of " + budget.quantity()
                        + " needs what layers cost, which this training does not know: give --cost");
            }
            costs.add(cost);
        }
    }

    /** {@return what the budgets allow over what the network costs with these values, at least one of them being spent at 1} */
    double room(List<FloatTensor> values) {
        Map<String, FloatTensor> tensors = new LinkedHashMap<>();
        context.variables().forEach(variable -> tensors.put(variable.name(), variable.value()));
        for (int i = 0; i < values.size(); i++) {
            tensors.put(held.get(i).name(), values.get(i));
        }
        double room = MOST;
        for (int i = 0; i < costs.size(); i++) {
            Cost cost = costs.get(i);
            room = Math.min(room,
                    (budgets.get(i).aim() - cost.rest()) / Math.max(1e-12, cost.of(tensors) - cost.rest()));
        }
        return Math.max(LEAST, room);
    }

    /**
     * {@return the largest factor at which the projection of the present weights costs no more than is allowed; 1 without
     * budgets}
     *
     * @param at the constraint with counts times a factor
     * @throws RecipeException if even a weight in each tensor costs more
     */
    double fitted(DoubleFunction<Constraint> at) {
        if (budgets.isEmpty()) {
            return 1;
        }
        double low = LEAST;
        double high = MOST;
        if (room(at.apply(low)) < 1) {
            throw new RecipeException(String.format(Locale.ROOT,
                    "%s is out of reach with a weight in each layer: what costs whatever is kept comes to %s", budgets,
                    IntStream.range(0, costs.size()).mapToObj(i -> String.format(Locale.ROOT, "%.4g %s",
                            costs.get(i).rest(), budgets.get(i).quantity().unit())).toList()));
        }
        while (high / low > NEAR) {
            double middle = Math.sqrt(low * high);
            if (room(at.apply(middle)) >= 1) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private double room(Constraint constraint) {
        try (Region region = Region.confined("budget"); Projections kernels = Projections.open(1)) {
            List<FloatTensor> from = held.stream().map(Variable::value).toList();
            List<FloatTensor> to = from.stream().map(value -> region.tensor(value.shape())).toList();
            constraint.project(from, to, new ProjectionState(), kernels);
            return room(to);
        }
    }
}
