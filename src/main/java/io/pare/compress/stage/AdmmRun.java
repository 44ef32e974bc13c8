package io.pare.compress.stage;

import io.pare.compress.Admm;
import io.pare.compress.AdmmOptions;
import io.pare.compress.ResidualRow;
import io.pare.compress.RunState;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Constraint;
import io.pare.mem.Region;
import java.util.List;

/** A stage whose W step carries ADMM's penalty: pruning, values, both, or a budget, as its plan says. */
final class AdmmRun extends StageRun {
    /** The constraints of a stage, which may tighten while it runs. */
    interface Plan {
        /** Called once, on the weights that the stage begins with. */
        default void begin() {}

        /**
         * The constraints when that share of the stage is over; of the same number, order and tensors at each call.
         */
        List<Term> terms(double progress);

        default void visit(RunState state) {}

        /** Called now and then, when the gradients of the plain loss are there. */
        default void observe(Admm admm) {}

        /** Called when W has been projected, with the solver. */
        default void finished(Admm admm) {}
    }

    record Term(List<Variable> variables, Constraint constraint) {}

    private static final int OBSERVED = 16;

    private final Plan plan;
    private final AdmmOptions options;
    private final boolean masked;
    private final boolean snap;
    private Admm admm;
    private List<ResidualRow> residuals = List.of();
    private boolean converged;
    private long steps;

    AdmmRun(RunContext context, Region region, TrainingOptions train, AdmmOptions options, boolean masked, boolean snap,
            Plan plan) {
        super(context, region, train);
        this.plan = plan;
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
        super.begin();
        plan.begin();
        build();
        admm.start();
    }

    private void build() {
        Admm.Builder builder = Admm.builder().inFile(context.admmFile);
        for (Term term : plan.terms(0)) {
            double rho = term.variables().size() == 1 ? options.rho(term.variables().getFirst().name()) : options.rho();
            builder.constrain(term.variables(), term.constraint(), rho, options.rhoRule());
        }
        admm = builder.build();
    }

    @Override
    public void visit(RunState state) {
        super.visit(state);
        steps = state.count("steps", steps);
        plan.visit(state);
        if (state.reading()) {
            build();
            tighten(state.number("progress", 0));
        } else {
            state.number("progress", progress());
        }
        admm.visit(state);
    }

    private double progress() {
        return Math.min(1, admm.iterations() / Math.max(1, options.updatesPerEpoch() * train.epochs()));
    }

    private void tighten(double progress) {
        List<Term> terms = plan.terms(progress);
        for (int i = 0; i < terms.size(); i++) {
            admm.replace(i, terms.get(i).constraint());
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
            plan.observe(admm);
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
        tighten(1);
        if (snap) {
            admm.project();
            admm.guarantees().forEach(context::guarantee);
        }
        plan.finished(admm);
        return snap;
    }

    @Override
    public void close() {
        if (admm != null) {
            admm.close();
        }
        super.close();
    }
}
