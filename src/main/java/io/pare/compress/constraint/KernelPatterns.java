package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * The non-zeros of each kernel of a convolution lie in one of few patterns of its taps, which all kernels of the tensor
 * share (PatterNet). A kernel is what one output reads of one input: the elements behind the first two dimensions. A matrix
 * has kernels of one weight, which no pattern constrains.
 *
 * <p>For given patterns the projection is exact: a kernel takes the one that keeps most of its squares. The patterns are
 * chosen greedily, then each is made the best for the kernels that took it until nothing improves, and those of the last
 * projection stay unless others keep more. What is kept grows with the patterns and is submodular, so greedy choice keeps at least
 * 1 - 1/e of the most that can be kept (Nemhauser, Wolsey, Fisher 1978) where all patterns are candidates. These are
 * at most 20,000; of more, only the largest taps of each kernel are.
 *
 * @param patterns most patterns of a tensor, at least 1
 * @param positions taps of a pattern, at least 1
 */
public record KernelPatterns(int patterns, int positions) implements SupportSet {
    private static final String PATTERNS = "patterns";
    private static final int CANDIDATES = 20_000;

    /**
     * Refuses patterns that keep nothing.
     *
     * @throws IllegalArgumentException if a number is below 1
     */
    public KernelPatterns {
        if (patterns < 1 || positions < 1) {
            throw new IllegalArgumentException(
                    "no such patterns: " + patterns + " of " + positions + " positions; both are at least 1");
        }
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        for (int i = 0; i < from.size(); i++) {
            float[] x = from.get(i).toArray();
            int taps = taps(from.get(i));
            if (positions < taps) {
                Squares squares = new Squares(x, taps);
                int[][] chosen = chosen(squares, read(memory.get(PATTERNS, i)));
                memory.put(PATTERNS, i, Arrays.stream(chosen).flatMapToInt(Arrays::stream).asDoubleStream().toArray());
                for (int kernel = 0; kernel < squares.kernels; kernel++) {
                    keep(x, kernel * taps, taps, chosen[squares.best(kernel, chosen)]);
                }
            }
            to.get(i).copyFrom(x);
        }
    }

    private static void keep(float[] x, int start, int taps, int[] pattern) {
        int next = 0;
        for (int tap = 0; tap < taps; tap++) {
            if (next < pattern.length && pattern[next] == tap) {
                next++;
            } else {
                x[start + tap] = 0;
            }
        }
    }

    private int[][] chosen(Squares squares, int[][] last) {
        int[][] kept = squares.improved(last);
        int[][] anew = squares.improved(greedy(squares));
        return squares.kept(kept) >= squares.kept(anew) && kept.length > 0 ? kept : anew;
    }

    /** A candidate and what it would have added when it was last asked; later it adds no more than that. */
    private record Gain(int candidate, double squares, int round) {}

    private int[][] greedy(Squares squares) {
        List<int[]> candidates = candidates(squares);
        double[] kept = new double[squares.kernels];
        PriorityQueue<Gain> gains = new PriorityQueue<>(
                Comparator.comparingDouble(Gain::squares).reversed().thenComparingInt(Gain::candidate));
        for (int c = 0; c < candidates.size(); c++) {
            gains.add(new Gain(c, squares.gain(candidates.get(c), kept), 0));
        }
        List<int[]> chosen = new ArrayList<>();
        while (chosen.size() < patterns && !gains.isEmpty()) {
            Gain most = gains.remove();
            int[] pattern = candidates.get(most.candidate);
            if (most.round == chosen.size()) {
                squares.cover(pattern, kept);
                chosen.add(pattern);
            } else {
                gains.add(new Gain(most.candidate, squares.gain(pattern, kept), chosen.size()));
            }
        }
        return chosen.toArray(int[][]::new);
    }

    private List<int[]> candidates(Squares squares) {
        double all = 1;
        for (int i = 0; i < positions; i++) {
            all = all * (squares.taps - i) / (i + 1);
        }
        if (all <= CANDIDATES) {
            List<int[]> combinations = new ArrayList<>();
            combine(squares.taps, new int[positions], 0, 0, combinations);
            return combinations;
        }
        Map<List<Integer>, int[]> own = new LinkedHashMap<>();
        for (int kernel = 0; kernel < squares.kernels; kernel++) {
            int[] pattern = largest(Arrays.copyOfRange(squares.of, kernel * squares.taps, (kernel + 1) * squares.taps),
                    positions);
            own.putIfAbsent(Arrays.stream(pattern).boxed().toList(), pattern);
        }
        return List.copyOf(own.values());
    }

