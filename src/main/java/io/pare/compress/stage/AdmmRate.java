package io.pare.compress.stage;

import io.pare.compress.Admm;
import io.pare.compress.AdmmOptions;
import io.pare.compress.Guarantee;
import io.pare.compress.TensorPattern;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.CodedBudget;
import io.pare.compress.constraint.Cost;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.WeightChange;
import io.pare.descent.RunState;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Rate-aware ADMM: support and codebooks in one projection, such that the network's file has at most so many bytes.
 *
 * <p>The projection is that of {@link CodedBudget}, whose bits are counted by a model. On the way they are adjusted, again and
 * again, by what the real coder makes of Z. In the end they are lowered until the file that is forecast by the real coder fits.
 * The run of the whole recipe fails if the file that it writes is larger. Where a training knows no file, the bytes are
 * those of the model.
 *
 * @param bytes of the whole file; what later stages do to values may not enlarge it
 * @param bits of a value, by tensor or pattern; tensors that none matches are left alone
 * @param cluster whether values lie on codewords; otherwise their width counts only towards the bytes, and the support alone is
 *            chosen
 * @param snap whether the stage ends on the codewords; a stage that freezes values step by step wants it not
 * @param ramp share of the stage over which the bytes fall geometrically to their target
 * @param admm how ADMM runs
 * @param train how W steps train
 */
