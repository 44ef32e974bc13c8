package io.pare.blas;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The plain Java twin of {@link Lapack}: same contract, any thread, computed in double on a copy on the heap.
 *
 * <p>All inner loops add a multiple of one row to another, which the JIT compiler vectorises.
 */
public final class JavaLapack {
    /** Rows of a factor that are applied at a time: those of 4,096 doubles are at home in a second-level cache. */
    private static final int PANEL = 32;
    private static final int MOST_SHIFTS = 60;
    /** LAPACK's status of a matrix with NaN: minus the number of the argument. */
    private static final int NOT_A_NUMBER = -5;

    private JavaLapack() {}

    /** As {@link Lapack#spotrf}. */
    public static void spotrf(int n, MemorySegment a, int lda) {
        MatrixBounds.matrix("A", a, n, n, lda);
        double[][] u = loadUpper(n, a, lda);
        factor(u);
        storeUpper(u, a, lda);
    }

    /** Replaces the upper triangle by U. */
    private static void factor(double[][] u) {
        int n = u.length;
        for (int first = 0; first < n; first += PANEL) {
            int end = Math.min(n, first + PANEL);
            for (int i = first; i < end; i++) {
                for (int p = first; p < i; p++) {
                    add(-u[p][i], u[p], u[i], i, n);
                }
                MatrixBounds.definite(u[i][i] > 0 ? 0 : i + 1);
                scale(1 / Math.sqrt(u[i][i]), u[i], i, n);
            }
            for (int i = end; i < n; i++) {
                for (int p = first; p < end; p++) {
                    add(-u[p][i], u[p], u[i], i, n);
                }
            }
        }
    }

    /** As {@link Lapack#spotri}. */
    public static void spotri(int n, MemorySegment a, int lda) {
        MatrixBounds.matrix("A", a, n, n, lda);
        double[][] t = loadUpper(n, a, lda);
        invert(t);
        double[][] transposed = transposed(t);
        double[][] inverse = new double[n][n];
        for (int first = 0; first < n; first += PANEL) {
            int end = Math.min(n, first + PANEL);
            for (int i = 0; i < end; i++) {
                for (int p = Math.max(i, first); p < end; p++) {
                    add(transposed[p][i], transposed[p], inverse[i], i, p + 1);
                }
            }
        }
        storeUpper(inverse, a, lda);
    }

    /** Replaces an upper triangle by its inverse, from the last row up. */
    private static void invert(double[][] u) {
        int n = u.length;
        for (int i = n - 1; i >= 0; i--) {
            double[] row = new double[n];
            row[i] = 1;
            for (int j = i + 1; j < n; j++) {
                add(-u[i][j], u[j], row, j, n);
            }
            scale(1 / u[i][i], row, i, n);
            u[i] = row;
        }
    }

    /** As {@link Lapack#spotrs}. */
    public static void spotrs(int n, int rows, MemorySegment a, int lda, MemorySegment b, int ldb) {
        MatrixBounds.matrix("A", a, n, n, lda);
        MatrixBounds.matrix("B", b, rows, n, ldb);
        double[][] u = loadUpper(n, a, lda);
        double[] x = new double[n];
        for (int row = 0; row < rows; row++) {
            load(b, (long) row * ldb, x);
            for (int i = 0; i < n; i++) {
                x[i] /= u[i][i];
                add(-x[i], u[i], x, i + 1, n);
            }
            for (int i = n - 1; i >= 0; i--) {
                double sum = x[i];
                for (int j = i + 1; j < n; j++) {
                    sum -= u[i][j] * x[j];
                }
                x[i] = sum / u[i][i];
            }
            store(x, b, (long) row * ldb);
        }
    }

