package io.pare.compress.stage;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One option for each of several things, such that their costs stay within bounds and their changes add up to the least: a
 * multiple-choice knapsack, solved by dynamic programming.
 *
 * <p>Of the choices for the first things that come to about the same costs, within a cell of a grid, the one of the least change
 * is gone on with. So the result changes no more than the best choice does whose costs stay below the bounds by a cell for each
 * thing. With one bound a cell is a 65,536th of it, and of few options each has a cell of its own.
 */
final class Knapsack {
    private static final double CELLS = 1 << 16;

    /**
     * What a thing may be.
     *
     * @param costs as many as there are bounds, at least 0
     * @param change that adds up, not negative
     */
    record Option(double[] costs, double change) {}

    /** Options of the first things, last of which is {@code index}. */
    private record Chosen(@Nullable Chosen before, int index, double[] costs, double change) {}

    private Knapsack() {}

    /**
     * {@return the index of an option for each thing; {@code null} if even the least costs are above a bound}
     *
     * @param things options of each
     * @param most bound of each cost, above 0
     */
    static int @Nullable [] choose(List<List<Option>> things, double[] most) {
        double[][] rest = rest(things, most.length);
        Collection<Chosen> all = List.of(new Chosen(null, -1, new double[most.length], 0));
        for (int thing = 0; thing < things.size(); thing++) {
            Map<Long, Chosen> cells = new LinkedHashMap<>();
            for (Chosen before : all) {
                for (int i = 0; i < things.get(thing).size(); i++) {
                    Chosen next = with(before, i, things.get(thing).get(i));
                    if (fits(next, rest[thing + 1], most)) {
                        cells.merge(cell(next, most), next, (a, b) -> b.change < a.change ? b : a);
                    }
                }
            }
            all = cells.values();
        }
        Chosen best = null;
        for (Chosen each : all) {
            if (best == null || each.change < best.change) {
                best = each;
            }
        }
        if (best == null) {
            return null;
        }
        int[] indices = new int[things.size()];
        for (int thing = indices.length - 1; thing >= 0; thing--, best = best.before) {
            indices[thing] = best.index;
        }
        return indices;
    }

    /** {@return what all things cost at least, of each cost for itself} */
    static double[] least(List<List<Option>> things, int costs) {
        return rest(things, costs)[0];
    }

    /** What things from each one on cost at least. */
    private static double[][] rest(List<List<Option>> things, int costs) {
        double[][] rest = new double[things.size() + 1][costs];
        for (int thing = things.size() - 1; thing >= 0; thing--) {
            for (int cost = 0; cost < costs; cost++) {
                int at = cost;
                rest[thing][cost] = rest[thing + 1][cost]
                        + things.get(thing).stream().mapToDouble(each -> each.costs[at]).min().orElse(0);
            }
        }
        return rest;
    }

    private static Chosen with(Chosen before, int index, Option option) {
        double[] costs = before.costs.clone();
        for (int cost = 0; cost < costs.length; cost++) {
            costs[cost] += option.costs[cost];
        }
        return new Chosen(before, index, costs, before.change + option.change);
    }

    private static boolean fits(Chosen chosen, double[] rest, double[] most) {
        for (int cost = 0; cost < most.length; cost++) {
            if (chosen.costs[cost] + rest[cost] > most[cost]) {
                return false;
            }
        }
        return true;
    }

    private static long cell(Chosen chosen, double[] most) {
        long cells = (long) Math.pow(CELLS, 1.0 / most.length);
        long cell = 0;
        for (int cost = 0; cost < most.length; cost++) {
            cell = cell * (cells + 1) + (long) (chosen.costs[cost] / most[cost] * cells);
        }
        return cell;
    }
}
