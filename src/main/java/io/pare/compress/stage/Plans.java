package io.pare.compress.stage;

import io.pare.compress.Admm;
import io.pare.compress.Guarantee;
import io.pare.compress.RunState;
import io.pare.compress.TensorPattern;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Allotment;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.SparseClustering;
import io.pare.compress.constraint.Sparsity;
import io.pare.mem.FloatTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Which constraints each kind of ADMM stage lays on which tensors. */
final class Plans {
    private Plans() {}

    static AdmmRun.Plan prune(RunContext context, Stage.Prune stage) {
        List<Variable> open = StageRun.without(context.weights, stage.exclude());
        if (!stage.keep().chosen()) {
            return structured(context, open, stage);
        }
        List<Variable> held = stage.keep().of(open);
        return new Ramp(context, stage, held);
    }

    private static long count(Keep keep, Variable variable) {
        return keep.count(variable.name(), variable.value().count());
    }

    private static AdmmRun.Plan structured(RunContext context, List<Variable> open, Stage.Prune stage) {
        List<AdmmRun.Term> terms = new ArrayList<>();
        for (Variable variable : open) {
            String pattern = stage.structureOf(variable.name(), context.training.output());
            if (pattern != null) {
                terms.add(new AdmmRun.Term(List.of(variable), stage.structure().get(pattern).constraint()));
            }
        }
        return progress -> terms;
    }

    /** Sparsity whose counts fall geometrically from what is there to what is wanted. */
    private static final class Ramp implements AdmmRun.Plan {
        private final RunContext context;
        private final Stage.Prune stage;
        private final List<Variable> held;
        private double[] starts;
        private double[] importance;
        private long total;

        Ramp(RunContext context, Stage.Prune stage, List<Variable> held) {
            this.context = context;
            this.stage = stage;
            this.held = held;
        }

        @Override
        public void begin() {
            starts = held.stream().mapToDouble(variable -> Projector.nonzeros(variable.value())).toArray();
            importance = new double[held.size()];
            total = stage.keep().global() ? allowance(context, stage.keep(), held, stage.masked()) : 0;
        }

        @Override
        public void visit(RunState state) {
            starts = state.sizes("starts", starts == null ? new double[held.size()] : starts);
            importance = state.sizes("importance", importance == null ? new double[held.size()] : importance);
            if (stage.exclude().isEmpty()) {
                total = stage.keep().global() ? stage.keep().total(context.weightCount()) : 0;
            } else {
                total = state.count("total", total);
            }
        }

