package io.pare.compress;

import io.pare.mem.FloatTensor;
import io.pare.mpi.RankMeans;
import io.pare.mpi.Ranks;
import io.pare.mpi.RanksException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What ranks that train apart agree on: means of their tensors, and that they have found the same ones.
 *
 * <p>Owns the memory of the means. One thread at a time.
 */
final class Consensus implements AutoCloseable {
    private static final int LINE = 16;

    private final Ranks ranks;
    private final RankMeans means;
    private final List<FloatTensor> mean = new ArrayList<>();

    /** For lists of tensors of these shapes. */
    Consensus(Ranks ranks, List<long[]> shapes) {
        this.ranks = ranks;
        long all = shapes.stream().mapToLong(shape -> lines(FloatTensor.count(shape))).sum();
        this.means = new RankMeans(ranks, all);
        long at = 0;
        for (long[] shape : shapes) {
            long count = FloatTensor.count(shape);
            mean.add(new FloatTensor(means.floats().asSlice(at * Float.BYTES, count * Float.BYTES), shape));
            at += lines(count);
        }
    }

    private static long lines(long count) {
        return Math.ceilDiv(count, LINE) * LINE;
    }

    /** Takes the means of tensors over all ranks, which {@link #mean} then gives. */
    void average(List<FloatTensor> tensors) {
        for (int i = 0; i < mean.size(); i++) {
            mean.get(i).copyFrom(tensors.get(i));
        }
        means.average();
    }

    FloatTensor mean(int i) {
        return mean.get(i);
    }

    /**
     * Takes the means of numbers over all ranks, and makes sure that all have the same Z.
     *
     * @throws RanksException if they have not
     */
    double[] agree(double[] numbers, List<FloatTensor> z) {
        CRC32C sum = new CRC32C();
        z.forEach(tensor -> sum.update(tensor.segment().asByteBuffer()));
        ByteBuffer own = ByteBuffer.allocate(Long.BYTES + numbers.length * Double.BYTES).putLong(sum.getValue());
        for (double number : numbers) {
            own.putDouble(number);
        }
        byte[][] all = ranks.gather(own.array());
        double[] agreed = new double[numbers.length];
        for (int rank = 0; rank < all.length; rank++) {
            ByteBuffer one = ByteBuffer.wrap(all[rank]);
            if (one.getLong() != sum.getValue()) {
                throw new RanksException("rank " + rank + " projects onto another set than rank " + ranks.rank()
                        + ": consensus fits constraints that only look at weights");
            }
            for (int i = 0; i < agreed.length; i++) {
                agreed[i] += one.getDouble() / all.length;
            }
        }
        return agreed;
    }

    @Override
    public void close() {
        means.close();
    }
}
