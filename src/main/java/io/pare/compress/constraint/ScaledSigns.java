package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Weights that are a sign times the scale of their row, or zero: binary and ternary networks as XNOR-Net (Rastegari et al. 2016) and
 * Pruning Ternary Quantization (2107.10998) have them, with a scale for each output.
 *
 * <p>The projection is the nearest point. For a scale s those elements go to zero whose magnitude is below {@code s/2}, so what stays is a
 * beginning of the row by magnitude. All beginnings are tried, each with the mean of its magnitudes. Binary ones keep every
 * element that is not zero.
 *
 * @param ternary whether elements may become zero; zeros stay zero in any case
 */
public record ScaledSigns(boolean ternary) implements Constraint {
    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        round(from, null, to);
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        round(from, importance, to);
    }

    private void round(List<FloatTensor> from, @Nullable List<FloatTensor> importance, List<FloatTensor> to) {
        for (int i = 0; i < from.size(); i++) {
            float[] values = from.get(i).toArray();
            float[] weights = importance == null ? null : importance.get(i).toArray();
            int columns = Projector.columns(from.get(i));
            for (int row = 0; row < values.length; row += columns) {
                round(values, weights, row, row + columns);
            }
            to.get(i).copyFrom(values);
        }
    }

    private void round(float[] values, float @Nullable [] weights, int begin, int end) {
        int[] order = IntStream.range(begin, end).filter(e -> values[e] != 0).boxed()
                .sorted((a, b) -> Float.compare(Math.abs(values[b]), Math.abs(values[a]))).mapToInt(e -> e).toArray();
        double sum = 0;
        double all = 0;
        double most = -1;
        double scale = 0;
        int kept = 0;
        for (int i = 0; i < order.length; i++) {
            double weight = weights == null ? 1 : weights[order[i]];
            sum += weight * Math.abs(values[order[i]]);
            all += weight;
            double explained = sum * sum / all;
            if (!ternary || explained >= most) {
                most = explained;
                scale = sum / all;
                kept = i + 1;
            }
        }
        for (int i = 0; i < order.length; i++) {
            values[order[i]] = i < kept ? Math.copySign((float) scale, values[order[i]]) : 0f;
        }
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        long off = 0;
        for (FloatTensor tensor : values) {
            float[] all = tensor.toArray();
            int columns = Projector.columns(tensor);
            for (int row = 0; row < all.length; row += columns) {
                off += IntStream.range(row, row + columns).filter(e -> all[e] != 0)
                        .mapToObj(e -> Math.abs(all[e])).distinct().count() > 1 ? 1 : 0;
            }
        }
        return Feasibility.atMost("rows of several magnitudes", off, 0);
    }

    @Override
    public long values() {
        return Long.MAX_VALUE;
    }

    @Override
    public Set<WeightChange> changes() {
        return ternary
                ? Set.of(WeightChange.MAKES_ZEROS, WeightChange.SPLITS_VALUES)
                : Set.of(WeightChange.SPLITS_VALUES);
    }

    @Override
    public Set<WeightChange> brokenBy() {
        return Set.of(WeightChange.SPLITS_VALUES, WeightChange.SHIFTS_VALUES);
    }

    @Override
    public boolean contains(Constraint other) {
        return other instanceof ScaledSigns;
    }

    @Override
    public String describe() {
        return (ternary ? "ternary" : "binary") + " with a scale for each row";
    }
}
