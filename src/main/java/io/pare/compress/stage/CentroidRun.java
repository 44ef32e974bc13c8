package io.pare.compress.stage;

import io.pare.compress.Guarantee;
import io.pare.compress.RunState;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.Quantization;
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
 */
final class CentroidRun extends StageRun {
    private static final int MOST = 255;

    private final Map<Variable, MemorySegment> labels = new LinkedHashMap<>();
    private final Map<Variable, List<int[]>> members = new LinkedHashMap<>();

    CentroidRun(RunContext context, Region region, Stage.Centroids stage) {
        super(context, region, stage.train());
        for (Variable variable : context.weights) {
            labels.put(variable, region.allocate(variable.value().count()));
        }
    }

    @Override
    public void begin() {
        super.begin();
        labels.forEach((variable, segment) -> {
            float[] codes = Projector.distinct(variable.value(), MOST);
            if (codes.length > MOST) {
                throw new RecipeException(
                        "cluster-retrain needs clustered weights, " + variable.name() + " has more than "
                                + MOST + " values: put admm-cluster or admm-joint before it");
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
            int[] sizes = new int[MOST + 1];
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
            context.guarantees.removeIf(guarantee -> guarantee.tensors().equals(alone)
                    && guarantee.constraint() instanceof Quantization);
            context.guarantees.add(Guarantee.of(new Clustering(Math.max(1, clusters.size())), variable));
            double[] codes = new double[Projector.distinct(variable.value(), MOST).length];
            float[] values = Projector.distinct(variable.value(), MOST);
            for (int i = 0; i < codes.length; i++) {
                codes[i] = values[i];
            }
            context.levels.put(variable.name(), codes);
        });
        return false;
    }

}
