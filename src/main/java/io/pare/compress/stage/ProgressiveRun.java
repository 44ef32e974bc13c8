package io.pare.compress.stage;

import io.pare.compress.Guarantee;
import io.pare.compress.RunState;
import io.pare.compress.Variable;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.List;

/** Progressive pruning: see {@link Stage.Progressive}. Runs a prune and a retrain stage inside, time and again. */
final class ProgressiveRun extends StageRun {
    /** One inner stage: which round, from which partial model, and whether it is the retraining. */
    private record Part(int round, int model, boolean retrain) {}

    private final Stage.Progressive stage;
    private final List<Part> parts = new ArrayList<>();
    private final List<Snapshot> pool = new ArrayList<>();
    private final Snapshot candidate;
    private double candidateAccuracy = -1;
    private int filled;
    private StageRun inner;
    private int part = -1;
    private int insidePart;

    ProgressiveRun(RunContext context, Region region, Stage.Progressive stage) {
        super(context, region, stage.train());
        this.stage = stage;
        for (int m = 0; m < stage.models(); m++) {
            pool.add(new Snapshot(region, context.all));
        }
        candidate = new Snapshot(region, context.all);
        for (int round = 0; round < stage.ratios().size(); round++) {
            for (int model = 0; model < Math.min(stage.models(), round + 1); model++) {
                parts.add(new Part(round, model, false));
                parts.add(new Part(round, model, true));
            }
        }
    }

    @Override
    public int epochs() {
        return parts.stream().mapToInt(this::epochs).sum();
    }

    private int epochs(Part one) {
        return one.retrain() ? stage.retrain().epochs() : stage.prune().train().epochs();
    }

    @Override
    public void begin() {
        pool.getFirst().take();
        filled = 1;
        next();
    }

    private StageRun make(Part one) {
        if (one.retrain()) {
            return StageRun.open(own -> new RetrainRun(context, own, stage.retrain()));
        }
        Stage.Prune round = stage.round(stage.ratios().get(one.round()));
        return StageRun.open(own -> new AdmmRun(context, own, round.train(), round.admm(), round.masked(), true,
                Plans.prune(context, round)));
    }

    /** Ends the present part, if any, and begins the next one. */
    private void next() {
        if (inner != null) {
            double accuracy = inner.finish().accuracy();
            inner.close();
            inner = null;
            if (parts.get(part).retrain()) {
                if (accuracy >= candidateAccuracy) {
                    candidateAccuracy = accuracy;
                    candidate.take();
                }
                if (part + 1 == parts.size() || parts.get(part + 1).round() > parts.get(part).round()) {
                    keepCandidate();
                }
            }
        }
        part++;
        insidePart = 0;
        if (part < parts.size()) {
            Part one = parts.get(part);
            if (!one.retrain()) {
                pool.get(one.model()).restore();
            }
            inner = make(one);
            inner.begin();
            if (epochs(one) == 0) {
                next();
            }
        }
    }

    /** The best result of a round joins the pool; a full pool loses its oldest model. */
    private void keepCandidate() {
        candidate.restore();
        Snapshot slot;
        if (filled < pool.size()) {
            slot = pool.get(filled++);
        } else {
            slot = pool.removeFirst();
            pool.add(slot);
        }
        slot.take();
        candidateAccuracy = -1;
    }

    @Override
    public EpochRow epoch(int epoch) {
        EpochRow row = inner.epoch(insidePart++);
        boolean over = insidePart == epochs(parts.get(part)) || inner.converged();
        if (over && part + 1 < parts.size()) {
            next();
        }
        return row;
    }

    @Override
    public void visit(RunState state) {
        part = (int) state.whole("part", part, 0, parts.size() - 1);
        insidePart = (int) state.whole("insidePart", insidePart, 0, epochs(parts.get(part)));
        filled = (int) state.whole("filled", filled, 1, pool.size());
        candidateAccuracy = state.number("candidateAccuracy", candidateAccuracy);
        for (int m = 0; m < pool.size(); m++) {
            pool.get(m).visit(state, "pool." + m);
        }
        candidate.visit(state, "candidate");
        if (state.reading()) {
            inner = make(parts.get(part));
        }
        inner.visit(state);
    }

    @Override
    public boolean cut() {
        next();
        candidate.restore();
        context.guarantees.removeIf(guarantee -> guarantee.constraint() instanceof GlobalSparsity);
        Keep keep = stage.round(stage.ratios().getLast()).keep();
        context.guarantees.add(new Guarantee(
                new GlobalSparsity(keep.total(context.weightCount()), keep.score(), List.of()),
                context.weights.stream().map(Variable::name).toList(), java.util.Map.of()));
        return true;
    }

    @Override
    public void close() {
        if (inner != null) {
            inner.close();
        }
        super.close();
    }
}