    private static void combine(int taps, int[] pattern, int at, int first, List<int[]> found) {
        if (at == pattern.length) {
            found.add(pattern.clone());
            return;
        }
        for (int tap = first; tap <= taps - (pattern.length - at); tap++) {
            pattern[at] = tap;
            combine(taps, pattern, at + 1, tap + 1, found);
        }
    }

    /** The places of the {@code n} largest, ascending; of equal ones the first. */
    private static int[] largest(double[] values, int n) {
        Integer[] order = new Integer[values.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Double.compare(values[b], values[a]));
        return Arrays.stream(order, 0, n).mapToInt(Integer::intValue).sorted().toArray();
    }

    /** Squares of the elements, a kernel behind the other. */
    private static final class Squares {
        private final double[] of;
        private final int taps;
        private final int kernels;

        Squares(float[] x, int taps) {
            this.of = new double[x.length];
            for (int e = 0; e < x.length; e++) {
                of[e] = (double) x[e] * x[e];
            }
            this.taps = taps;
            this.kernels = x.length / taps;
        }

        private double kept(int kernel, int[] pattern) {
            double sum = 0;
            for (int tap : pattern) {
                sum += of[kernel * taps + tap];
            }
            return sum;
        }

        /** The pattern that keeps most of a kernel, of equal ones the first. */
        int best(int kernel, int[][] patterns) {
            int best = 0;
            double most = -1;
            for (int p = 0; p < patterns.length; p++) {
                double here = kept(kernel, patterns[p]);
                if (here > most) {
                    most = here;
                    best = p;
                }
            }
            return best;
        }

        double kept(int[][] patterns) {
            double sum = 0;
            for (int kernel = 0; kernel < kernels && patterns.length > 0; kernel++) {
                sum += kept(kernel, patterns[best(kernel, patterns)]);
            }
            return sum;
        }

        double gain(int[] pattern, double[] kept) {
            double gain = 0;
            for (int kernel = 0; kernel < kernels; kernel++) {
                gain += Math.max(0, kept(kernel, pattern) - kept[kernel]);
            }
            return gain;
        }

        void cover(int[] pattern, double[] kept) {
            for (int kernel = 0; kernel < kernels; kernel++) {
                kept[kernel] = Math.max(kept[kernel], kept(kernel, pattern));
            }
        }

        /** Makes each pattern the best one for the kernels that take it, as long as that keeps more. */
        int[][] improved(int[][] patterns) {
            int[][] now = patterns;
            double most = kept(now);
            while (now.length > 0) {
                double[][] sums = new double[now.length][taps];
                for (int kernel = 0; kernel < kernels; kernel++) {
                    double[] sum = sums[best(kernel, now)];
                    for (int tap = 0; tap < taps; tap++) {
                        sum[tap] += of[kernel * taps + tap];
                    }
                }
                int[][] next = Arrays.stream(sums).map(sum -> largest(sum, patterns[0].length)).toArray(int[][]::new);
                double kept = kept(next);
                if (kept <= most) {
                    break;
                }
                now = next;
                most = kept;
            }
            return now;
        }
    }

    private int[][] read(double[] saved) {
        int[][] patterns = new int[saved == null ? 0 : saved.length / positions][positions];
        for (int p = 0; p < patterns.length; p++) {
            for (int i = 0; i < positions; i++) {
                patterns[p][i] = (int) saved[p * positions + i];
            }
        }
        return patterns;
    }

    private static int taps(FloatTensor tensor) {
        int taps = 1;
        for (int d = 2; d < tensor.rank(); d++) {
            taps = Math.multiplyExact(taps, Math.toIntExact(tensor.size(d)));
        }
        return taps;
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        long outside = 0;
        for (int i = 0; i < values.size(); i++) {
            int taps = taps(values.get(i));
            if (positions < taps) {
                int[][] allowed = read(memory.get(PATTERNS, i));
                float[] x = values.get(i).toArray();
                for (int start = 0; start < x.length; start += taps) {
                    outside += fits(x, start, taps, allowed) ? 0 : 1;
                }
            }
        }
        return Feasibility.atMost("kernels outside the patterns", outside, 0);
    }

    private static boolean fits(float[] x, int start, int taps, int[][] allowed) {
        float[] rest = new float[taps];
        for (int[] pattern : allowed) {
            System.arraycopy(x, start, rest, 0, taps);
            for (int tap : pattern) {
                rest[tap] = 0;
            }
            boolean none = true;
            for (float value : rest) {
                none &= value == 0;
            }
            if (none) {
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean ofMatrices() {
        return false;
    }

    @Override
    public boolean contains(Constraint other) {
        return other instanceof KernelPatterns now && now.patterns <= patterns && now.positions <= positions;
    }

    @Override
    public String describe() {
        return "kernels in " + patterns + " patterns of " + positions + " positions";
    }
}