    /** As {@link Lapack#ssyevd}: Householder's tridiagonal form, then QL steps with implicit shifts. */
    public static void ssyevd(int n, MemorySegment a, int lda, MemorySegment values) {
        MatrixBounds.matrix("A", a, n, n, lda);
        MatrixBounds.vector("values", values, n);
        double[][] matrix = loadUpper(n, a, lda);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                matrix[i][j] = matrix[j][i];
            }
        }
        MatrixBounds.accepted("ssyevd", Double.isFinite(size(matrix)) ? 0 : NOT_A_NUMBER);
        double[] diagonal = new double[n];
        double[] beside = new double[n];
        double[][] vectors = tridiagonal(matrix, diagonal, beside);
        diagonalise(diagonal, beside, vectors);
        int[] order = IntStream.range(0, n).boxed().sorted(Comparator.comparingDouble(i -> diagonal[i]))
                .mapToInt(i -> i).toArray();
        for (int i = 0; i < n; i++) {
            values.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) diagonal[order[i]]);
            store(vectors[order[i]], a, (long) i * lda);
        }
    }

    /** The sum of magnitudes: not finite if an element is not. */
    private static double size(double[][] matrix) {
        return Arrays.stream(matrix).flatMapToDouble(Arrays::stream).map(Math::abs).sum();
    }

    /**
     * Reflects a symmetric matrix to a tridiagonal one.
     *
     * @param a overwritten
     * @param beside receives the element left of each diagonal element; that of row 0 is 0
     * @return the transformation, transposed: its rows times A give the tridiagonal form's
     */
    private static double[][] tridiagonal(double[][] a, double[] diagonal, double[] beside) {
        int n = a.length;
        double[][] reflectors = new double[n][];
        for (int k = 0; k + 1 < n; k++) {
            double[] v = Arrays.copyOf(a[k], n);
            Arrays.fill(v, 0, k + 1, 0);
            double norm = Math.sqrt(Arrays.stream(v).map(x -> x * x).sum());
            double alpha = v[k + 1] > 0 ? -norm : norm;
            diagonal[k] = a[k][k];
            beside[k + 1] = alpha;
            v[k + 1] -= alpha;
            double length = Math.sqrt(Arrays.stream(v).map(x -> x * x).sum());
            if (length == 0) {
                continue;
            }
            scale(1 / length, v, 0, n);
            reflectors[k] = v;
            double[] w = new double[n];
            double along = 0;
            for (int i = k + 1; i < n; i++) {
                add(2 * v[i], a[i], w, k + 1, n);
            }
            for (int i = k + 1; i < n; i++) {
                along += v[i] * w[i];
            }
            add(-along, v, w, k + 1, n);
            for (int i = k + 1; i < n; i++) {
                add(-v[i], w, a[i], k + 1, n);
                add(-w[i], v, a[i], k + 1, n);
            }
        }
        diagonal[n - 1] = a[n - 1][n - 1];
        double[][] q = new double[n][n];
        for (int i = 0; i < n; i++) {
            q[i][i] = 1;
        }
        for (int k = n - 2; k >= 0; k--) {
            if (reflectors[k] != null) {
                reflect(reflectors[k], q, k + 1);
            }
        }
        return transposed(q);
    }

    /** Rows from {@code first} on become those of (I - 2 v v^T) M. */
    private static void reflect(double[] v, double[][] matrix, int first) {
        int n = v.length;
        double[] sum = new double[n];
        for (int i = first; i < n; i++) {
            add(2 * v[i], matrix[i], sum, first, n);
        }
        for (int i = first; i < n; i++) {
            add(-v[i], sum, matrix[i], first, n);
        }
    }

    private static double[][] transposed(double[][] matrix) {
        int n = matrix.length;
        double[][] result = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                result[j][i] = matrix[i][j];
            }
        }
        return result;
    }

    /** QL steps with Wilkinson's shifts (Golub and Van Loan, section 8.3); the same rotations turn the vectors' rows. */
    private static void diagonalise(double[] d, double[] beside, double[][] vectors) {
        int n = d.length;
        double[] e = Arrays.copyOfRange(beside, 1, n + 1);
        for (int low = 0; low < n; low++) {
            for (int step = 0;; step++) {
                int end = low;
                while (end + 1 < n && Math.abs(e[end]) > Math.ulp(Math.abs(d[end]) + Math.abs(d[end + 1])) / 2) {
                    end++;
                }
                if (end == low) {
                    break;
                }
                MatrixBounds.converged(step < MOST_SHIFTS ? 0 : n - low);
                double g = (d[low + 1] - d[low]) / (2 * e[low]);
                g = d[end] - d[low] + e[low] / (g + Math.copySign(Math.hypot(g, 1), g));
                double sine = 1;
                double cosine = 1;
                double shift = 0;
                int i = end - 1;
                for (; i >= low; i--) {
                    double f = sine * e[i];
                    double b = cosine * e[i];
                    double r = Math.hypot(f, g);
                    e[i + 1] = r;
                    if (r == 0) {
                        d[i + 1] -= shift;
                        e[end] = 0;
                        break;
                    }
                    sine = f / r;
                    cosine = g / r;
                    g = d[i + 1] - shift;
                    r = (d[i] - g) * sine + 2 * cosine * b;
                    shift = sine * r;
                    d[i + 1] = g + shift;
                    g = cosine * r - b;
                    rotate(vectors[i], vectors[i + 1], cosine, sine);
                }
                if (i < low) {
                    d[low] -= shift;
                    e[low] = g;
                    e[end] = 0;
                }
            }
        }
    }

    private static void rotate(double[] x, double[] y, double cosine, double sine) {
        for (int k = 0; k < x.length; k++) {
            double before = y[k];
            y[k] = sine * x[k] + cosine * before;
            x[k] = cosine * x[k] - sine * before;
        }
    }

    private static void add(double factor, double[] from, double[] to, int start, int end) {
        for (int j = start; j < end; j++) {
            to[j] += factor * from[j];
        }
    }

    private static void scale(double factor, double[] row, int start, int end) {
        for (int j = start; j < end; j++) {
            row[j] *= factor;
        }
    }

    private static double[][] loadUpper(int n, MemorySegment a, int lda) {
        double[][] rows = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = i; j < n; j++) {
                rows[i][j] = a.getAtIndex(ValueLayout.JAVA_FLOAT, (long) i * lda + j);
            }
        }
        return rows;
    }

    private static void storeUpper(double[][] rows, MemorySegment a, int lda) {
        for (int i = 0; i < rows.length; i++) {
            for (int j = i; j < rows.length; j++) {
                a.setAtIndex(ValueLayout.JAVA_FLOAT, (long) i * lda + j, (float) rows[i][j]);
            }
        }
    }

    private static void load(MemorySegment from, long first, double[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] = from.getAtIndex(ValueLayout.JAVA_FLOAT, first + i);
        }
    }

    private static void store(double[] from, MemorySegment to, long first) {
        for (int i = 0; i < from.length; i++) {
            to.setAtIndex(ValueLayout.JAVA_FLOAT, first + i, (float) from[i]);
        }
    }
}
