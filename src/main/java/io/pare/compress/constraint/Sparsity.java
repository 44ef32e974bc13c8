package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.kernel.Residuals;
import io.pare.mem.FloatTensor;
import java.util.List;

/**
 * At most so many non-zeros in a tensor. The projection keeps the largest magnitudes, of equal ones the first.
 *
 * @param count how many, or -1 where {@code share} says it
 * @param share of the tensor's elements, rounded to the nearest count; used where {@code count} is -1
 */
public record Sparsity(long count, double share) implements SupportSet {
    /**
     * Refuses counts and shares that cannot be kept.
     *
     * @throws IllegalArgumentException if the count is below -1, or the share is not in [0, 1] where it counts
     */
    public Sparsity {
        if (count < -1 || count == -1 && !(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("cannot keep a count of " + count + ", or a share of " + share);
        }
    }

    /**
     * {@return a constraint that keeps so many elements}
     *
     * @param count at least 0
     * @throws IllegalArgumentException if it is negative
     */
    public static Sparsity count(long count) {
        if (count < 0) {
            throw new IllegalArgumentException("cannot keep " + count + " elements");
        }
        return new Sparsity(count, 0);
    }

    /**
     * {@return a constraint that keeps a share of the elements}
     *
     * @param share in [0, 1]
     */
    public static Sparsity share(double share) {
        return new Sparsity(-1, share);
    }

    /**
     * {@return the elements that are kept of so many}
     *
     * @param n elements of the tensor
     */
    public long kept(long n) {
        return Math.min(n, count >= 0 ? count : Math.round(share * n));
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        for (int i = 0; i < from.size(); i++) {
            Projector.topK(kernels, from.get(i), to.get(i), kept(from.get(i).count()));
        }
    }

    @Override
    public void step(List<FloatTensor> w, List<FloatTensor> u, List<FloatTensor> z, List<FloatTensor> scratch,
            ProjectionState memory, Projections kernels, double[] primal, double[] dual) {
        for (int i = 0; i < w.size(); i++) {
            long n = w.get(i).count();
            Residuals left = kernels.topKAdmm(w.get(i).segment(), 0, u.get(i).segment(), 0, z.get(i).segment(), 0, n,
                    kept(n));
            primal[i] = left.primal();
            dual[i] = left.dual();
        }
    }

    @Override
    public boolean stepsAtOnce() {
        return true;
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        long found = 0;
        long allowed = 0;
        for (FloatTensor tensor : values) {
            found += Projector.nonzeros(tensor);
            allowed += kept(tensor.count());
        }
        return Feasibility.atMost("non-zeros", found, allowed);
    }

    @Override
    public boolean contains(Constraint other) {
        return equals(other);
    }

    @Override
    public String describe() {
        return "at most " + (count >= 0 ? count + " non-zeros" : 100 * share + " % non-zeros");
    }
}