public record AdmmRate(double bytes, Map<String, Integer> bits, boolean cluster, boolean snap, double ramp,
        AdmmOptions admm, TrainingOptions train) implements AdmmStage {
    public static final AdmmRate DEFAULTS = new AdmmRate(0, Map.of(), true, true, 0.7,
            AdmmOptions.DEFAULTS.byFisher(), TrainingOptions.DEFAULTS);

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if one is out of its range; the message names the key
     */
    public AdmmRate {
        bits = Keys.widths(bits);
        Keys.check(bytes >= 0 && bytes < Long.MAX_VALUE / 8, "bytes", bytes);
        Keys.check(ramp >= 0 && ramp <= 1, "ramp", ramp);
    }

    @Override
    public String name() {
        return "admm-rate";
    }

    @Override
    public double fileBytes() {
        return bytes;
    }

    @Override
    public Map<String, List<String>> patterns() {
        Map<String, List<String>> patterns = new LinkedHashMap<>();
        patterns.put("bits", List.copyOf(bits.keySet()));
        patterns.put("rhoOf", List.copyOf(admm.rhoOf().keySet()));
        return patterns;
    }

    /** The set, and whether values have to lie on codewords in it. */
    private CodedBudget set(double most, List<String> names, boolean coded,
            List<GlobalSparsity.Dependency> dependencies) {
        return new CodedBudget(Math.max(1, (long) most),
                names.stream().map(name -> TensorPattern.first(bits, name, 1)).toList(), coded, dependencies);
    }

    @Override
    public Effect check(Forecast forecast) {
        List<Forecast.Weights> held = Keys.named(forecast, bits);
        if (bytes < 1) {
            throw forecast.refused("needs 'bytes', the size of the whole file");
        }
        long least = held.size();
        if (8 * bytes < least) {
            throw forecast.refused(String.format(Locale.ROOT,
                    "has %.0f bytes for %d layers, and a layer without a weight lets nothing pass", bytes, least));
        }
        if (!admm.rhoOf().isEmpty()) {
            forecast.note("does not use rhoOf: its layers share one constraint, and so one rho");
        }
        boolean coded = cluster && snap;
        Effect trained = forecast.training(train.epochs() > 0).and(WeightChange.MAKES_ZEROS, true);
        for (Forecast.Weights each : held) {
            each.nonzeros(1);
            if (cluster) {
                Clustering values = Clustering.bits(TensorPattern.first(bits, each.name(), 0));
                each.levels(values, true);
                if (snap) {
                    each.values(values.k());
                }
            }
        }
        if (cluster && !snap) {
            forecast.noteUnlessSnapped("has snap: false, and no quantize-retrain follows: weights stay near its values,"
                    + " not on them");
        }
        CodedBudget set = set(8 * bytes, held.stream().map(Forecast.Weights::name).toList(), coded, List.of());
        return (coded
                ? trained.and(WeightChange.SPLITS_VALUES, name -> held.stream().anyMatch(w -> w.name().equals(name)))
                : trained).claiming(List.of(forecast.claim(set, held)));
    }

    @Override
    public String remedy(Claim claim) {
        return Keys.remedy(claim, bits);
    }

    @Override
    public StageRun open(RunContext context) {
        return StageRun.open(region -> new AdmmRun(context, region, train, admm, true, true,
                new Spending(context, this)));
    }

    /** Bits that follow the real coder. */
    private static final class Spending implements AdmmRun.Schedule {
        /** Adjustments of a stage, at most: for a large network each takes time. */
        private static final int ADJUSTMENTS = 40;
        private static final int LAST_ADJUSTMENTS = 50;

        private final RunContext context;
        private final AdmmRate stage;
        private final List<Variable> held;
        private final List<String> names;
        private final List<GlobalSparsity.Dependency> dependencies;
        private double present;
        private double start;
        private double adjusted;
        private boolean ending;
        private int last;

        Spending(RunContext context, AdmmRate stage) {
            this.context = context;
            this.stage = stage;
            this.held = context.weights(stage.bits.keySet());
            this.names = held.stream().map(Variable::name).toList();
            this.dependencies = context.dependencies(held);
        }

        @Override
        public void begin() {
            Map<Variable, FloatTensor> values = new LinkedHashMap<>();
            held.forEach(variable -> values.put(variable, variable.value()));
            start = bytes(values);
            adjust(values, start);
        }

        @Override
        public void visit(RunState state) {
            present = state.number("rate.bits", present);
            start = state.number("rate.start", start);
            adjusted = state.number("rate.adjusted", adjusted);
        }

        private CodedBudget set(boolean coded) {
            return stage.set(present, names, coded, dependencies);
        }

        /** Of the file, with values on codewords if they are not yet. */
        private double bytes(Map<Variable, FloatTensor> values) {
            Cost file = context.training().fileBytes();
            if (file == null) {
                return set(false).length(List.copyOf(values.values())) / 8;
            }
            try (Region region = Region.confined("coded"); Projections kernels = Projections.open(1)) {
                Map<Variable, FloatTensor> coded = new LinkedHashMap<>();
                values.forEach((variable, value) -> {
                    FloatTensor near = region.tensor(value.shape());
                    double[] codes = Projector.codebook(kernels, value, null,
                            1 << TensorPattern.first(stage.bits, variable.name(), 1), null);
                    Projector.nearest(kernels, value, near, codes, true);
                    coded.put(variable, near);
                });
                return new FileDraft(context, file).bytes(coded);
            }
        }

        /** Gives as many bits as would have made {@code values} a file of so many bytes. */
        private void adjust(Map<Variable, FloatTensor> values, double wanted) {
            double found = set(false).length(List.copyOf(values.values()));
            present = Math.max(held.size(), found + 8 * (wanted - bytes(values)));
        }

        private double wanted(double progress) {
            double way = stage.ramp == 0 ? 1 : Math.min(1, progress / stage.ramp);
            return start <= stage.bytes ? stage.bytes : start * Math.pow(stage.bytes / start, way);
        }

        @Override
        public List<AdmmRun.Target> targets() {
            return List.of(new AdmmRun.Target(held, _ -> set(stage.cluster && (stage.snap || !ending))));
        }

        @Override
        public void updated(Admm admm, double progress) {
            if (progress < 1 && progress - adjusted < 1.0 / ADJUSTMENTS) {
                return;
            }
            adjusted = progress;
            Map<Variable, FloatTensor> values = new LinkedHashMap<>();
            held.forEach(variable -> values.put(variable, admm.projected(variable)));
            adjust(values, wanted(Math.min(1, progress + 1.0 / ADJUSTMENTS)));
        }

        @Override
        public void ending() {
            ending = true;
        }

        /** Lowers the bits while the file would be too large. */
        @Override
        public boolean met() {
            Map<Variable, FloatTensor> values = new LinkedHashMap<>();
            held.forEach(variable -> values.put(variable, variable.value()));
            double excess = bytes(values) - stage.bytes;
            if (excess <= 0 || ++last > LAST_ADJUSTMENTS) {
                return true;
            }
            double found = set(false).length(List.copyOf(values.values()));
            present = Math.max(held.size(), Math.min(present, found) - 8 * Math.max(1, excess));
            return false;
        }

        @Override
        public void finished(Admm admm) {
            if (!stage.cluster) {
                return;
            }
            Map<String, double[]> memory = new HashMap<>(admm.guarantees().getFirst().memory());
            ProjectionState all = new ProjectionState();
            all.replace(memory);
            for (int i = 0; i < held.size(); i++) {
                ProjectionState own = new ProjectionState();
                own.put(Clustering.CODEBOOK, 0, all.get(Clustering.CODEBOOK, i));
                context.handOn(new Guarantee(Clustering.bits(TensorPattern.first(stage.bits, names.get(i), 1)),
                        List.of(names.get(i)), own.all()), true);
            }
        }
    }
}
