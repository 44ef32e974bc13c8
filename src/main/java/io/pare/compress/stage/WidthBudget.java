package io.pare.compress.stage;

import io.pare.compress.LayerRow;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Cost;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.WeightChange;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Chooses how many bits the values of each tensor get, such that the network costs no more than budgets allow.
 *
 * <p>Each tensor is projected onto its set of every width, and the squared error of its weights is measured. What such an error
 * is worth is measured too: one tensor after another is projected alone, to a width where errors are small, and the network's
 * outputs are looked at. They are taken to change with the squared error, as in HAWQ-V2 (1911.03852), and the changes of several
 * tensors to add up. A {@link Knapsack} then finds the widths of the least change.
 */
final class WidthBudget {
    /** The width at which outputs are looked at: with fewer bits a layer may be lost, and its change says nothing any more. */
    private static final int LOOKED_AT = 4;

    /**
     * A tensor whose width is to be chosen.
     *
     * @param masked whether weights that are zero stay so
     * @param widths that it may have, ascending
     * @param sets of a width, in order, each met on the support of the one before
     */
    record Tensor(Variable variable, boolean masked, List<Integer> widths, IntFunction<List<Constraint>> sets) {
        /** How many weights will not be zero, at most. */
        long kept(FloatTensor rounded) {
            boolean cut = sets.apply(widths.getLast()).stream()
                    .anyMatch(set -> set.changes().contains(WeightChange.MAKES_ZEROS));
            return cut ? Projector.nonzeros(rounded)
                    : masked ? Projector.nonzeros(variable.value()) : rounded.count();
        }
    }

    private final RunContext context;
    private final List<Budget> budgets;
    private final List<Cost> costs;

    /** @throws RecipeException if the training does not know a cost */
    WidthBudget(RunContext context, List<Budget> budgets) {
        this.context = context;
        this.budgets = budgets;
        this.costs = BudgetScale.costs(context, budgets);
    }

    /** Refuses budgets to which widths make no difference, or that nobody can tell before a file is written. */
    static List<Budget> checked(@Nullable List<Budget> budgets) {
        List<Budget> apart = budgets == null ? List.of() : Budget.apart(budgets);
        for (Budget budget : apart) {
            switch (budget.quantity()) {
                case BOPS, WEIGHT_BYTES, ENERGY, LATENCY -> {
                }
                case MACS -> throw new IllegalArgumentException(
                        "budget cannot be of macs, which are as many whatever the bits: give bops or weight-bytes");
                case FILE_BYTES -> throw new IllegalArgumentException(
                        "budget cannot be of file-bytes, which admm-rate keeps: give it 'bytes'");
            }
        }
        return apart;
    }

    /**
     * {@return bits of a value for each tensor}
     *
     * @param tensors that they are chosen for; all others cost what they do now
     * @throws RecipeException if even the fewest bits cost more than a budget allows
     */
    Map<String, Integer> choose(List<Tensor> tensors) {
        OutputChange outputs = new OutputChange(context.training()::outputs);
        List<List<Knapsack.Option>> options = new ArrayList<>();
        for (Tensor tensor : tensors) {
            context.stop().check();
            options.add(options(tensor, outputs));
        }
        double[] apart = apart(tensors);
        double[] least = Knapsack.least(options, budgets.size());
        double[] most = new double[budgets.size()];
        for (int i = 0; i < most.length; i++) {
            most[i] = budgets.get(i).aim() - apart[i];
            if (least[i] > most[i]) {
                throw new RecipeException(String.format(Locale.ROOT,
                        "%s is out of reach: with the fewest bits in each layer the network takes %.4g %s; prune it first, or"
                                + " allow more",
                        budgets.get(i), least[i] + apart[i], budgets.get(i).quantity().unit()));
            }
        }
        int[] chosen = Knapsack.choose(options, most);
        if (chosen == null) {
            throw new RecipeException(budgets + " are each within reach, but not all together: allow more of one");
        }
        Map<String, Integer> widths = new LinkedHashMap<>();
        for (int i = 0; i < chosen.length; i++) {
            widths.put(tensors.get(i).variable().name(), tensors.get(i).widths().get(chosen[i]));
        }
        return widths;
    }

    /** What the network costs besides these tensors. */
    private double[] apart(List<Tensor> tensors) {
        List<LayerRow> others = LayerRow.of(context.weights().stream()
                .filter(each -> tensors.stream().noneMatch(tensor -> tensor.variable().name().equals(each.name())))
                .toList());
        return costs.stream().mapToDouble(cost -> cost.rest() + others.stream().mapToDouble(row -> row.of(cost)).sum())
                .toArray();
    }

    private List<Knapsack.Option> options(Tensor tensor, OutputChange outputs) {
        FloatTensor value = tensor.variable().value();
        int[] widths = tensor.widths().stream().mapToInt(Integer::intValue).toArray();
        double[] errors = new double[widths.length];
        long kept = 0;
        try (Region region = Region.shared("widths of " + tensor.variable().name());
                Projections kernels = Projections.open(1)) {
            FloatTensor plain = region.tensor(value.shape()).copyFrom(value);
            FloatTensor rounded = region.tensor(value.shape());
            FloatTensor looked = region.tensor(value.shape());
            int at = 0;
            for (int i = 0; i < widths.length; i++) {
                project(tensor.sets().apply(widths[i]), plain, rounded, kernels);
                kept = Math.max(kept, tensor.kept(rounded));
                errors[i] = squaredDistance(rounded, plain);
                if (i == 0 || widths[i] <= LOOKED_AT && errors[i] > 0) {
                    looked.copyFrom(rounded);
                    at = i;
                }
            }
            double worth = errors[at] == 0 ? 0 : change(value, looked, plain, errors[at], outputs) / errors[at];
            List<Knapsack.Option> options = new ArrayList<>();
            for (int i = 0; i < widths.length; i++) {
                options.add(option(tensor.variable(), kept, widths[i], worth * errors[i]));
            }
            return options;
        }
    }

    private Knapsack.Option option(Variable variable, long kept, int width, double change) {
        int counted = LayerRow.bits(1 << width, kept);
        return new Knapsack.Option(costs.stream()
                .mapToDouble(cost -> cost.of(variable.name(), variable.value().count(), kept, counted)).toArray(),
                change);
    }

    private static void project(List<Constraint> sets, FloatTensor plain, FloatTensor rounded, Projections kernels) {
        rounded.copyFrom(plain);
        try (Region region = Region.shared("sets in turn")) {
            FloatTensor from = region.tensor(plain.shape());
            for (Constraint set : sets) {
                from.copyFrom(rounded);
                set.project(List.of(from), List.of(rounded), new ProjectionState(), kernels);
            }
        }
    }

    /** How far the outputs are with one tensor projected, or else the tensor's squared error over its square. */
    private static double change(FloatTensor value, FloatTensor rounded, FloatTensor plain, double error,
            OutputChange outputs) {
        double square = 0;
        for (long i = 0; i < plain.count(); i++) {
            square += (double) plain.get(i) * plain.get(i);
        }
        value.copyFrom(rounded);
        try {
            return outputs.orElse(square > 0 ? error / square : 0);
        } finally {
            value.copyFrom(plain);
        }
    }

    private static double squaredDistance(FloatTensor a, FloatTensor b) {
        double sum = 0;
        for (long i = 0; i < a.count(); i++) {
            double change = a.get(i) - b.get(i);
            sum += change * change;
        }
        return sum;
    }
}
