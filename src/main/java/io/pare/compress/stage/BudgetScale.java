package io.pare.compress.stage;

import io.pare.compress.Variable;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Cost;
import io.pare.compress.constraint.ProjectionState;
import io.pare.descent.RunState;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * How far budgets let the counts of a stage go: what is left after a projection is asked what it costs, and a factor of all counts
 * follows.
 */
final class BudgetScale {
    private static final double LEAST = 1e-8;
    private static final double MOST = 1e8;
    private static final double NEAR = 1.005;
    /** A cut that was still too dear is made again with so much less than would be needed. */
    private static final double SPARE = 0.99;
    private static final int MOST_CUTS = 50;

    private final RunContext context;
    private final List<Variable> held;
    private final List<Budget> budgets;
    private final List<Cost> costs;
    /** Counts to those that the recipe gives. */
    private double scale = 1;
    private int cuts;

    /** @throws RecipeException if the training does not know a cost */
    BudgetScale(RunContext context, List<Budget> budgets, List<Variable> held) {
        this.context = context;
        this.held = held;
        this.budgets = budgets;
        this.costs = costs(context, budgets);
    }

    /**
     * {@return what the network costs in the unit of each budget}
     *
     * @throws RecipeException if the training does not know one
     */
    static List<Cost> costs(RunContext context, List<Budget> budgets) {
        List<Cost> costs = new ArrayList<>();
        for (Budget budget : budgets) {
            Cost cost = context.training().cost(budget.quantity());
            if (cost == null) {
                throw new RecipeException("a budget of " + budget.quantity()
                        + " needs what layers cost, which this training does not know: give --cost");
            }
            costs.add(cost);
        }
        return costs;
    }

    /** Writes or reads the scale, where there are budgets. */
    void visit(RunState state, String name) {
        if (!budgets.isEmpty()) {
            scale = state.number(name, scale);
        }
    }

    /** {@return a count of the recipe as the budgets allow it: from 1 to {@code most}; the same without budgets} */
    long count(long count, long most) {
        return budgets.isEmpty() ? count : Math.clamp(Math.round(scale * count), 1, most);
    }

    /** After a step of Z, which says how far counts are from what is allowed: changes them, by this factor at least. */
    void follow(List<FloatTensor> values, double slowest) {
        if (!budgets.isEmpty()) {
            scale *= Math.clamp(room(values), slowest, 1 / slowest);
        }
    }

    /** {@return whether what a cut has left costs no more than is allowed, or cuts have come to an end} If not, it lowers counts. */
    boolean met() {
        double room = room(held.stream().map(Variable::value).toList());
        if (room >= 1 || ++cuts > MOST_CUTS) {
            return true;
        }
        scale *= room * SPARE;
        return false;
    }

    /** What the budgets allow over what the network costs with these values; at 1 one of them is spent. */
    private double room(List<FloatTensor> values) {
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
     * Takes the largest scale at which the projection of the present weights costs no more than is allowed.
     *
     * @param wanted the constraint with the counts of {@link #count}
     * @throws RecipeException if even a weight in each tensor costs more
     */
    void fit(Supplier<? extends Constraint> wanted) {
        if (budgets.isEmpty()) {
            return;
        }
        double low = LEAST;
        double high = MOST;
        if (!fits(low, wanted)) {
            throw new RecipeException(String.format(Locale.ROOT,
                    "%s is out of reach with a weight in each layer: what costs whatever is kept comes to %s", budgets,
                    IntStream.range(0, costs.size()).mapToObj(i -> String.format(Locale.ROOT, "%.4g %s",
                            costs.get(i).rest(), budgets.get(i).quantity().unit())).toList()));
        }
        while (high / low > NEAR) {
            double middle = Math.sqrt(low * high);
            if (fits(middle, wanted)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        scale = low;
    }

    private boolean fits(double at, Supplier<? extends Constraint> wanted) {
        scale = at;
        try (Region region = Region.confined("budget"); Projections kernels = Projections.open(1)) {
            List<FloatTensor> from = held.stream().map(Variable::value).toList();
            List<FloatTensor> to = from.stream().map(value -> region.tensor(value.shape())).toList();
            wanted.get().project(from, to, new ProjectionState(), kernels);
            return room(to) >= 1;
        }
    }
}
