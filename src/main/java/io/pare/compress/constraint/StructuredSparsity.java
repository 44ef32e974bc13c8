package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Non-zeros only in so many whole groups of a tensor, or at most n of every m neighbours.
 *
 * <p>The projection keeps the groups of the largest Euclidean norm, of equal ones the first: the nearest point, as each
 * group's distance to zero is its own norm.
 *
 * @param unit what a group is
 * @param share of the groups that stays, rounded to the nearest count; not used by {@link Unit#N_OF_M}
 * @param first rows of a block, or n of n:m
 * @param second columns of a block, or m of n:m
 */
public record StructuredSparsity(Unit unit, double share, int first, int second) implements SupportSet {
    /** What is kept or dropped as a whole. */
    public enum Unit {
        /** All weights of one output: a row of the first dimension. */
        FILTER,
        /** All weights that read one input channel: an index of the second dimension. */
        CHANNEL,
        /** A row of the tensor as a matrix of its first dimension by the rest; the same as {@link #FILTER}. */
        ROW,
        /** A column of that matrix. */
        COLUMN,
        /** A block of {@code first} by {@code second} of that matrix; those at the edge may be smaller. */
        BLOCK,
        /** At most {@code first} non-zeros in every {@code second} neighbours along a row. */
        N_OF_M;

        /** {@return the unit as recipes write it} */
        public String words() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Refuses shares and sizes that no group has.
     *
     * @throws IllegalArgumentException if the share is not in [0, 1], or a size is below 1
     */
    public StructuredSparsity {
        boolean sized = unit == Unit.BLOCK || unit == Unit.N_OF_M;
        if (!(share >= 0 && share <= 1) || sized && (first < 1 || second < 1)
                || unit == Unit.N_OF_M && first > second) {
            throw new IllegalArgumentException(
                    "no such structure: " + unit + " share " + share + ", sizes " + first + " and " + second);
        }
    }

    /**
     * {@return a constraint that keeps a share of the groups}
     *
     * @param unit that stays or goes as a whole
     * @param share of the groups that stay, in [0, 1]
     */
    public static StructuredSparsity of(Unit unit, double share) {
        return new StructuredSparsity(unit, share, 1, 1);
    }

    /**
     * {@return a constraint that keeps a share of the blocks}
     *
     * @param rows of a block
     * @param columns of a block
     * @param share of the blocks that stay, in [0, 1]
     */
    public static StructuredSparsity blocks(int rows, int columns, double share) {
        return new StructuredSparsity(Unit.BLOCK, share, rows, columns);
    }

    /**
     * {@return a constraint that keeps {@code n} of every {@code m} neighbours in a row}
     *
     * @param n at least 1, at most {@code m}
     * @param m neighbours
     */
    public static StructuredSparsity nOfM(int n, int m) {
        return new StructuredSparsity(Unit.N_OF_M, 1, n, m);
    }

    /**
     * {@return how many groups of a tensor stay}
     *
     * @param shape of the tensor, units first
     */
    public long groupsKept(long[] shape) {
        long rows = shape.length == 0 ? 1 : shape[0];
        long columns = Arrays.stream(shape).skip(1).reduce(1, (a, b) -> a * b);
        long groups = switch (unit) {
            case FILTER, ROW -> rows;
            case CHANNEL -> shape.length < 2 ? columns : shape[1];
            case COLUMN -> columns;
            case BLOCK -> Math.ceilDiv(rows, first) * Math.ceilDiv(columns, second);
            case N_OF_M -> rows * Math.ceilDiv(columns, second);
        };
        return Math.round(share * groups);
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        for (int i = 0; i < from.size(); i++) {
            FloatTensor tensor = from.get(i);
            float[] x = tensor.toArray();
            if (unit == Unit.N_OF_M) {
                keepNOfM(x, columns(tensor));
            } else {
                int[] group = groups(tensor);
                double[] score = new double[Arrays.stream(group).max().orElse(-1) + 1];
                for (int e = 0; e < x.length; e++) {
                    score[group[e]] += (double) x[e] * x[e];
                }
                boolean[] kept = largest(score, (int) Math.round(share * score.length));
                for (int e = 0; e < x.length; e++) {
                    if (!kept[group[e]]) {
                        x[e] = 0;
                    }
                }
            }
            to.get(i).copyFrom(x);
        }
    }

    private void keepNOfM(float[] x, int columns) {
        for (int row = 0; row < x.length; row += columns) {
            for (int start = row; start < row + columns; start += second) {
                int end = Math.min(row + columns, start + second);
                double[] magnitude = new double[end - start];
                for (int e = start; e < end; e++) {
                    magnitude[e - start] = Math.abs(x[e]);
                }
                boolean[] kept = largest(magnitude, first);
                for (int e = start; e < end; e++) {
                    if (!kept[e - start]) {
                        x[e] = 0;
                    }
                }
            }
        }
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        long found = 0;
        long allowed = 0;
        for (FloatTensor tensor : values) {
            float[] x = tensor.toArray();
            if (unit == Unit.N_OF_M) {
                int columns = columns(tensor);
                for (int row = 0; row < x.length; row += columns) {
                    for (int start = row; start < row + columns; start += second) {
                        int here = 0;
                        for (int e = start; e < Math.min(row + columns, start + second); e++) {
                            here += x[e] != 0 ? 1 : 0;
                        }
                        found += Math.max(0, here - first);
                    }
                }
            } else {
                int[] group = groups(tensor);
                boolean[] used = new boolean[Arrays.stream(group).max().orElse(-1) + 1];
                for (int e = 0; e < x.length; e++) {
                    used[group[e]] |= x[e] != 0;
                }
                for (boolean one : used) {
                    found += one ? 1 : 0;
                }
                allowed += Math.round(share * used.length);
            }
        }
        return unit == Unit.N_OF_M
                ? Feasibility.atMost("non-zeros above " + first + " of " + second, found, 0)
                : Feasibility.atMost("groups in use", found, allowed);
    }

    /** Marks the {@code k} largest scores, of equal ones the first. */
    private static boolean[] largest(double[] score, int k) {
        boolean[] kept = new boolean[score.length];
        Integer[] order = new Integer[score.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Double.compare(score[b], score[a]));
        for (int i = 0; i < Math.min(k, order.length); i++) {
            kept[order[i]] = true;
        }
        return kept;
    }

    /** The group of each element. */
    private int[] groups(FloatTensor tensor) {
        int columns = columns(tensor);
        int inner = tensor.rank() < 2 ? 1 : columns / Math.max(1, (int) tensor.size(1));
        int across = (columns + second - 1) / second;
        int[] group = new int[Math.toIntExact(tensor.count())];
        for (int e = 0; e < group.length; e++) {
            int row = e / columns;
            int column = e % columns;
            group[e] = switch (unit) {
                case FILTER, ROW -> row;
                case CHANNEL -> column / inner;
                case COLUMN -> column;
                case BLOCK -> row / first * across + column / second;
                case N_OF_M -> throw new IllegalStateException("n:m has no groups that are dropped whole");
            };
        }
        return group;
    }

    private static int columns(FloatTensor tensor) {
        return Math.toIntExact(tensor.count() / Math.max(1, tensor.rank() == 0 ? 1 : tensor.size(0)));
    }

    @Override
    public boolean ofMatrices() {
        return unit != Unit.CHANNEL;
    }

    @Override
    public boolean contains(Constraint other) {
        return other instanceof StructuredSparsity now && now.unit == unit && now.share <= share && now.first == first
                && now.second == second;
    }

    @Override
    public String describe() {
        return switch (unit) {
            case N_OF_M -> first + " of every " + second + " neighbours";
            case BLOCK -> 100 * share + " % of the " + first + "x" + second + " blocks";
            default -> 100 * share + " % of the " + unit.words() + "s";
        };
    }
}
