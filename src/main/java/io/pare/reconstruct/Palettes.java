package io.pare.reconstruct;

import io.pare.compress.constraint.BlockLevels;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Quantization;
import io.pare.kernel.BlockGrid;
import io.pare.kernel.LevelSet;
import io.pare.mem.FloatTensor;
import java.util.Arrays;

/**
 * The values that weights may take, for each part: a codebook, levels times an interval, or a grid. Each is a few free
 * numbers times a fixed basis, so both can be moved by least squares.
 */
final class Palettes {
    /** Free numbers that explain less than this of what the largest does stay as they are. */
    private static final double UNUSED = 1e-10;

    private final Quantization levels;
    /** Null where values are whole numbers, which do not move. */
    private final ProjectionState state;
    /** Ascending. */
    private final float[][] words;
    /** For each part the code of zero on its grid; null where values are no grids. */
    private final int[] zeros;

    private Palettes(Quantization levels, ProjectionState state, float[][] words, int[] zeros) {
        this.levels = levels;
        this.state = state;
        this.words = words;
        this.zeros = zeros;
    }

    /** Of free values, as a projection left them. */
    static Palettes codebooks(ProjectionState state, int parts) {
        Palettes palettes = new Palettes(null, state, new float[parts][], null);
        for (int part = 0; part < parts; part++) {
            palettes.words[part] = narrowed(state.get(Clustering.CODEBOOK, part));
        }
        return palettes;
    }

    /** Of levels, as a projection left their intervals. */
    static Palettes levels(Quantization levels, ProjectionState state, int parts) {
        Palettes palettes = new Palettes(levels, state, new float[parts][], null);
        for (int part = 0; part < parts; part++) {
            palettes.interval(part, state.get(Quantization.INTERVAL, part)[0]);
        }
        return palettes;
    }

    /** Of grids, on which the blocks of each row lie. */
    static Palettes grids(BlockLevels levels, FloatTensor projected) {
        BlockGrid grid = new BlockGrid(levels.bits());
        float[] all = projected.toArray();
        int columns = Math.toIntExact(projected.size(1));
        int blocks = Math.ceilDiv(columns, levels.block());
        Palettes palettes = new Palettes(null, new ProjectionState(), new float[all.length / columns * blocks][],
                new int[all.length / columns * blocks]);
        for (int part = 0; part < palettes.words.length; part++) {
            int at = part % blocks * levels.block();
            if (!grid.find(all, part / blocks * columns + at, Math.min(levels.block(), columns - at))) {
                throw new IllegalStateException("block " + part + " lies on no grid");
            }
            palettes.zeros[part] = grid.zero();
            palettes.words[part] = new float[1 << levels.bits()];
            for (int code = 0; code < palettes.words[part].length; code++) {
                palettes.words[part][code] = grid.value(code);
            }
        }
        return palettes;
    }

    /** All whole numbers up to one, on both sides of zero. */
    static Palettes whole(int parts, int most) {
        Palettes whole = new Palettes(null, null, new float[parts][], null);
        float[] numbers = new float[2 * most + 1];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = i - most;
        }
        Arrays.fill(whole.words, numbers);
        return whole;
    }

    /** Whether values can be moved. */
    boolean free() {
        return state != null;
    }

    private void interval(int part, double q) {
        words[part] = narrowed(levels.scaled(q));
    }

    private static float[] narrowed(double[] values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return narrow;
    }

    /** Values of a part. */
    int size(int part) {
        return words[part].length;
    }

    float word(int part, int code) {
        return words[part][code];
    }

    /** The number of the nearest value, of two equally near ones the lower; the values must not be none. */
    int nearest(int part, double value) {
        float[] all = words[part];
        if (!free()) {
            return (int) Math.clamp(Math.rint(value), all[0], all[all.length - 1]) - (int) all[0];
        }
        int code = Arrays.binarySearch(all, (float) value);
        if (code >= 0) {
            return code;
        }
        int above = -code - 1;
        if (above == 0 || above == all.length) {
            return above == 0 ? 0 : above - 1;
        }
        return value - all[above - 1] <= all[above] - value ? above - 1 : above;
    }

    /**
     * Moves the values of a part to the minimum of a quadratic, one Newton step of the free numbers.
     *
     * @param curvature for each pair of values
     * @param gradient for each value, at what they are now
     * @return the new value of each old one
     */
    float[] move(int part, double[][] curvature, double[] gradient) {
        float[] old = words[part];
        if (zeros != null) {
            return moveGrid(part, curvature, gradient);
        }
        if (levels == null) {
            double[] step = solve(curvature, gradient);
            float[] moved = new float[old.length];
            for (int i = 0; i < old.length; i++) {
                moved[i] = (float) (old[i] - step[i]);
            }
            words[part] = moved.clone();
            Arrays.sort(words[part]);
            state.put(Clustering.CODEBOOK, part, widened(words[part]));
            return moved;
        }
        LevelSet set = levels.levelSet();
        double slope = 0;
        double bend = 0;
        for (int i = 0; i < old.length; i++) {
            slope += set.level(i, 1) * gradient[i];
            for (int j = 0; j < old.length; j++) {
                bend += (double) set.level(i, 1) * set.level(j, 1) * curvature[i][j];
            }
        }
        double q = state.get(Quantization.INTERVAL, part)[0];
        double moved = (float) (q - slope / bend);
        if (bend > 0 && moved > 0) {
            state.put(Quantization.INTERVAL, part, moved);
            interval(part, moved);
        }
        return words[part];
    }

    private float[] moveGrid(int part, double[][] curvature, double[] gradient) {
        float[] old = words[part];
        double slope = 0;
        double bend = 0;
        for (int i = 0; i < old.length; i++) {
            slope += (i - zeros[part]) * gradient[i];
            for (int j = 0; j < old.length; j++) {
                bend += (double) (i - zeros[part]) * (j - zeros[part]) * curvature[i][j];
            }
        }
        float step = (float) (old[1] - (double) old[0] - slope / bend);
        if (bend > 0 && step >= Float.MIN_NORMAL) {
            for (int i = 0; i < old.length; i++) {
                old[i] = (i - zeros[part]) * step;
            }
        }
        return old;
    }

    private static double[] widened(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    /** Gauss's elimination of a symmetric system; rows that nothing is left of give 0. Overwrites both. */
    private static double[] solve(double[][] a, double[] b) {
        int n = b.length;
        double largest = 0;
        for (int i = 0; i < n; i++) {
            largest = Math.max(largest, a[i][i]);
        }
        boolean[] used = new boolean[n];
        for (int p = 0; p < n; p++) {
            used[p] = a[p][p] > UNUSED * largest;
            for (int i = p + 1; i < n && used[p]; i++) {
                double factor = a[i][p] / a[p][p];
                for (int j = p; j < n; j++) {
                    a[i][j] -= factor * a[p][j];
                }
                b[i] -= factor * b[p];
            }
        }
        double[] x = new double[n];
        for (int i = n - 1; i >= 0; i--) {
            double left = b[i];
            for (int j = i + 1; j < n; j++) {
                left -= a[i][j] * x[j];
            }
            x[i] = used[i] ? left / a[i][i] : 0;
        }
        return x;
    }
}
