package io.pare.run;

import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Budget.Quantity;
import io.pare.compress.constraint.Cost;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.recipe.Sensitivity;
import io.pare.mem.FloatTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a network may cost, and the recipe that comes to it. */
final class Budgets {
    /** Of the bytes of a file: so many more may be planned, since the stage that codes the file takes the last weights. */
    private static final double SPARE = 1.3;
    private static final double SECONDS = 0.5;

    private final List<Budget> asked;
    private final Net model;
    private final InputScale scale;
    private final List<CostTable> tables;

    /** Checks that each budget can be told. */
    Budgets(List<Budget> asked, Net model, InputScale scale, List<CostTable> tables) {
        this.asked = List.copyOf(asked);
        this.model = model;
        this.scale = scale;
        this.tables = List.copyOf(tables);
        asked.forEach(budget -> cost(budget.quantity()));
        tables.forEach(table -> {
            if (tables.stream().filter(each -> each.of() == table.of()).count() > 1) {
                throw new RunException("two tables say what " + table.of() + " is: give one");
            }
            table.check(model);
        });
    }

    private CostTable table(Quantity quantity) {
        return tables.stream().filter(each -> each.of() == quantity).findFirst().orElseThrow(() -> new RunException(
                "a budget of " + quantity + " needs a table of what layers cost: give --cost, a file"
                        + (quantity == Quantity.LATENCY ? " that measure writes" : " with your figures")));
    }

    private Cost cost(Quantity quantity) {
        return switch (quantity) {
            case LATENCY, ENERGY -> new TableCost(model, table(quantity));
            case MACS -> new MultiplyAdds(model);
            case BOPS -> new BitOperations(model, BitOperations.FLOAT);
            case FILE_BYTES -> new FileBytes(model, scale);
            case WEIGHT_BYTES -> Cost.WEIGHT_DATA;
        };
    }

    /** What the network costs in the unit of a budget; {@code null} for want of a table. */
    @Nullable
    Cost known(Quantity quantity) {
        boolean tabled = quantity == Quantity.LATENCY || quantity == Quantity.ENERGY;
        return tabled && tables.stream().noneMatch(each -> each.of() == quantity) ? null : cost(quantity);
    }

    /** The same network and tables under other budgets. */
    Budgets of(List<Budget> others) {
        return new Budgets(others, model, scale, tables);
    }

    /** What decides what a table makes of a recipe. */
    String costs() {
        return asked.stream().anyMatch(this::tabled) ? tables.toString() : "";
    }

    /** Whether it follows from a table and from the weights that stay, so that the stage that prunes can ask for it. */
    private boolean tabled(Budget budget) {
        return (budget.quantity() == Quantity.LATENCY || budget.quantity() == Quantity.ENERGY)
                && table(budget.quantity()).perBit() == 0;
    }

    /** Whether values of fewer bits cost less. */
    boolean coded() {
        return asked.stream().map(budget -> cost(budget.quantity())).anyMatch(cost -> model.parameters().stream()
                .filter(Parameter::weight)
                .anyMatch(weight -> cost.of(weight.name(), weight.count(), weight.count(), 2) < cost.of(weight.name(),
                        weight.count(), weight.count(), Sensitivity.Plan.FLOAT)));
    }

    double fileBytes(double times) {
        return asked.stream().filter(budget -> budget.quantity() == Quantity.FILE_BYTES)
                .mapToDouble(budget -> Math.floor(budget.most() * times)).findFirst().orElse(0);
    }

    /** What each tensor keeps under so many times what was asked for. */
    Sensitivity.Plan plan(Sensitivity scan, double times) {
        List<Cost.Bound> bounds = asked.stream().map(budget -> new Cost.Bound(cost(budget.quantity()),
                budget.most() * times * (budget.quantity() == Quantity.FILE_BYTES ? SPARE : 1))).toList();
        Sensitivity.Plan plan = scan.plan(bounds, coded());
        for (int i = 0; i < bounds.size(); i++) {
            double least = bounds.get(i).cost().rest();
            if (scan.forecast(plan, bounds.get(i).cost()) > bounds.get(i).most()) {
                throw new RunException(String.format(Locale.ROOT,
                        "%s is out of reach: a weight in each layer takes %.4g %s, %.4g of them whatever is kept",
                        asked.get(i), scan.forecast(plan, bounds.get(i).cost()), asked.get(i).quantity().unit(),
                        least));
            }
        }
        return plan;
    }

    /** The recipe of a plan. */
    Recipe recipe(Sensitivity.Plan plan, double times) {
        String name = "auto-" + asked.stream().map(budget -> budget.toString().replace("<=", "-"))
                .collect(Collectors.joining("-"));
        return plan.recipe(name.substring(0, Math.min(100, name.length())), model.name(), fileBytes(times),
                asked.stream().filter(this::tabled)
                        .map(budget -> new Budget(budget.quantity(), budget.most() * times)).toList());
    }

    /** What was promised of each budget and what became of it, and what the tables say beyond that. */
    List<BudgetRow> rows(@Nullable Sensitivity scan, Sensitivity.@Nullable Plan plan, Map<String, FloatTensor> weights,
            long written) {
        List<BudgetRow> rows = new ArrayList<>();
        for (Budget budget : asked) {
            double promised = plan == null || tabled(budget) || budget.quantity() == Quantity.FILE_BYTES
                    ? budget.aim()
                    : scan.forecast(plan, cost(budget.quantity()));
            rows.add(row(budget.quantity(), budget.most(), promised, weights, written));
        }
        for (CostTable table : tables) {
            if (asked.stream().noneMatch(budget -> budget.quantity() == table.of())) {
                rows.add(row(table.of(), 0, 0, weights, written));
            }
        }
        return rows;
    }

    private BudgetRow row(Quantity quantity, double allowed, double promised, Map<String, FloatTensor> weights,
            long written) {
        double measured = switch (quantity) {
            case FILE_BYTES -> written;
            case LATENCY -> table(quantity).reference() == 0
                    ? cost(quantity).of(weights)
                    : PredictionTime.of(CompressedWeights.of(model, weights, scale), SECONDS,
                            table(quantity).reference()).ratio()
                            * table(quantity).reference();
            case ENERGY, MACS, BOPS, WEIGHT_BYTES -> cost(quantity).of(weights);
        };
        return new BudgetRow(quantity, quantity.unit(), allowed, promised, measured);
    }
}
