package io.pare.compress.stage;

import io.pare.compress.TensorGroups;
import io.pare.compress.Variable;
import io.pare.compress.constraint.GroupSparsity;
import io.pare.compress.constraint.UnitGroups;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How much of the network stays where whole units go, as a recipe writes it: {@code {macs: 0.6}} or {@code {share: 0.5}}.
 *
 * @param macs share of the multiply-adds that stays; left out where {@code share} says it
 * @param share of the groups that stays; left out where {@code macs} says it
 * @param score in which metric groups are compared; left out: by magnitude
 * @param least share of the units of each layer that stays; left out: {@value #LEAST}
 * @param multiple so many units that depend on the same layers go at a time; left out: 1
 */
public record KeptGroups(@Nullable Double macs, @Nullable Double share, GroupSparsity.@Nullable Score score,
        @Nullable Double least, @Nullable Integer multiple) {
    private static final double LEAST = 0.1;

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException naming the key
     */
    public KeptGroups {
        if ((macs == null) == (share == null)) {
            throw new IllegalArgumentException("groups takes one of macs and share");
        }
        double part = macs == null ? share : macs;
        if (!(part > 0 && part <= 1)) {
            throw new IllegalArgumentException(
                    "groups: " + (macs == null ? "share" : "macs") + " cannot be " + part
                            + ": it is the part that stays, above 0 and at most 1");
        }
        if (multiple != null && multiple < 1) {
            throw new IllegalArgumentException("groups: multiple cannot be " + multiple + ": it is at least 1");
        }
        if (least != null && !(least >= 0 && least <= 1)) {
            throw new IllegalArgumentException("groups: least cannot be " + least + ": it is a share from 0 to 1");
        }
    }

    /** Whether groups are compared by squared gradients, which ADMM then gathers. */
    boolean byFisher() {
        return metric() == GroupSparsity.Score.FISHER;
    }

    private GroupSparsity.Score metric() {
        return score == null ? GroupSparsity.Score.MAGNITUDE : score;
    }

    /**
     * The constraint when a share of what is to go has gone.
     *
     * @param groups of the training
     * @param variables for the scales; null where only the set counts
     * @param progress from 0 to 1; what stays falls geometrically
     */
    GroupSparsity constraint(TensorGroups groups, @Nullable List<Variable> variables, double progress) {
        UnitGroups units = groups.constrained();
        GroupSparsity.Measure measure =
                macs == null ? GroupSparsity.Measure.GROUPS : GroupSparsity.Measure.MULTIPLY_ADDS;
        long all = macs == null ? units.count() : units.multiplyAdds();
        long allowed = (long) Math.floor(all * Math.pow(macs == null ? share : macs, progress));
        List<Double> factors = variables != null && metric() == GroupSparsity.Score.SCALE
                ? groups.scales(variables)
                : List.of();
        return new GroupSparsity(units, measure, allowed, metric(), factors, least == null ? LEAST : least,
                multiple == null ? 1 : multiple);
    }
}