        /** A running mean, tensor by tensor, of the squared gradients of weights that are in the present support. */
        @Override
        public void observe(Admm admm) {
            if (stage.keep().score() != GlobalSparsity.Score.IMPORTANCE) {
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

        @Override
        public List<AdmmRun.Term> terms(double progress) {
            double p = stage.ramp() == 0 ? 1 : Math.min(1, progress / stage.ramp());
            Keep keep = stage.keep();
            List<GlobalSparsity.Wire> wires = keep.removeDead() ? wires(context, held) : List.of();
            if (keep.global()) {
                long now = between(Arrays.stream(starts).sum(), total, p);
                boolean weighed = Arrays.stream(importance).allMatch(weight -> weight > 0);
                return List.of(new AdmmRun.Term(held, new GlobalSparsity(now, keep.score(), wires, List.of(),
                        weighed ? Arrays.stream(importance).boxed().toList() : List.of())));
            }
            List<Long> counts = new ArrayList<>();
            for (int i = 0; i < held.size(); i++) {
                counts.add(between(starts[i], count(keep, held.get(i)), p));
            }
            if (!wires.isEmpty()) {
                return List.of(new AdmmRun.Term(held, GlobalSparsity.counts(counts, wires)));
            }
            // Nothing ties the tensors, and alone each has a kernel that does the Z and the U step at once.
            List<AdmmRun.Term> terms = new ArrayList<>();
            for (int i = 0; i < counts.size(); i++) {
                terms.add(new AdmmRun.Term(held.subList(i, i + 1), Sparsity.count(counts.get(i))));
            }
            return terms;
        }

        private static long between(double from, long to, double p) {
            return from <= to || to == 0 || p >= 1 ? to : Math.max(to, Math.round(from * Math.pow(to / from, p)));
        }
    }

    /** The training's links between tensors of {@code held}, as indices. */
    private static List<GlobalSparsity.Wire> wires(RunContext context, List<Variable> held) {
        List<String> names = held.stream().map(Variable::name).toList();
        return context.training.links().stream()
                .filter(link -> names.contains(link.producer()) && names.contains(link.consumer()))
                .map(link -> new GlobalSparsity.Wire(names.indexOf(link.producer()), names.indexOf(link.consumer())))
                .toList();
    }

    static AdmmRun.Plan values(RunContext context, Stage.Values stage) {
        List<AdmmRun.Term> terms = new ArrayList<>();
        for (Variable variable : matched(context, stage.bits())) {
            terms.add(new AdmmRun.Term(List.of(variable),
                    stage.constraint(TensorPattern.first(stage.bits(), variable.name(), 0))));
        }
        return new AdmmRun.Plan() {
            @Override
            public List<AdmmRun.Term> terms(double progress) {
                return terms;
            }

            @Override
            public void finished(Admm admm) {
                for (Guarantee guarantee : admm.guarantees()) {
                    publish(context, guarantee, stage.zero());
                }
            }
        };
    }

    /** Hands a codebook on to the stages that follow. */
    private static void publish(RunContext context, Guarantee guarantee, boolean zero) {
        String name = guarantee.tensors().getFirst();
        ProjectionState memory = new ProjectionState();
        memory.replace(guarantee.memory());
        double[] codes = guarantee.constraint() instanceof Quantization quantization
                ? quantization.scaled(memory.get(Quantization.INTERVAL, 0)[0])
                : memory.get(Clustering.CODEBOOK, 0);
        context.levels.put(name, codes);
        context.zeroIsNoCase.remove(name);
        if (!zero) {
            context.zeroIsNoCase.add(name);
        }
    }

    private static List<Variable> matched(RunContext context, Map<String, Integer> bits) {
        return context.weights.stream().filter(variable -> TensorPattern.first(bits, variable.name(), null) != null)
                .toList();
    }

    /**
     * What a total leaves for the tensors that it may prune, the others keeping what they have.
     *
     * @throws RecipeException if the others alone have so many that the total is out of reach
     */
    private static long allowance(RunContext context, Keep keep, List<Variable> held, boolean masked) {
        long all = context.weightCount();
        long apart = context.weights.stream().filter(variable -> !held.contains(variable))
                .mapToLong(variable -> masked ? Projector.nonzeros(variable.value()) : variable.value().count()).sum();
        long left = keep.total(all) - apart;
        if (left < held.size()) {
            throw new RecipeException("a total of " + keep.total(all) + " weights is out of reach: " + apart
                    + " of them are left alone; keep at least " + (apart + held.size()) + " of " + all);
        }
        return left;
    }

    static AdmmRun.Plan joint(RunContext context, Stage.JointValues stage) {
        List<Variable> held = matched(context, stage.bits());
        return new AdmmRun.Plan() {
            private double[] counts;

            @Override
            public void begin() {
                Keep keep = stage.keep();
                counts = new double[held.size()];
                long[] split = !keep.chosen() || !keep.global()
                        ? null
                        : Allotment.counts(held.stream().map(Variable::value).toList(),
                                allowance(context, keep, held, true), keep.score());
                for (int i = 0; i < counts.length; i++) {
                    long own = count(keep, held.get(i));
                    counts[i] = split != null
                            ? split[i]
                            : own >= 0 ? own : Projector.nonzeros(held.get(i).value());
                }
            }

            @Override
            public void visit(RunState state) {
                counts = state.sizes("counts", counts == null ? new double[held.size()] : counts);
            }

            @Override
            public List<AdmmRun.Term> terms(double progress) {
                List<AdmmRun.Term> terms = new ArrayList<>();
                for (int i = 0; i < held.size(); i++) {
                    terms.add(new AdmmRun.Term(List.of(held.get(i)),
                            new SparseClustering(Sparsity.count((long) counts[i]),
                                    1 << TensorPattern.first(stage.bits(), held.get(i).name(), 1))));
                }
                return terms;
            }

            @Override
            public void finished(Admm admm) {
                admm.guarantees().forEach(guarantee -> publish(context, guarantee, true));
            }
        };
    }

    static AdmmRun.Plan budget(RunContext context, Stage.Budget stage) {
        List<AdmmRun.Term> terms = List.of(new AdmmRun.Term(context.weights, stage.constraint()));
        return progress -> terms;
    }
}
