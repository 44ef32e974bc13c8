package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.List;

/**
 * The nearest point, by weighted squared changes, of a set that says only where zeros are.
 *
 * <p>An element that stays does not change, and one that goes changes by itself. So the best support is that of the elements
 * scaled by the roots of their weights.
 */
final class WeightedSupport {
    private WeightedSupport() {}

    /** A value whose plain square is the weighted one of {@code value}. */
    static float scaled(float value, float importance) {
        return (float) (Math.sqrt(importance) * value);
    }

    static void project(Constraint set, List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        try (Region region = Region.confined("weighted support")) {
            List<FloatTensor> scaled = new ArrayList<>();
            for (int i = 0; i < from.size(); i++) {
                FloatTensor tensor = from.get(i);
                FloatTensor product = region.tensor(tensor.shape());
                for (long e = 0; e < tensor.count(); e++) {
                    product.set(e, scaled(tensor.get(e), importance.get(i).get(e)));
                }
                scaled.add(product);
            }
            set.project(scaled, to, memory, kernels);
            for (int i = 0; i < from.size(); i++) {
                FloatTensor kept = to.get(i);
                for (long e = 0; e < kept.count(); e++) {
                    if (kept.get(e) != 0) {
                        kept.set(e, from.get(i).get(e));
                    }
                }
            }
        }
    }
}
