package io.pare.compress.recipe;

import io.pare.compress.AdmmOptions;
import io.pare.compress.Training;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Cost;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.stage.AdmmPrune;
import io.pare.compress.stage.AdmmRate;
import io.pare.compress.stage.AdmmValues;
import io.pare.compress.stage.ClusterRetrain;
import io.pare.compress.stage.Keep;
import io.pare.compress.stage.MaskRetrain;
import io.pare.compress.stage.QuantizeRetrain;
import io.pare.compress.stage.RunContext;
import io.pare.compress.stage.Stage;
import io.pare.descent.Descent;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How accuracy falls when one tensor at a time is pruned or clustered and nothing is retrained.
 *
 * @param base of the untouched network
 * @param rows one for each tensor and setting
 */
public record Sensitivity(Training.Evaluation base, List<Row> rows) {
    /** Shares of weights that a scan keeps. */
    public static final List<Double> SHARES = List.of(0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001);
    /** Bits of a value that a scan tries. */
    public static final List<Integer> BITS = List.of(1, 2, 3, 4, 5, 6);

    /** Copies the rows. */
    public Sensitivity {
        rows = List.copyOf(rows);
    }

    /**
     * One measurement.
     *
     * @param tensor that was changed
     * @param count its elements
     * @param share of its weights that stayed; 1 where it was clustered
     * @param bits of its values; 32 where it was pruned
     * @param accuracy on validation data
     * @param loss on validation data
     */
    public record Row(String tensor, long count, double share, int bits, double accuracy, double loss) {}

    /**
     * Measures every tensor at every setting; the weights are what they were afterwards.
     *
     * @param training whose weights are changed and put back
     * @param shares of weights that stay, each in (0, 1]
     * @param bits of a value, each 1 to 8
     * @return the curves of all tensors
     */
    public static Sensitivity scan(Training training, List<Double> shares, List<Integer> bits) {
        try (var _ = new RunContext(training).section("a sensitivity scan").enter()) {
            return measure(training, shares, bits);
        }
    }

    private static Sensitivity measure(Training training, List<Double> shares, List<Integer> bits) {
        List<Row> rows = new ArrayList<>();
        Training.Evaluation base = training.validate();
        for (Variable variable : training.variables()) {
            if (!variable.compressible()) {
                continue;
            }
            for (double share : shares) {
                Training.Evaluation found = with(training, variable, Sparsity.share(share));
                rows.add(new Row(variable.name(), variable.value().count(), share, 32, found.accuracy(), found.loss()));
            }
            for (int width : bits) {
                Training.Evaluation found = with(training, variable, Clustering.bits(width));
                rows.add(new Row(variable.name(), variable.value().count(), 1, width, found.accuracy(), found.loss()));
            }
        }
        return new Sensitivity(base, rows);
    }

    private static Training.Evaluation with(Training training, Variable variable, Constraint constraint) {
        try (Region region = Region.shared("sensitivity"); Projections kernels = Projections.open(1)) {
            FloatTensor before = region.tensor(variable.value().shape()).copyFrom(variable.value());
            FloatTensor after = region.tensor(variable.value().shape());
            constraint.project(List.of(before), List.of(after), new ProjectionState(), kernels);
            variable.value().copyFrom(after);
            try {
                return training.validate();
            } finally {
                variable.value().copyFrom(before);
            }
        }
    }

