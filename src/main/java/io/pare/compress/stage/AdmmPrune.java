package io.pare.compress.stage;

import io.pare.compress.Admm;
import io.pare.compress.AdmmOptions;
import io.pare.compress.TensorGroups;
import io.pare.compress.TensorPattern;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.GroupSparsity;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.StructuredSparsity;
import io.pare.compress.constraint.WeightChange;
import io.pare.descent.RunState;
import io.pare.mem.FloatTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * ADMM onto sparse weights, then the hard cut (the paper's masked mapping); the retraining is a stage of its own.
 *
 * @param keep how many weights stay; where nothing is chosen, {@code structure} says it
 * @param structure structured sparsity in its place, by tensor or pattern
 * @param ramp share of the stage over which the count falls geometrically to its target; 0 asks for it at once
 * @param masked whether weights that are zero when the stage begins stay so (masked ADMM of progressive pruning)
 * @param exclude tensors left alone, by name or pattern
 * @param admm how ADMM runs
 * @param train how W steps train
 */
public record AdmmPrune(Keep keep, Map<String, Structure> structure, double ramp, boolean masked,
        List<String> exclude, AdmmOptions admm, TrainingOptions train) implements AdmmStage {
    public static final AdmmPrune DEFAULTS = new AdmmPrune(Keep.DEFAULTS, Map.of(), 0, true, List.of(),
            AdmmOptions.DEFAULTS, TrainingOptions.DEFAULTS);

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if keys exclude each other, or one is out of its range; the message names the
     *            key
     */
    public AdmmPrune {
        exclude = Keys.listed("exclude", exclude);
        structure = TensorPattern.inOrder("structure", structure);
        Keys.check(ramp >= 0 && ramp <= 1, "ramp", ramp);
        if (keep.score() == GlobalSparsity.Score.FISHER || keep.groups() != null && keep.groups().byFisher()) {
            admm = admm.byFisher();
        }
        if (keep.chosen() && !structure.isEmpty()) {
            throw new IllegalArgumentException("keep and structure exclude each other");
        }
        if (ramp > 0 && !structure.isEmpty()) {
            throw new IllegalArgumentException("ramp does not count with a structure, whose share is fixed");
        }
    }

    @Override
    public String name() {
        return "admm-prune";
    }

    @Override
    public List<Budget> budgets() {
        return keep.budget();
    }

    @Override
    public Map<String, List<String>> patterns() {
        Map<String, List<String>> patterns = new LinkedHashMap<>();
        patterns.put("layers", List.copyOf(keep.layers().keySet()));
        patterns.put("structure", List.copyOf(structure.keySet()));
        patterns.put("exclude", exclude);
        patterns.put("rhoOf", List.copyOf(admm.rhoOf().keySet()));
        return patterns;
    }

    /** Whether any weights are to go. */
    boolean chosen() {
        return keep.chosen() || !structure.isEmpty();
    }

    /**
     * The pattern of {@code structure} that counts for a tensor, or {@code null}. One with {@code *} never takes
     * outputs from the last layer, which would be classes.
     */
    private String structureOf(String tensor, String output) {
        String pattern = TensorPattern.chosen(structure.keySet(), tensor);
        return pattern != null && tensor.equals(output) && TensorPattern.wild(pattern)
                && structure.get(pattern).dropsOutputs() ? null : pattern;
    }

    @Override
    public Effect check(Forecast forecast) {
        if (!chosen()) {
            throw forecast.refused("needs a keep with one of ratio, total, budget, layers and groups, or a structure");
        }
        boolean trains = train.epochs() > 0;
        List<Forecast.Weights> open = forecast.weights().stream()
                .filter(each -> !TensorPattern.any(exclude, each.name())).toList();
        boolean frozen = masked || !trains;
        List<Claim> left = keep.groups() != null ? groups(forecast, keep.groups()) : keep.chosen()
                ? keep.claims(forecast, open, "exclude", frozen)
                : structures(forecast, open);
        left.forEach(claim -> forecast.weights().stream().filter(each -> claim.on(each.name()))
                .forEach(each -> each.nonzeros(1)));
        if (!frozen) {
            forecast.weights().stream().filter(each -> !open.contains(each))
                    .forEach(each -> each.nonzeros(each.count()));
        }
        boolean shared =
                keep.chosen() && (keep.groups() != null || keep.global() || forecast.linked() && keep.removeDead());
        if (shared && !admm.rhoOf().isEmpty()) {
            forecast.note("does not use rhoOf: its layers share one constraint, and so one rho");
        }
        return forecast.training(trains).and(WeightChange.FILLS_ZEROS, !frozen).and(WeightChange.MAKES_ZEROS, true)
                .claiming(left);
    }

    /** Refuses what would leave a layer nothing, and says which units have to stay. */
    private List<Claim> groups(Forecast forecast, KeptGroups kept) {
        TensorGroups all = forecast.groups();
        if (all == null) {
            throw forecast.refused("takes out whole units, and this training does not say which go together");
        }
        TensorGroups groups = open(all, forecast.weights().stream().map(Forecast.Weights::name).toList());
        if (groups.count() == 0) {
            throw forecast.refused("finds no unit that could go: " + stays(all));
        }
        GroupSparsity constraint = kept.constraint(groups, null, 1);
        if (constraint.reachable() > constraint.allowed()) {
            long whole = kept.macs() == null ? groups.count() : constraint.groups().multiplyAdds();
            throw forecast.refused(String.format(Locale.ROOT,
                    "would keep %,d %s; with the least of each layer there are"
                            + " still %,d: ask for %s of at least %.3f%s",
                    constraint.allowed(),
                    kept.macs() == null ? "groups" : "multiply-adds", constraint.reachable(),
                    kept.macs() == null ? "a share" : "macs",
                    Math.ceil(1000.0 * constraint.reachable() / whole) / 1000,
                    all.held().isEmpty() ? "" : "; " + stays(all)));
        }
        all.held().forEach((layer, by) -> {
            if (!layer.equals(by)) {
                forecast.note("leaves the units of " + layer + " alone, for " + by + " mixes them");
            }
        });
        List<String> owners = groups.owners();
        return List.of(forecast.claim(constraint, owners.stream().map(name -> forecast.weights().stream()
                .filter(each -> each.name().equals(name)).findFirst().orElseThrow()).toList()));
    }

    private TensorGroups open(TensorGroups all, List<String> weights) {
        return all.without(weights.stream().filter(name -> TensorPattern.any(exclude, name))
                .collect(Collectors.toSet()));
    }

    /** Which layers keep all of their units, and for which others. */
    private static String stays(TensorGroups groups) {
        return groups.held().entrySet().stream()
                .map(each -> each.getKey() + " stays whole" + (each.getKey().equals(each.getValue()) ? ""
                        : " for " + each.getValue()))
                .collect(Collectors.joining(", "));
    }

    private List<Claim> structures(Forecast forecast, List<Forecast.Weights> open) {
        List<Claim> left = new ArrayList<>();
        for (Forecast.Weights each : open) {
            String name = each.name();
            String pattern = structureOf(name, forecast.output());
            if (pattern == null) {
                String other = TensorPattern.chosen(structure.keySet(), name);
                if (other != null) {
                    forecast.note("leaves " + name + " alone, for its outputs are the classes; '" + other
                            + "' is for several layers, a pattern that names this one would prune it");
                }
                continue;
            }
            Structure wanted = structure.get(pattern);
            StructuredSparsity constraint = wanted.constraint();
            if (constraint.groupsKept(each.shape()) == 0) {
                throw forecast.refused("leaves no " + wanted.unit().words() + " of " + name
                        + ", and without one nothing passes: ask for a larger share");
            }
            if (name.equals(forecast.output()) && wanted.dropsOutputs()) {
                forecast.note("takes outputs from " + name
                        + ", which are classes: those can no longer be told apart");
            }
            left.add(forecast.claim(constraint, List.of(each)));
        }
        if (left.isEmpty()) {
            throw forecast.refused("prunes nothing: its patterns leave out every tensor");
        }
        return left;
    }

    @Override
    public String remedy(Claim claim) {
        return claim.sparse()
                ? "leave masked: false out, or keep no more there"
                : "prune first, choose values afterwards";
    }

    @Override
    public StageRun open(RunContext context) {
        return StageRun.open(region -> new AdmmRun(context, region, train, admm, masked, true, schedule(context)));
    }

    private AdmmRun.Schedule schedule(RunContext context) {
        List<Variable> open = context.weights().stream()
                .filter(variable -> !TensorPattern.any(exclude, variable.name())).toList();
        return keep.groups() != null ? new GroupRamp(context, this)
                : keep.chosen() ? new Ramp(context, this, keep.of(open)) : structured(context, open);
    }

    private AdmmRun.Schedule structured(RunContext context, List<Variable> open) {
        List<AdmmRun.Target> targets = new ArrayList<>();
        for (Variable variable : open) {
            String pattern = structureOf(variable.name(), context.training().output());
            if (pattern != null) {
                targets.add(AdmmRun.Target.of(List.of(variable), structure.get(pattern).constraint()));
            }
        }
        return () -> targets;
    }

    /** Groups whose number, or work, falls geometrically from what is there to what is wanted. */
    private static final class GroupRamp implements AdmmRun.Schedule {
        private final RunContext context;
        private final AdmmPrune stage;
        private final TensorGroups groups;
        private final List<Variable> held;

        GroupRamp(RunContext context, AdmmPrune stage) {
            this.context = context;
            this.stage = stage;
            this.groups = stage.open(context.training().groups(),
                    context.weights().stream().map(Variable::name).toList());
            this.held = groups.owners().stream().map(context::variable).toList();
        }

        @Override
        public List<AdmmRun.Target> targets() {
            return List.of(new AdmmRun.Target(held, this::at));
        }

        private GroupSparsity at(double progress) {
            double part = stage.ramp == 0 ? 1 : Math.min(1, progress / stage.ramp);
            return stage.keep.groups().constraint(groups, context.variables(), part);
        }

        /** Nothing reads the units that went: what gives them goes too, and statistics are those of what is left. */
        @Override
        public void finished(Admm admm) {
            boolean[] used = at(1).used(held.stream().map(Variable::value).toList());
            groups.clear(context.variables(), used);
            context.training().recalibrate();
        }
    }

    /** Sparsity whose counts fall geometrically from what is there to what is wanted. */
    private static final class Ramp implements AdmmRun.Schedule {
        /** Factor of the counts from one iteration to the next under a budget, at least. */
        private static final double SLOWEST = 0.8;

        private final RunContext context;
        private final AdmmPrune stage;
        private final List<Variable> held;
        private final List<GlobalSparsity.Dependency> dependencies;
        private BudgetScale budget;
        private double[] starts;
        private double[] importance;
        private long total;

        Ramp(RunContext context, AdmmPrune stage, List<Variable> held) {
            this.context = context;
            this.stage = stage;
            this.held = held;
            this.dependencies = stage.keep.removeDead() ? context.dependencies(held) : List.of();
        }

        @Override
        public void begin() {
            starts = held.stream().mapToDouble(variable -> Projector.nonzeros(variable.value())).toArray();
            importance = new double[held.size()];
            total = stage.keep.global() ? stage.keep.allowance(context, held, stage.masked) : 0;
            budget = new BudgetScale(context, stage.keep.budget(), held);
            budget.fit(() -> inAllOrEach(1));
        }

        @Override
        public void visit(RunState state) {
            if (budget == null) {
                budget = new BudgetScale(context, stage.keep.budget(), held);
            }
            budget.visit(state, "scale");
            starts = state.sizes("starts", starts == null ? new double[held.size()] : starts);
            importance = state.sizes("importance", importance == null ? new double[held.size()] : importance);
            if (stage.exclude.isEmpty()) {
                total = stage.keep.global() ? stage.keep.total(context.weightCount()) : 0;
            } else {
                total = state.count("total", total);
            }
        }

        /** A running mean, tensor by tensor, of the squared gradients of weights that are in the present support. */
        @Override
        public void observe(Admm admm) {
            if (stage.keep.score() != GlobalSparsity.Score.IMPORTANCE) {
                return;
            }
            for (int i = 0; i < importance.length; i++) {
                FloatTensor support = admm.projected(held.get(i));
                FloatTensor gradient = held.get(i).gradient();
                double sum = 0;
                long count = 0;
                for (long e = 0; e < support.count(); e++) {
                    if (support.get(e) != 0) {
                        sum += (double) gradient.get(e) * gradient.get(e);
                        count++;
                    }
                }
                double mean = count == 0 ? 0 : sum / count;
                importance[i] = importance[i] == 0 ? mean : 0.98 * importance[i] + 0.02 * mean;
            }
        }

        /** Once the counts have fallen, Z says how far they are from what the budget allows. */
        @Override
        public void updated(Admm admm, double progress) {
            if (progress >= stage.ramp && progress < 1) {
                budget.follow(held.stream().map(admm::projected).toList(), SLOWEST);
            }
        }

        @Override
        public boolean met() {
            return budget.met();
        }

        private Constraint inAllOrEach(double progress) {
            if (stage.keep.global()) {
                return inAll(progress);
            }
            List<Long> counts = new ArrayList<>();
            for (int i = 0; i < held.size(); i++) {
                counts.add(count(i, progress));
            }
            return GlobalSparsity.counts(counts, dependencies);
        }

        @Override
        public List<AdmmRun.Target> targets() {
            if (stage.keep.global() || !dependencies.isEmpty() || !stage.keep.budget().isEmpty()) {
                return List.of(new AdmmRun.Target(held, this::inAllOrEach));
            }
            // Nothing ties the tensors, and alone each has a kernel that does the Z and the U step at once.
            List<AdmmRun.Target> targets = new ArrayList<>();
            for (int i = 0; i < held.size(); i++) {
                int index = i;
                targets.add(new AdmmRun.Target(List.of(held.get(i)),
                        progress -> Sparsity.count(count(index, progress))));
            }
            return targets;
        }

        private GlobalSparsity inAll(double progress) {
            boolean weighed = Arrays.stream(importance).allMatch(weight -> weight > 0);
            return new GlobalSparsity(between(Arrays.stream(starts).sum(), budget.count(total, total), progress),
                    stage.keep.score(),
                    dependencies, List.of(), weighed ? Arrays.stream(importance).boxed().toList() : List.of(),
                    stage.keep.rate());
        }

        private long count(int index, double progress) {
            return between(starts[index],
                    budget.count(stage.keep.count(held.get(index)), held.get(index).value().count()), progress);
        }

        private long between(double from, long to, double progress) {
            double p = stage.ramp == 0 ? 1 : Math.min(1, progress / stage.ramp);
            return from <= to || to == 0 || p >= 1 ? to : Math.max(to, Math.round(from * Math.pow(to / from, p)));
        }
    }
}
