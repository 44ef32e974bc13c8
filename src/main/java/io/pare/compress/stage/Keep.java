package io.pare.compress.stage;

import io.pare.compress.TensorPattern;
import io.pare.compress.Variable;
import io.pare.compress.constraint.GlobalSparsity;
import java.util.List;
import java.util.Map;

/**
 * How many weights a stage keeps: in all, or layer by layer.
 *
 * @param total non-zeros in all tensors together; 0 where {@code ratio} or {@code layers} say it
 * @param ratio weights to non-zeros, such as 167; 0 where the others say it
 * @param score what makes tensors comparable under a total
 * @param removeDead whether units that nobody reads, or that read nothing, give their weights to others
 * @param layers by name or pattern: a count from 1 on, a share below 1; tensors that none matches stay dense
 */
public record Keep(long total, double ratio, GlobalSparsity.Score score, boolean removeDead,
        Map<String, Double> layers) {
    /** Nothing chosen. */
    public static final Keep DEFAULTS = new Keep(0, 0, GlobalSparsity.Score.LAMP, true, Map.of());

    public Keep {
        if (score == null) {
            throw new IllegalArgumentException("score must be one of lamp, magnitude and importance");
        }
        layers = TensorPattern.inOrder("layers", layers);
        layers.forEach((pattern, wanted) -> {
            if (!(wanted > 0) || wanted.isInfinite() || wanted > 1 && wanted != Math.rint(wanted)) {
                throw new IllegalArgumentException("layers: " + pattern + " cannot be " + wanted
                        + ": give a share above 0 and below 1, or a whole number of weights from 1 on");
            }
        });
        int ways = (total > 0 ? 1 : 0) + (ratio != 0 ? 1 : 0) + (layers.isEmpty() ? 0 : 1);
        if (score == GlobalSparsity.Score.COUNTS) {
            throw new IllegalArgumentException("counts of single tensors are given by 'layers', not by a score");
        }
        if (total < 0 || ways > 1) {
            throw new IllegalArgumentException("keep takes one of total, ratio and layers");
        }
        if (ratio != 0 && !(ratio >= 1 && ratio < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("ratio cannot be " + ratio
                    + ": it is weights to non-zeros, at least 1; 10 keeps one weight in ten");
        }
        if (!layers.isEmpty() && score != GlobalSparsity.Score.LAMP) {
            throw new IllegalArgumentException("score does not count where layers says what each tensor keeps");
        }
    }

    /** Whether anything was chosen. */
    public boolean chosen() {
        return total > 0 || ratio > 0 || !layers.isEmpty();
    }

    public boolean global() {
        return layers.isEmpty();
    }

    /** Non-zeros in all of {@code weights}. */
    public long total(long weights) {
        return total > 0 ? Math.min(total, weights) : (long) Math.floor(weights / ratio);
    }

    /** Non-zeros of a tensor of {@code n} elements under {@code layers}, or -1 if no pattern matches. */
    public long count(String name, long n) {
        Double wanted = TensorPattern.first(layers, name, null);
        if (wanted == null) {
            return -1;
        }
        return wanted < 1 ? Math.round(wanted * n) : Math.min(n, Math.round(wanted));
    }

    /** Those of {@code variables} that this touches. */
    List<Variable> of(List<Variable> variables) {
        return global() ? variables
                : variables.stream().filter(variable -> count(variable.name(), variable.value().count()) >= 0)
                        .toList();
    }
}