    /**
     * Counts for each tensor that add up to {@code total} or a little less, such that pruning costs each tensor alone
     * about the same loss: the tensors' curves are cut at one height, found by bisection.
     *
     * @param total non-zeros over all tensors
     * @return by tensor
     */
    public Map<String, Long> counts(long total) {
        double low = 0;
        double high = rows.stream().mapToDouble(row -> Math.abs(row.loss() - base.loss())).max().orElse(0) + 1;
        for (int round = 0; round < 60; round++) {
            double middle = (low + high) / 2;
            if (sum(at(middle)) > total) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Map<String, Long> counts = at(high);
        long found = sum(counts);
        if (found > total) {
            // Below the lowest share that was scanned all tensors shrink alike.
            counts.replaceAll((name, count) -> Math.max(1, count * total / found));
        }
        return counts;
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    /** For each tensor the smallest count whose rise in loss stays within {@code rise}, log-linear between the shares. */
    private Map<String, Long> at(double rise) {
        Map<String, Long> counts = new TreeMap<>();
        for (String tensor : tensors()) {
            List<Row> curve = rows.stream().filter(row -> row.tensor().equals(tensor) && row.bits() == 32)
                    .sorted((a, b) -> Double.compare(b.share(), a.share())).toList();
            double share = 1;
            double worst = 0;
            for (Row row : curve) {
                double here = Math.max(worst, row.loss() - base.loss());
                if (here > rise) {
                    double part = here == worst ? 0 : (rise - worst) / (here - worst);
                    share = share * Math.pow(row.share() / share, Math.max(0, part));
                    break;
                }
                share = row.share();
                worst = here;
            }
            counts.put(tensor, Math.max(1, Math.round(share * curve.getFirst().count())));
        }
        return counts;
    }

    /**
     * {@return for each tensor the fewest bits whose rise in loss stays within a bound, else the most that were
     * scanned}
     *
     * @param rise most loss above that of the dense weights
     */
    public Map<String, Integer> bits(double rise) {
        Map<String, Integer> widths = new TreeMap<>();
        for (String tensor : tensors()) {
            List<Row> curve = rows.stream().filter(row -> row.tensor().equals(tensor) && row.bits() != 32)
                    .sorted((a, b) -> Integer.compare(a.bits(), b.bits())).toList();
            int most = curve.getLast().bits();
            widths.put(tensor, curve.stream().filter(row -> row.loss() - base.loss() <= rise).mapToInt(Row::bits)
                    .findFirst().orElse(most));
        }
        return widths;
    }

    /** {@return the tensors that were scanned} */
    public List<String> tensors() {
        return rows.stream().map(Row::tensor).distinct().toList();
    }

    /**
     * {@return a recipe for a wanted ratio of weights to non-zeros, with the counts of {@link #counts}}
     *
     * @param model name of the network
     * @param weights of the whole network
     * @param ratio weights to non-zeros, above 1
     */
    public Recipe recipe(String model, long weights, double ratio) {
        return new Recipe("auto-" + Math.round(ratio) + "x", model, "Counts by sensitivity.", Recipe.DENSE,
                stages(counts(Math.max(tensors().size(), (long) (weights / ratio))), Map.of(), 0, List.of()));
    }

    /**
     * {@return a recipe for a wanted number of bytes of weight data (bits times non-zeros over 8): widths by {@link
     * #bits}, no narrower than 2 and no wider than 4, and as many non-zeros as then fit}
     *
     * @param model name of the network
     * @param bytes of weight data
     */
    public Recipe recipe(String model, double bytes) {
        return recipe(model, bytes, Cost.WEIGHT_DATA);
    }

    /**
     * {@return a recipe for a network that is forecast to cost no more: widths by {@link #bits}, no narrower than 2 and no
     * wider than 4, and as many non-zeros as then fit}
     *
     * @param model name of the network
     * @param most in the cost's unit
     * @param cost that is asked
     */
    public Recipe recipe(String model, double most, Cost cost) {
        return plan(List.of(new Cost.Bound(cost, most)), true).recipe("auto-" + Math.round(most) + "bytes", model);
    }

    /**
     * What each tensor keeps.
     *
     * @param counts of non-zeros, by tensor
     * @param widths in bits of a value, by tensor; empty where values stay as they are
     */
    public record Plan(Map<String, Long> counts, Map<String, Integer> widths) {
        /** Bits of a value that stays as it is. */
        public static final int FLOAT = 32;

        /** Copies the maps. */
        public Plan {
            counts = new TreeMap<>(counts);
            widths = new TreeMap<>(widths);
        }

        /**
         * {@return the stages that come to it}
         *
         * @param name of the recipe
         * @param model name of the network
         */
        public Recipe recipe(String name, String model) {
            return recipe(name, model, 0);
        }

        /**
         * {@return the stages that come to it or less, and to a file of so many bytes}
         *
         * @param name of the recipe
         * @param model name of the network
         * @param fileBytes of the whole file at most; 0 for any number
         */
        public Recipe recipe(String name, String model, double fileBytes) {
            return recipe(name, model, fileBytes, List.of());
        }

        /**
         * {@return the stages that come to it as far as budgets allow, and to a file of so many bytes}
         *
         * @param name of the recipe
         * @param model name of the network
         * @param fileBytes of the whole file at most; 0 for any number
         * @param held budgets by which the pruning stage multiplies the counts
         */
        public Recipe recipe(String name, String model, double fileBytes, List<Budget> held) {
            return new Recipe(name, model,
                    widths.isEmpty() ? "Counts by sensitivity." : "Counts and bits by sensitivity.", Recipe.DENSE,
                    stages(counts, widths, fileBytes, held));
        }

    }

    /**
     * {@return what a network is forecast to cost}
     *
     * @param plan of this scan's tensors
     * @param cost that is asked
     */
    public double forecast(Plan plan, Cost cost) {
        return forecast(plan, cost, sizes());
    }

    private static double forecast(Plan plan, Cost cost, Map<String, Long> sizes) {
        return cost.rest() + plan.counts.entrySet().stream()
                .mapToDouble(entry -> cost.of(entry.getKey(), sizes.get(entry.getKey()), entry.getValue(),
                        plan.widths.getOrDefault(entry.getKey(), Plan.FLOAT)))
                .sum();
    }

    /** Elements of each tensor. */
    private Map<String, Long> sizes() {
        Map<String, Long> sizes = new TreeMap<>();
        rows.forEach(row -> sizes.put(row.tensor(), row.count()));
        return sizes;
    }

    /**
     * {@return as many non-zeros as fit within all bounds, such that pruning costs each tensor alone about the same loss}
     *
     * @param bounds that are forecast to hold, unless a single weight in each tensor is too much
     * @param coded whether values are coded too: widths by {@link #bits}, no narrower than 2 and no wider than 4
     */
    public Plan plan(List<Cost.Bound> bounds, boolean coded) {
        Map<String, Integer> widths = coded ? bits(base.loss() + 0.01) : Map.of();
        if (coded) {
            widths.replaceAll((name, width) -> Math.clamp(width, 2, 4));
        }
        Map<String, Long> sizes = sizes();
        long low = tensors().size();
        long high = rows.stream().filter(row -> row.share() == SHARES.getFirst()).mapToLong(Row::count).sum() + low;
        while (high - low > 1) {
            long middle = (low + high) >>> 1;
            Plan tried = new Plan(counts(middle), widths);
            if (bounds.stream().allMatch(bound -> forecast(tried, bound.cost(), sizes) <= bound.most())) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return new Plan(counts(low), widths);
    }

    /**
     * {@return the stages that a recipe will have, before anything is measured; all weights stay in it}
     *
     * @param model name of the network
     * @param withBits whether it chooses values too
     */
    public static Recipe outline(String model, boolean withBits) {
        return outline(model, withBits, 0);
    }

    /**
     * {@return the stages that a recipe will have, before anything is measured; all weights stay in it}
     *
     * @param model name of the network
     * @param withBits whether it chooses values too
     * @param fileBytes of the whole file at most; 0 for any number
     */
    public static Recipe outline(String model, boolean withBits, double fileBytes) {
        return new Recipe("auto", model, "Stages only.", Recipe.DENSE,
                stages(Map.of("*", Long.MAX_VALUE), withBits ? Map.of("*", 4) : Map.of(), fileBytes, List.of()));
    }

    private static List<Stage> stages(Map<String, Long> counts, Map<String, Integer> widths, double fileBytes,
            List<Budget> held) {
        Map<String, Double> layers = new TreeMap<>();
        counts.forEach((name, count) -> layers.put(name, (double) count));
        Keep keep = new Keep(0, 0, GlobalSparsity.Score.LAMP, true, layers, 0, null, held);
        TrainingOptions pruning = train(10, 1e-3);
        List<Stage> stages = new ArrayList<>(List.of(
                new AdmmPrune(keep, Map.of(), 0.7, true, List.of(), ADMM, pruning), new MaskRetrain(pruning)));
        if (!widths.isEmpty()) {
            TrainingOptions train = train(3, 5e-4);
            stages.add(fileBytes == 0
                    ? new AdmmValues(widths, null, true, true, false, ADMM, train)
                    : new AdmmRate(fileBytes, widths, true, false, 0.7, ADMM.byFisher(), train));
            stages.add(new QuantizeRetrain(3, 0.5, train(1, 3e-4)));
            stages.add(new ClusterRetrain(train));
        }
        return stages;
    }

    private static final AdmmOptions ADMM = new AdmmOptions(1e-3, Map.of(), AdmmOptions.Rule.MULTIPLY, 1.1, 0.3, 8,
            false, 0);

    private static TrainingOptions train(int epochs, double rate) {
        return new TrainingOptions(epochs, new Descent(Optimizer.ADAM, Schedule.cosine(rate, 0.1)), 64, false, 1, false,
                0.5, 4, 0, TrainingOptions.Select.LAST);
    }
}
