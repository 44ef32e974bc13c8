package io.pare.compress.stage;

import io.pare.compress.TensorPattern;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.WeightChange;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How many weights a stage keeps: in all, or layer by layer.
 *
 * @param total non-zeros in all tensors together; 0 where {@code ratio} or {@code layers} say it
 * @param ratio weights to non-zeros, such as 167; 0 where the others say it
 * @param score what makes tensors comparable under a total
 * @param removeDead whether units without a consumer or without an input give their weights to others
 * @param layers by name or pattern: a count from 1 on, a share below 1; tensors that none matches stay dense
 * @param rate power of a weight's bits by which its score is divided under a total; 0 for none
 * @param groups whole units in place of weights; left out for single weights
 * @param budget what the network may cost with what is kept, in place of a number: counts are as large as it allows. Beside
 *            {@code layers} these say how the tensors' counts go together
 */
public record Keep(long total, double ratio, GlobalSparsity.Score score, boolean removeDead,
        Map<String, Double> layers, double rate, @Nullable KeptGroups groups,
        @OneOrMore List<Budget> budget) {
    /** Nothing chosen. */
    public static final Keep DEFAULTS = new Keep(0, 0, GlobalSparsity.Score.LAMP, true, Map.of());

    /**
     * Scores weights whatever it costs to store them.
     *
     * @param total non-zeros in all tensors together, or 0
     * @param ratio weights to non-zeros, or 0
     * @param score what makes tensors comparable under a total
     * @param removeDead whether units without a consumer or without an input give their weights to others
     * @param layers counts or shares by name or pattern
     */
    public Keep(long total, double ratio, GlobalSparsity.Score score, boolean removeDead,
            Map<String, Double> layers) {
        this(total, ratio, score, removeDead, layers, 0, null, List.of());
    }

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if keys exclude each other, or one is out of its range; the message names the
     *            key
     */
    public Keep {
        if (score == null) {
            throw new IllegalArgumentException("score must be one of lamp, magnitude, importance and fisher");
        }
        layers = TensorPattern.inOrder("layers", layers);
        budget = budget == null ? List.of() : Budget.apart(budget);
        if (!budget.isEmpty() && (total > 0 || ratio != 0 || groups != null)) {
            throw new IllegalArgumentException("budget stands in place of total, ratio and groups: leave them out");
        }
        budget.stream().filter(each -> each.quantity() == Budget.Quantity.FILE_BYTES).findFirst().ifPresent(each -> {
            throw new IllegalArgumentException(
                    "budget cannot be of file-bytes, which admm-rate keeps: give it 'bytes'");
        });
        layers.forEach((pattern, wanted) -> {
            if (!(wanted > 0) || wanted.isInfinite() || wanted > 1 && wanted != Math.rint(wanted)) {
                throw new IllegalArgumentException("layers: " + pattern + " cannot be " + wanted
                        + ": give a share above 0 and below 1, or a whole number of weights from 1 on");
            }
        });
        int ways = (total > 0 ? 1 : 0) + (ratio != 0 ? 1 : 0) + (layers.isEmpty() ? 0 : 1) + (groups == null ? 0 : 1);
        if (score == GlobalSparsity.Score.COUNTS) {
            throw new IllegalArgumentException("counts of single tensors are given by 'layers', not by a score");
        }
        if (total < 0 || ways > 1) {
            throw new IllegalArgumentException("keep takes one of total, ratio and layers, or groups");
        }
        if (ratio != 0 && !(ratio >= 1 && ratio < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("ratio cannot be " + ratio
                    + ": it is weights to non-zeros, at least 1; 10 keeps one weight in ten");
        }
        GlobalSparsity.checkRate(rate);
        if (groups != null && (rate > 0 || score != GlobalSparsity.Score.LAMP)) {
            throw new IllegalArgumentException("score and rate are of single weights: groups has a score of its own");
        }
        if (!layers.isEmpty() && rate > 0) {
            throw new IllegalArgumentException("rate does not count where layers says what each tensor keeps");
        }
        if (!layers.isEmpty() && score != GlobalSparsity.Score.LAMP) {
            throw new IllegalArgumentException("score does not count where layers says what each tensor keeps");
        }
    }

    /** Whether anything was chosen. */
    boolean chosen() {
        return total > 0 || ratio > 0 || !layers.isEmpty() || groups != null || !budget.isEmpty();
    }

    boolean global() {
        return layers.isEmpty();
    }

    /** Refuses counts by layer, where layers share what is left. */
    void checkGlobal() {
        if (!global()) {
            throw new IllegalArgumentException("keep takes a total or a ratio here, for layers share what is left");
        }
    }

    /** Refuses budgets, where a stage counts. */
    void checkCounted() {
        if (!budget.isEmpty()) {
            throw new IllegalArgumentException("keep takes a total or a ratio here: budget is for admm-prune and"
                    + " gradual-prune");
        }
    }

    /** What a stage does that cuts down to a count in all, masked. */
    Effect cut(Forecast forecast, boolean trains) {
        if (!chosen()) {
            throw forecast.refused("needs a keep with a ratio or a total");
        }
        List<Claim> left = claims(forecast, forecast.weights(), "keep", true);
        forecast.weights().forEach(each -> each.nonzeros(1));
        return forecast.training(trains).and(WeightChange.MAKES_ZEROS, true).claiming(left);
    }

    /** What to do where that breaks a claim. */
    static String remedy(Claim claim) {
        return claim.sparse() ? "keep no more there" : "prune first, choose values afterwards";
    }

    /** Non-zeros in all of {@code weights}; all of them under a budget, whose scale then says how many. */
    long total(long weights) {
        return !budget.isEmpty() ? weights : total > 0 ? Math.min(total, weights) : (long) Math.floor(weights / ratio);
    }

    /** Non-zeros of a tensor of {@code n} elements under {@code layers}, or -1 if no pattern matches. */
    long count(String name, long n) {
        Double wanted = TensorPattern.first(layers, name, null);
        if (wanted == null) {
            return -1;
        }
        return wanted < 1 ? Math.round(wanted * n) : Math.min(n, Math.round(wanted));
    }

    /** As {@link #count(String, long)}. */
    long count(Variable variable) {
        return count(variable.name(), variable.value().count());
    }

    /** Those of {@code variables} that this touches. */
    List<Variable> of(List<Variable> variables) {
        return global() ? variables : variables.stream().filter(variable -> count(variable) >= 0).toList();
    }

    /**
     * What a total leaves for the tensors that it may prune, the others keeping what they have.
     *
     * @throws RecipeException if the others alone have so many that the total is out of reach
     */
    long allowance(RunContext context, List<Variable> held, boolean masked) {
        long all = context.weightCount();
        long apart = context.weights().stream().filter(variable -> !held.contains(variable))
                .mapToLong(variable -> masked ? Projector.nonzeros(variable.value()) : variable.value().count()).sum();
        long left = total(all) - apart;
        if (left < held.size()) {
            throw new RecipeException("a total of " + total(all) + " weights is out of reach: " + apart
                    + " of them are left alone; keep at least " + (apart + held.size()) + " of " + all);
        }
        return left;
    }

    /** The claims of counts, in all or by layer; {@code others} is the key that leaves tensors out. */
    List<Claim> claims(Forecast forecast, List<Forecast.Weights> open, String others, boolean masked) {
        if (open.isEmpty()) {
            throw forecast.refused("prunes nothing: " + others + " leaves out every tensor");
        }
        if (global()) {
            return List.of(claim(forecast, open, others, masked));
        }
        List<Claim> counts = byLayer(forecast, open, others);
        long most = open.stream().filter(each -> count(each.name(), each.count()) > 0)
                .mapToLong(Forecast.Weights::count).sum();
        // A budget may ask for more than the counts, as long as they go together.
        return budget.isEmpty() ? counts : List.of(forecast.claim(new GlobalSparsity(most, score, List.of()),
                open.stream().filter(each -> count(each.name(), each.count()) > 0).toList()));
    }

    private Claim claim(Forecast forecast, List<Forecast.Weights> open, String others, boolean masked) {
        long all = forecast.weights().stream().mapToLong(Forecast.Weights::count).sum();
        if (total > all) {
            throw forecast.refused(
                    String.format(Locale.ROOT, "would keep %,d weights, and there are %,d", total, all));
        }
        long asked = total(all);
        long apart = forecast.weights().stream().filter(each -> !open.contains(each))
                .mapToLong(each -> masked ? each.nonzeros() : each.count()).sum();
        if (asked - apart < open.size()) {
            long least = apart + open.size();
            throw forecast.refused(String.format(Locale.ROOT, "would keep %,d of %,d weights, %s: a total of at least"
                    + " %,d, or a ratio of at most %s, is within reach", asked, all,
                    apart > 0
                            ? String.format(Locale.ROOT, "and %s leaves %,d of them alone", others, apart)
                            : "less than one in each layer, and without them nothing passes",
                    least, ratio(all, least)));
        }
        return forecast.claim(new GlobalSparsity(asked - apart, score, List.of()), open);
    }

    /** Rounded down to three digits behind the point, so that it can be asked for. */
    private static String ratio(long all, long kept) {
        double ratio = Math.floor(1000.0 * all / kept) / 1000;
        return ratio == Math.rint(ratio) ? Long.toString((long) ratio) : Double.toString(ratio);
    }

    private List<Claim> byLayer(Forecast forecast, List<Forecast.Weights> open, String others) {
        layers.keySet().forEach(pattern -> {
            if (open.stream().noneMatch(each -> TensorPattern.matches(pattern, each.name()))) {
                throw forecast.refused("has '" + pattern + "' in layers, all of which " + others + " leaves out");
            }
        });
        List<Claim> left = new ArrayList<>();
        for (Forecast.Weights each : open) {
            Double wanted = TensorPattern.first(layers, each.name(), null);
            if (wanted != null && wanted > each.count()) {
                throw forecast.refused(String.format(Locale.ROOT, "would keep %,.0f weights of %s, which has %,d",
                        wanted, each.name(), each.count()));
            }
            long count = count(each.name(), each.count());
            if (count == 0) {
                throw forecast.refused("leaves none of the " + each.count() + " weights of " + each.name()
                        + ", and without them nothing passes: keep at least 1");
            }
            if (count > 0) {
                left.add(forecast.claim(Sparsity.count(count), List.of(each)));
            }
        }
        return left;
    }
}
