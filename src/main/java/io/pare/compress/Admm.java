package io.pare.compress;

import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.constraint.ProjectionState;
import io.pare.descent.RunState;
import io.pare.kernel.Kernels;
import io.pare.kernel.Penalty;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mpi.Ranks;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The alternating direction method of multipliers, in scaled form, for a loss that the caller minimises.
 *
 * <p>Minimises f(W) subject to W in S for each of several sets S. The caller takes gradient steps on f plus
 * {@code rho/2 ||W - Z + U||^2}, which this class installs in the variables as a {@link Penalty}; {@link #update} then
 * takes {@code Z = proj(W + U)} and {@code U = U + W - Z} (Zhang et al., arXiv 1811.01907, equations 6 to 9; Boyd et al.
 * 2011, section 3.1.1). A tensor may lie under several constraints, each with its own Z, U and rho; the optimiser then
 * sees their sum, which is one quadratic again.
 *
 * <p>In consensus form, several processes each train W of their own, by samples of their own. {@link #update} then takes
 * {@code Z = proj(mean(W + U))} over all of them, and each {@code U = U + W - Z} (Boyd et al. 2011, section 7.2). They
 * meet in an update alone. Processes that have the same weights can instead divide the projections among them.
 *
 * <p>Owns the memory of Z and U; {@link #close} frees it and takes the penalties away. One thread at a time.
 */
public final class Admm implements AutoCloseable {
    private final Region region;
    private final Projections projections;
    private final List<Group> groups;
    private final Map<Variable, Combined> combined = new LinkedHashMap<>();
    /** Trained too, and under no constraint, where ranks train apart. */
    private final List<Variable> others;
    private final @Nullable Consensus consensus;
    private final @Nullable Division division;
    private int iterations;
    private double projectionSeconds;

    private Admm(Builder builder) {
        this.region = builder.file == null ? Region.shared("admm") : Region.inFile("admm", builder.file);
        this.groups = new ArrayList<>();
        this.others = builder.others;
        try {
            for (int t = 0; t < builder.terms.size(); t++) {
                Term term = builder.terms.get(t);
                if (term.constraint.joint()) {
                    groups.add(new Group(region, t, term, term.variables));
                } else {
                    for (Variable variable : term.variables) {
                        groups.add(new Group(region, t, term, List.of(variable)));
                    }
                }
            }
            Map<Variable, Integer> uses = new LinkedHashMap<>();
            for (Group group : groups) {
                group.variables.forEach(variable -> uses.merge(variable, 1, Integer::sum));
            }
            uses.forEach((variable, count) -> {
                if (count > 1) {
                    combined.put(variable, new Combined(region.tensor(variable.value().shape()),
                            region.tensor(variable.value().shape())));
                }
            });
            this.consensus = builder.ranks.size() == 1 ? null
                    : new Consensus(builder.ranks, Stream.concat(groups.stream().flatMap(group -> group.u.stream()),
                            others.stream().map(Variable::value)).map(FloatTensor::shape).toList());
            this.division = builder.division;
            this.projections = Projections.open(builder.threads);
        } catch (RuntimeException | Error e) {
            region.close();
            throw e;
        }
    }

    private record Term(Constraint constraint, List<Variable> variables, double rho, RhoRule rule) {}

    /** Where several constraints on one tensor meet: the mean of their targets, and a dual of zero. */
    private record Combined(FloatTensor target, FloatTensor zero) {}

    /** One constraint on the tensors that it sees together. */
    private static final class Group {
        private final int term;
        private final List<Variable> variables;
        private final List<FloatTensor> z = new ArrayList<>();
        private final List<FloatTensor> u = new ArrayList<>();
        private final List<FloatTensor> last = new ArrayList<>();
        private final ProjectionState memory = new ProjectionState();
        private final RhoRule rule;
        private Constraint constraint;
        private double rho;
        /** Of each element's squared change; {@code null} for equal ones. */
        private @Nullable List<FloatTensor> importance;

        Group(Region region, int index, Term term, List<Variable> variables) {
            this.term = index;
            this.variables = variables;
            this.constraint = term.constraint;
            this.rho = term.rho;
            this.rule = term.rule;
            for (Variable variable : variables) {
                long[] shape = variable.value().shape();
                z.add(region.tensor(shape));
                u.add(region.tensor(shape));
                last.add(region.tensor(shape));
            }
        }

        List<FloatTensor> values() {
            return variables.stream().map(Variable::value).toList();
        }

        /** Writes the projection of the values themselves, or of what is to be projected in their place. */
        void project(List<FloatTensor> from, List<FloatTensor> to, Projections projections) {
            if (importance == null) {
                constraint.project(from, to, memory, projections);
            } else {
                constraint.projectWeighted(from, importance, to, memory, projections);
            }
        }

        void step(Projections projections, double[] primal, double[] dual) {
            if (importance == null) {
                constraint.step(values(), u, z, last, memory, projections, primal, dual);
            } else {
                constraint.stepWeighted(values(), u, importance, z, last, memory, projections, primal, dual);
            }
        }

        /** The projection of a step, which another rank may make for this one. */
        Division.Part part(Projections projections) {
            return new Division.Part() {
                @Override
                public boolean apart() {
                    return importance != null || !constraint.stepsAtOnce();
                }

                @Override
                public void project() {
                    Group.this.project(u, last, projections);
                }

                @Override
                public List<FloatTensor> projected() {
                    return last;
                }

                @Override
                public ProjectionState memory() {
                    return memory;
                }
            };
        }

        /** Adds W to U, of which the ranks then take the mean, or one of them the projection. */
        void add() {
            Constraint.addTo(u, values());
        }

        /** What follows the projection of a step, wherever that was made. */
        void settle(double[] primal, double[] dual) {
            Constraint.settle(values(), u, z, last, primal, dual);
        }

        /**
         * The step after {@link #add} in consensus form (Boyd et al. 2011, section 7.2): Z by the mean, which begins at {@code
         * at}, and U by what this rank has.
         */
        void agree(Consensus consensus, int at, Projections projections, double[] primal, double[] dual) {
            List<FloatTensor> mean = IntStream.range(at, at + u.size()).mapToObj(consensus::mean).toList();
            project(mean, last, projections);
            settle(primal, dual);
        }
    }

    /**
     * {@return bytes of memory for so many elements, each under one constraint: Z, U and the Z before}
     *
     * @param elements of all constrained tensors
     * @param inFile whether Z and U lie in a file, see {@link Builder#inFile}
     */
    public static long memory(long elements, boolean inFile) {
        return inFile ? 0 : 3 * elements * Float.BYTES;
    }

    /**
     * Begins the choice of constraints.
     *
     * @return a builder that is used once
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects constraints. Not thread-safe. */
    public static final class Builder {
        private final List<Term> terms = new ArrayList<>();
        private int threads = 1;
        private @Nullable Path file;
        private Ranks ranks = Ranks.alone();
        private List<Variable> others = List.of();
        private @Nullable Division division;

        private Builder() {}

        /**
         * Puts variables under a constraint: each on its own, or all together where the constraint is joint.
         *
         * @param variables in the order in which the constraint sees them
         * @param constraint the set
         * @param rho weight of the penalty in the first iteration, above 0
         * @param rule how rho changes between iterations
         * @return this
         * @throws IllegalArgumentException if rho is not positive, or a variable is none that constraints may touch
         */
        public Builder constrain(List<Variable> variables, Constraint constraint, double rho, RhoRule rule) {
            if (!(rho > 0) || Double.isInfinite(rho)) {
                throw new IllegalArgumentException("rho must be above 0, not " + rho);
            }
            if (variables.isEmpty()) {
                throw new IllegalArgumentException("no tensor to constrain to " + constraint.describe());
            }
            for (Variable variable : variables) {
                if (!variable.compressible()) {
                    throw new IllegalArgumentException(variable.name() + " is not open to constraints");
                }
            }
            terms.add(new Term(constraint, List.copyOf(variables), rho, rule));
            return this;
        }

        /**
         * Puts one variable under a constraint of fixed rho.
         *
         * @param variable that is constrained
         * @param constraint the set
         * @param rho weight of the penalty, above 0
         * @return this
         */
        public Builder constrain(Variable variable, Constraint constraint, double rho) {
            return constrain(List.of(variable), constraint, rho, new RhoRule.Fixed());
        }

        /**
         * Sets the threads that projections use; the number never changes a result.
         *
         * @param count at least 1
         * @return this
         */
        public Builder threads(int count) {
            this.threads = count;
            return this;
        }

        /**
         * Keeps Z and U in a file that exists meanwhile, mapped, rather than in memory; {@code null} for memory. They
         * are read and written once each step, so that a disk slows a run down where memory does not hold all of it.
         *
         * @param path of a file that does not exist yet, or {@code null}
         * @return this
         * @see Region#inFile
         */
        public Builder inFile(@Nullable Path path) {
            this.file = path;
            return this;
        }

        /**
         * Lets processes train apart, each with weights of its own, in consensus form: all of them make the same solver and
         * call the same methods. Constraints look at weights alone, or at what is the same everywhere. One process is as
         * without this.
         *
         * @param together the processes
         * @param unconstrained all other tensors that training changes: they become their means in each update
         * @return this
         */
        public Builder consensus(Ranks together, List<Variable> unconstrained) {
            this.ranks = together;
            this.others = List.copyOf(unconstrained);
            return this;
        }

        /**
         * Lets processes that all have the same weights divide the projections among them, where the first update shows that it
         * saves time: all of them make the same solver and call the same methods. It changes no bit. One process is as
         * without this.
         *
         * @param together the processes
         * @return this
         */
        public Builder divide(Ranks together) {
            return together.size() == 1 ? this : divide(new Division(together));
        }

        Builder divide(Division by) {
            this.division = by;
            return this;
        }

        /**
         * Takes memory for Z and U. Nothing is projected before {@link Admm#start}.
         *
         * @return the solver, closed by whoever built it
         * @throws IllegalStateException if no constraint was given, or processes train apart and divide what they would find alike
         * @throws java.io.UncheckedIOException if the file of {@link #inFile} cannot be made
         */
        public Admm build() {
            if (terms.isEmpty()) {
                throw new IllegalStateException("no constraint was given");
            }
            if (division != null && ranks.size() > 1) {
                throw new IllegalStateException("processes that train apart have no projections to divide");
            }
            return new Admm(this);
        }
    }

    /** Sets Z to the projection of W and U to zero, and installs the penalties. */
    public void start() {
        long begin = System.nanoTime();
        for (Group group : groups) {
            group.u.forEach(tensor -> tensor.fill(0f));
            group.project(group.values(), group.z, projections);
        }
        iterations = 0;
        projectionSeconds += (System.nanoTime() - begin) / 1e9;
        penalize();
    }

    /**
     * One Z step and one U step for every constraint, then each rule's rho, with U rescaled so that the unscaled dual
     * stays what it was.
     *
     * @return one row for each tensor under each constraint
     */
    public List<ResidualRow> update() {
        Kernels kernels = Kernels.active();
        long begin = System.nanoTime();
        List<ResidualRow> residuals = new ArrayList<>();
        if (consensus != null) {
            groups.forEach(Group::add);
            consensus.average(tensors(group -> group.u));
            takeMeans();
        }
        List<Division.Part> parts = division == null ? List.of()
                : groups.stream().map(group -> group.part(projections)).toList();
        double[] projecting = divide(parts);
        int at = 0;
        for (int g = 0; g < groups.size(); g++) {
            Group group = groups.get(g);
            long start = System.nanoTime();
            int n = group.variables.size();
            double[] primals = new double[n];
            double[] duals = new double[n];
            double rho = group.rho;
            if (consensus == null && projecting.length > 0 && parts.get(g).apart()) {
                group.settle(primals, duals);
            } else if (consensus == null) {
                group.step(projections, primals, duals);
            } else {
                group.agree(consensus, at, projections, primals, duals);
                primals = rootMeans(group, primals);
                at += n;
            }
            double primal = Arrays.stream(primals).map(norm -> norm * norm).sum();
            double dual = Arrays.stream(duals).map(norm -> norm * norm).sum();
            group.rho = group.rule.next(group.rho, Math.sqrt(primal), rho * Math.sqrt(dual));
            double rescale = rho / group.rho;
            for (int i = 0; i < n; i++) {
                if (rescale != 1) {
                    kernels.scale((float) rescale, group.u.get(i).segment(), 0, group.u.get(i).count());
                }
                residuals.add(new ResidualRow(group.variables.get(i).name(), group.constraint.describe(),
                        primals[i], rho * duals[i],
                        norm(kernels, group.variables.get(i).value()), rho,
                        ((System.nanoTime() - start) / 1e9 + (projecting.length > 0 ? projecting[g] : 0)) / n));
            }
        }
        iterations++;
        projectionSeconds += (System.nanoTime() - begin) / 1e9;
        penalize();
        return residuals;
    }

    /** Projects what ranks divide; gives seconds by group, none where nothing is divided. */
    private double[] divide(List<Division.Part> parts) {
        if (division == null) {
            return new double[0];
        }
        for (int g = 0; g < parts.size(); g++) {
            if (parts.get(g).apart()) {
                groups.get(g).add();
            }
        }
        return division.project(parts);
    }

    /** {@return constraints of which one process makes the projections for all} */
    public int divided() {
        return division == null ? 0 : division.divided();
    }

    /** Tensors of all groups, then the unconstrained ones, as the consensus has them. */
    private List<FloatTensor> tensors(Function<Group, List<FloatTensor>> of) {
        return Stream.concat(groups.stream().flatMap(group -> of.apply(group).stream()),
                others.stream().map(Variable::value)).toList();
    }

    /** Gives the unconstrained tensors the means that were taken last. */
    private void takeMeans() {
        int at = groups.stream().mapToInt(group -> group.u.size()).sum();
        for (int i = 0; i < others.size(); i++) {
            others.get(i).value().copyFrom(consensus.mean(at + i));
        }
    }

    /** Of residuals of all ranks, so that all draw the same conclusions. */
    private double[] rootMeans(Group group, double[] own) {
        double[] squares = consensus.agree(Arrays.stream(own).map(norm -> norm * norm).toArray(), group.z);
        return Arrays.stream(squares).map(Math::sqrt).toArray();
    }

    /** Ends the time in which ranks train apart: all have the means of their weights now. One process changes nothing. */
    public void unite() {
        if (consensus == null) {
            return;
        }
        consensus.average(tensors(Group::values));
        takeMeans();
        int at = 0;
        for (Group group : groups) {
            for (Variable variable : group.variables) {
                variable.value().copyFrom(consensus.mean(at++));
            }
        }
    }

    private static double norm(Kernels kernels, FloatTensor tensor) {
        return Math.sqrt(kernels.sumOfSquares(tensor.segment(), 0, tensor.count()));
    }

    /** Installs the penalties of the present Z, U and rho. */
    private void penalize() {
        Map<Variable, Double> sums = new LinkedHashMap<>();
        for (Group group : groups) {
            for (int i = 0; i < group.variables.size(); i++) {
                Variable variable = group.variables.get(i);
                if (combined.containsKey(variable)) {
                    sums.merge(variable, group.rho, Double::sum);
                } else {
                    variable.penalize(new Penalty(group.z.get(i).segment(), 0, group.u.get(i).segment(), 0,
                            (float) group.rho));
                }
            }
        }
        if (combined.isEmpty()) {
            return;
        }
        Kernels kernels = Kernels.active();
        combined.values().forEach(both -> both.target.fill(0f));
        for (Group group : groups) {
            for (int i = 0; i < group.variables.size(); i++) {
                Combined both = combined.get(group.variables.get(i));
                if (both != null) {
                    float share = (float) (group.rho / sums.get(group.variables.get(i)));
                    MemorySegment target = both.target.segment();
                    kernels.axpy(share, group.z.get(i).segment(), 0, target, 0, both.target.count());
                    kernels.axpy(-share, group.u.get(i).segment(), 0, target, 0, both.target.count());
                }
            }
        }
        combined.forEach((variable, both) -> variable.penalize(new Penalty(both.target.segment(), 0,
                both.zero.segment(), 0, sums.get(variable).floatValue())));
    }

    /**
     * Replaces the constraint that was given as the {@code term}-th, from 0; Z, U, rho and memory stay.
     *
     * @param term number of the constraint in the order of {@link Builder#constrain}
     * @param next of the same tensors, joint if the present one is
     * @throws IllegalArgumentException if one of both is joint and the other is not
     */
    public void replace(int term, Constraint next) {
        for (Group group : groups) {
            if (group.term == term) {
                if (group.constraint.joint() != next.joint()) {
                    throw new IllegalArgumentException(next.describe() + " cannot take the place of "
                            + group.constraint.describe() + ": one sees tensors together, the other does not");
                }
                group.constraint = next;
            }
        }
    }

    /**
     * Lets squared changes of elements count by their importance in all projections from now on. It is not saved with the
     * solver's state.
     *
     * @param importance above 0, in tensors of the variables' shapes, by variable; those that lack any count alike. The
     *            tensors are read whenever the solver projects
     * @throws IllegalArgumentException if variables that one constraint sees together have it only in part
     */
    public void weigh(Map<Variable, FloatTensor> importance) {
        for (Group group : groups) {
            List<FloatTensor> known = group.variables.stream().filter(importance::containsKey).map(importance::get)
                    .toList();
            if (!known.isEmpty() && known.size() < group.variables.size()) {
                throw new IllegalArgumentException(
                        "importance is known of " + known.size() + " of " + group.variables.size()
                                + " tensors: give it for all that are " + group.constraint.describe());
            }
            group.importance = known.isEmpty() ? null : known;
        }
    }

    /**
     * Writes the projection of W itself, without the dual, into W: the weights then lie in every set, if the sets of one
     * tensor were projected onto in an order that keeps the earlier ones.
     */
    public void project() {
        long begin = System.nanoTime();
        for (Group group : groups) {
            group.project(group.values(), group.last, projections);
            for (int i = 0; i < group.variables.size(); i++) {
                group.variables.get(i).value().copyFrom(group.last.get(i));
            }
        }
        projectionSeconds += (System.nanoTime() - begin) / 1e9;
    }

    /**
     * {@return the copy of a variable that lies in its first set: live until {@link #close}, and overwritten by
     * updates}
     *
     * @param variable that is under a constraint
     * @throws IllegalArgumentException if it is under none
     */
    public FloatTensor projected(Variable variable) {
        for (Group group : groups) {
            int at = group.variables.indexOf(variable);
            if (at >= 0) {
                return group.z.get(at);
            }
        }
        throw new IllegalArgumentException(variable.name() + " is under no constraint");
    }

    /**
     * Counts whether the weights lie in each set: by constraint and tensors.
     *
     * @return the counts
     */
    public Map<String, Feasibility> measure() {
        Map<String, Feasibility> found = new LinkedHashMap<>();
        for (Group group : groups) {
            String names = String.join("+", group.variables.stream().map(Variable::name).toList());
            found.put(names + ": " + group.constraint.describe(),
                    group.constraint.measure(group.values(), group.memory));
        }
        return found;
    }

    /** {@return constraint, tensors and memory of each group, for a later proof} */
    public List<Guarantee> guarantees() {
        return groups.stream().map(group -> new Guarantee(group.constraint,
                group.variables.stream().map(Variable::name).toList(), group.memory.all())).toList();
    }

    /**
     * {@return whether every tensor is as near to its set as {@code relative} times its norm, and Z moved no more
     * than that}
     *
     * @param residuals one row for each tensor, of the last iteration
     * @param relative tolerance, at least 0
     */
    public static boolean converged(List<ResidualRow> residuals, double relative) {
        return residuals.stream().allMatch(
                row -> row.primal() <= relative * row.norm() && row.dual() <= relative * row.rho() * row.norm());
    }

    /** {@return iterations since {@link #start}} */
    public int iterations() {
        return iterations;
    }

    /** {@return seconds spent in Z and U steps since this solver was made} */
    public double projectionSeconds() {
        return projectionSeconds;
    }

    /**
     * Saves or takes back Z, U, rho and the state of the constraints; after reading, the penalties stand again.
     *
     * @param state that is saved or read
     */
    public void visit(RunState state) {
        iterations = (int) state.whole("admm.iterations", iterations, 0, Integer.MAX_VALUE);
        projectionSeconds = state.number("admm.seconds", projectionSeconds);
        for (int g = 0; g < groups.size(); g++) {
            Group group = groups.get(g);
            String name = "admm." + g + ".";
            group.rho = state.number(name + "rho", group.rho);
            if (!(group.rho > 0) || Double.isInfinite(group.rho)) {
                throw state.damaged(name + "rho", null);
            }
            group.memory.visit(state, name + "memory");
            for (int i = 0; i < group.z.size(); i++) {
                state.tensor(name + i + ".z", group.z.get(i));
                state.tensor(name + i + ".u", group.u.get(i));
            }
        }
        if (state.reading()) {
            penalize();
        }
    }

    /** Takes the penalties away and frees Z and U. */
    @Override
    public void close() {
        for (Group group : groups) {
            group.variables.forEach(variable -> variable.penalize(null));
        }
        projections.close();
        if (consensus != null) {
            consensus.close();
        }
        region.close();
    }
}
