package io.pare.compress.stage;

import io.pare.compress.Guarantee;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.WeightChange;
import io.pare.descent.RunState;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Clustering retraining: the gradient of a codeword is the sum of its members' gradients (Han et al. 2016, section 3.3),
 * and each member gets it, so that all move together.
 *
 * @param train how it trains
 */
public record ClusterRetrain(TrainingOptions train) implements Stage {
    public static final ClusterRetrain DEFAULTS = new ClusterRetrain(TrainingOptions.DEFAULTS);

    @Override
    public String name() {
        return "cluster-retrain";
    }

    @Override
    public Map<String, List<String>> patterns() {
        return Map.of();
    }

    /** A label for each weight. */
    @Override
    public long memory(Sizes sizes) {
        return sizes.run(train) + sizes.weights();
    }

    @Override
    public Effect check(Forecast forecast) {
        int most = Forecast.MOST_VALUES;
        for (Forecast.Weights each : forecast.weights()) {
            if (Math.min(each.values(), each.count()) > most) {
                throw forecast.refused("needs weights of few values, and " + each.name() + " may have more than " + most
                        + ": put a stage before it that chooses them for every layer, with 7 bits at most, and after one"
                        + " with snap: false a quantize-retrain");
            }
            each.levels(new Clustering(Math.clamp(each.values(), 1, most)), each.zeroApart());
        }
        // What were levels are free values from here on: the stage says so.
        for (Claim claim : forecast.claims()) {
            if (claim.constraint() instanceof Quantization) {
                claim.replace(new Clustering((int) claim.constraint().values()));
            }
        }
        return Effect.NONE.and(WeightChange.SHIFTS_VALUES, train.epochs() > 0);
    }

    @Override
    public String remedy(Claim claim) {
        return "leave one of the two out";
    }

    @Override
    public StageRun open(RunContext context) {
        return StageRun.open(region -> new Run(context, region, train));
    }

    private static final class Run extends StageRun {
        private final Map<Variable, MemorySegment> labels = new LinkedHashMap<>();
        private final Map<Variable, List<int[]>> members = new LinkedHashMap<>();

        Run(RunContext context, Region region, TrainingOptions train) {
            super(context, region, train, train.patience());
            for (Variable variable : context.weights()) {
                labels.put(variable, region.allocate(variable.value().count()));
            }
        }

        @Override
        public void begin() {
            super.begin();
            labels.forEach((variable, segment) -> {
                float[] codes = Projector.distinct(variable.value(), Forecast.MOST_VALUES);
                if (codes.length > Forecast.MOST_VALUES) {
                    throw new RecipeException(
                            "cluster-retrain needs clustered weights, " + variable.name() + " has more than "
                                    + Forecast.MOST_VALUES + " values: put admm-cluster or admm-joint before it");
                }
                FloatTensor value = variable.value();
                for (long e = 0; e < value.count(); e++) {
                    float weight = value.get(e);
                    segment.set(ValueLayout.JAVA_BYTE, e,
                            (byte) (weight == 0 ? 0 : 1 + Arrays.binarySearch(codes, weight)));
                }
            });
            collect();
        }

        private void collect() {
            labels.forEach((variable, segment) -> {
                int[] sizes = new int[Forecast.MOST_VALUES + 1];
                int most = 0;
                for (long e = 0; e < segment.byteSize(); e++) {
                    int label = Byte.toUnsignedInt(segment.get(ValueLayout.JAVA_BYTE, e));
                    sizes[label]++;
                    most = Math.max(most, label);
                }
                List<int[]> clusters = new ArrayList<>();
                for (int label = 1; label <= most; label++) {
                    clusters.add(new int[sizes[label]]);
                }
                int[] filled = new int[most + 1];
                for (long e = 0; e < segment.byteSize(); e++) {
                    int label = Byte.toUnsignedInt(segment.get(ValueLayout.JAVA_BYTE, e));
                    if (label > 0) {
                        clusters.get(label - 1)[filled[label]++] = (int) e;
                    }
                }
                members.put(variable, clusters);
            });
        }

        @Override
        public void visit(RunState state) {
            super.visit(state);
            labels.forEach((variable, segment) -> state.bytes("label." + variable.name(), segment));
            if (state.reading()) {
                collect();
            }
        }

        @Override
        public void beforeUpdate(double done) {
            members.forEach((variable, clusters) -> {
                MemorySegment gradient = variable.gradient().segment();
                for (int[] cluster : clusters) {
                    double sum = 0;
                    for (int e : cluster) {
                        sum += gradient.getAtIndex(ValueLayout.JAVA_FLOAT, e);
                    }
                    for (int e : cluster) {
                        gradient.setAtIndex(ValueLayout.JAVA_FLOAT, e, (float) sum);
                    }
                }
            });
        }

        @Override
        public boolean cut() {
            members.forEach((variable, clusters) -> {
                List<String> alone = List.of(variable.name());
                context.withdraw(guarantee -> guarantee.tensors().equals(alone)
                        && guarantee.constraint() instanceof Quantization);
                context.addGuarantee(Guarantee.of(new Clustering(Math.max(1, clusters.size())), variable));
                double[] codes = new double[Projector.distinct(variable.value(), Forecast.MOST_VALUES).length];
                float[] values = Projector.distinct(variable.value(), Forecast.MOST_VALUES);
                for (int i = 0; i < codes.length; i++) {
                    codes[i] = values[i];
                }
                context.levels().put(variable.name(), codes);
            });
            return false;
        }
    }
}
