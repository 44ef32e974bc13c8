package io.pare.compress.stage;

import io.pare.compress.Admm;
import io.pare.compress.AdmmOptions;
import io.pare.compress.ResidualRow;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Constraint;
import io.pare.descent.RunState;
import io.pare.mem.Region;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A run whose W step carries ADMM's penalty, onto the constraints of a {@link Schedule}. */
public final class AdmmRun extends StageRun {
    /** The constraints of a run, which may tighten from one iteration to the next. */
    public interface Schedule {
        /** Called once, on the weights that the stage begins with; not where a run is resumed. */
        default void begin() {}

        /** {@return the constraints; asked once, after {@link #begin} or {@link #visit}} */
        List<Target> targets();

        /**
         * Saves what was found in {@link #begin} or since, or takes it back.
         *
         * @param state that is saved or read
         */
        default void visit(RunState state) {}

        /**
         * Called now and then, when the gradients of the plain loss are there.
         *
         * @param admm the solver, between two updates
         */
        default void observe(Admm admm) {}

        /**
         * Called after each Z and U step.
         *
         * @param admm the solver
         * @param progress share of the stage's iterations that are over
         */
        default void updated(Admm admm, double progress) {}

        /** Called before the cut, which then asks for the constraints once more. */
        default void ending() {}

        /**
         * {@return whether the weights after the cut are as they should be; if not, they are cut again to what the
         * constraints then are}
         */
        default boolean met() {
            return true;
        }

        /**
         * Called when the stage has made its cut.
         *
         * @param admm the solver
         */
        default void finished(Admm admm) {}
    }

    /**
     * Tensors, and the constraint that they are under.
     *
     * @param variables in the order in which the constraint sees them
     * @param at the constraint when that share of the stage is over
     */
    public record Target(List<Variable> variables, DoubleFunction<Constraint> at) {
        /** Copies the list. */
        public Target {
            variables = List.copyOf(variables);
        }

        /**
         * {@return tensors under a constraint that stays}
         *
         * @param variables in the order in which the constraint sees them
         * @param constraint the set
         */
        public static Target of(List<Variable> variables, Constraint constraint) {
            return new Target(variables, _ -> constraint);
        }
    }

    private static final int OBSERVED = 16;

    private final Schedule schedule;
    private final AdmmOptions options;
    private final boolean masked;
    private final boolean snap;
    private List<Target> targets = List.of();
    private Admm admm;
    private @Nullable Fisher fisher;
    private List<ResidualRow> residuals = List.of();
    private boolean converged;
    private long steps;

    /**
     * Runs ADMM onto the constraints of a schedule.
     *
     * @param context what the stages of the run share
     * @param region of its own, see {@link #open}
     * @param train how W steps train
     * @param options how ADMM runs
     * @param masked whether weights that are zero when the stage begins stay so
     * @param snap whether the stage ends with the projection, and guarantees that its constraints hold
     * @param schedule the constraints
     */
    public AdmmRun(RunContext context, Region region, TrainingOptions train, AdmmOptions options, boolean masked,
            boolean snap,
            Schedule schedule) {
        super(context, region, train);
        this.schedule = schedule;
        this.options = options;
        this.masked = masked;
        this.snap = snap;
    }

    @Override
    public boolean masked() {
        return masked;
    }

    @Override
    public void begin() {
        context.training().apart(options.apart());
        super.begin();
        schedule.begin();
        build();
        admm.start();
    }

    private void build() {
        Admm.Builder builder = Admm.builder().inFile(context.admmFile());
        targets = schedule.targets();
        for (Target target : targets) {
            List<Variable> variables = target.variables();
            double rho = variables.size() == 1 ? options.rho(variables.getFirst().name()) : options.rho();
            builder.constrain(variables, target.at().apply(0), rho, options.rhoRule());
        }
        if (options.apart()) {
            Set<Variable> constrained = targets.stream().flatMap(target -> target.variables().stream())
                    .collect(Collectors.toSet());
            builder.consensus(context.training().ranks(),
                    context.variables().stream().filter(variable -> !constrained.contains(variable)).toList());
        } else {
            builder.divide(context.training().ranks());
        }
        admm = builder.build();
        if (options.fisher()) {
            fisher = new Fisher(region, targets.stream().flatMap(target -> target.variables().stream()).toList());
        }
    }

    @Override
    public void visit(RunState state) {
        context.training().apart(options.apart());
        super.visit(state);
        steps = state.count("steps", steps);
        schedule.visit(state);
        if (state.reading()) {
            build();
            tighten(state.number("progress", 0));
        } else {
            state.number("progress", progress());
        }
        admm.visit(state);
        if (fisher != null) {
            fisher.visit(state);
            weigh();
        }
    }

    /** Lets the solver know what is known of importance; before the first gradients all weights count alike. */
    private void weigh() {
        if (fisher.known()) {
            admm.weigh(fisher.importance());
        }
    }

    private double progress() {
        return Math.min(1, admm.iterations() / Math.max(1, options.updatesPerEpoch() * train.epochs()));
    }

    private void tighten(double progress) {
        for (int i = 0; i < targets.size(); i++) {
            admm.replace(i, targets.get(i).at().apply(progress));
        }
    }

    @Override
    public double rate(double done) {
        if (!options.restart()) {
            return super.rate(done);
        }
        double inIteration = done * options.updatesPerEpoch();
        return train.rate(inIteration - Math.floor(inIteration));
    }

    @Override
    public void beforeUpdate(double done) {
        if (++steps % OBSERVED == 0) {
            schedule.observe(admm);
            if (fisher != null) {
                fisher.observe();
                weigh();
            }
        }
        // A little slack, so that rounding does not put an update off to the next step.
        if (Math.floor(done * options.updatesPerEpoch() + 1e-9) > admm.iterations()) {
            update();
        }
    }

    @Override
    public void afterEpoch(int epoch) {
        beforeUpdate(epoch + 1);
    }

    private void update() {
        tighten(Math.min(1, (admm.iterations() + 1) / Math.max(1, options.updatesPerEpoch() * train.epochs())));
        residuals = admm.update();
        schedule.updated(admm, progress());
        converged = options.tolerance() > 0 && progress() >= 1 && Admm.converged(residuals, options.tolerance());
    }

    @Override
    public boolean converged() {
        return converged;
    }

    @Override
    public double projectionSeconds() {
        return admm.projectionSeconds();
    }

    @Override
    public List<ResidualRow> residuals() {
        return residuals;
    }

    @Override
    public boolean cut() {
        admm.unite();
        schedule.ending();
        tighten(1);
        if (snap) {
            admm.project();
            while (!schedule.met()) {
                tighten(1);
                admm.project();
            }
            admm.guarantees().forEach(context::guarantee);
        }
        schedule.finished(admm);
        return snap || options.apart();
    }

    @Override
    public void close() {
        context.training().apart(false);
        if (admm != null) {
            admm.close();
        }
        super.close();
    }
}
