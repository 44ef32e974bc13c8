package io.pare.train;

import io.pare.exec.RunningStatistics;
import io.pare.exec.Tape;
import io.pare.exec.backend.Precision;
import io.pare.kernel.Bits;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mpi.Ranks;
import io.pare.mpi.RanksException;
import io.pare.mpi.Transfer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Sums the gradients of a step over all ranks, while the backward pass goes on.
 *
 * <p>All gradients lie in one block, those of the last layers first, as the backward pass finds them. Buckets of neighbours
 * are sent as soon as the last of their gradients is whole (Li et al., 2006.15704, section 3.2), in place where they are
 * dense fp32. Where masks leave few weights, only the gradients of these are copied together and sent. In rank order, and
 * in bf16, each rank gets its part of all gradients, sums it in fp32 by rank, and gives the sums back to all.
 *
 * <p>With the gradients go the loss of the step, the number of right answers, the wish to stop, and what the step's parts do
 * to running statistics of batch normalisation: these end where the same parts one after the other would bring them.
 *
 * <p>Memory is the network's. A step allocates nothing. One thread at a time.
 */
final class GradientExchange {
    /** Bytes of a bucket at least: below that, the time of a message is that of its start. */
    private static final long LEAST = 256 << 10;
    /** Buckets of a step, about, at most. */
    private static final long MOST = 16;
    private static final int LINE = 16;
    /** Loss, right answers, wishes to stop. */
    private static final int REPORT = 3;
    private static final double SLOW = 1.5;
    private static final long WORTH_TELLING = 200_000_000L;

    private final Ranks ranks;
    private final Reduction reduction;
    private final Region region;
    /** In the order of the block. */
    private final List<Weight> weights;
    private final MemorySegment block;
    private final long[] offsets;
    private final MemorySegment[] positions;
    private final long[] sent;
    private final List<Weight> statistics;
    private final long statisticsCount;
    private final float[] before;
    private final Report report;
    private List<Bucket> buckets = List.of();
    private Bucket[] bucketOf = {};
    private @Nullable MemorySegment packed;
    private @Nullable MemorySegment received;
    private int[][] finished = {};
    private int passes = 1;
    private int started;
    private boolean following;

    private double loss;
    private long correct;
    private boolean stop;
    private boolean stopWished;
    private long bytes;
    private long waited;
    private long began = System.nanoTime();
    private @Nullable String slow;

    GradientExchange(Ranks ranks, Reduction reduction, Region region, List<Weight> all) {
        this.ranks = ranks;
        this.reduction = reduction;
        this.region = region;
        this.weights = all.stream().filter(weight -> weight.parameter().trained()).toList().reversed();
        // Of the whole batch they are the same at all ranks already.
        this.statistics =
                reduction.statistics() ? List.of() : all.stream().filter(weight -> switch (weight.parameter().kind()) {
                    case MEAN, VARIANCE -> true;
                    case WEIGHT, BIAS, SCALE, CONSTANT -> false;
                }).toList();
        this.offsets = new long[weights.size() + 1];
        for (int i = 0; i < weights.size(); i++) {
            offsets[i + 1] = offsets[i] + Math.ceilDiv(weights.get(i).value().count(), LINE) * LINE;
        }
        this.block = region.allocate(offsets[weights.size()] * Float.BYTES);
        for (int i = 0; i < weights.size(); i++) {
            Weight weight = weights.get(i);
            weight.gradient(new FloatTensor(block.asSlice(offsets[i] * Float.BYTES, weight.value().byteSize()),
                    weight.value().shape()));
        }
        this.positions = new MemorySegment[weights.size()];
        this.sent = new long[weights.size()];
        this.statisticsCount = statistics.stream().mapToLong(weight -> weight.value().count()).sum();
        this.before = new float[Math.toIntExact(statisticsCount)];
        this.report = new Report();
        for (int i = 0; i < sent.length; i++) {
            sent[i] = weights.get(i).value().count();
        }
        fill();
    }

    /**
     * Prepares for an epoch, under the masks of the moment.
     *
     * @param next tape that is followed
     * @param count passes of a step that this rank makes
     */
    void beginEpoch(Tape next, int count) {
        passes = count;
        stop = false;
        stopWished = false;
        began = System.nanoTime();
        waited = 0;
        long[] counts = new long[weights.size()];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = keepPositions(i);
        }
        if (!Arrays.equals(counts, sent)) {
            System.arraycopy(counts, 0, sent, 0, counts.length);
            fill();
        }
        Map<String, Integer> byName = new HashMap<>();
        for (int i = 0; i < weights.size(); i++) {
            byName.put(weights.get(i).name(), i);
        }
        finished = next.finished().stream()
                .map(names -> names.stream().mapToInt(byName::get).toArray()).toArray(int[][]::new);
    }

    /** The places that a mask leaves, and how many there are; all, without a list, where there is none. */
    private long keepPositions(int i) {
        Weight weight = weights.get(i);
        Bits kept = weight.mask();
        long count = weight.value().count();
        if (kept == null) {
            return count;
        }
        long left = weight.masked();
        if (2 * left >= count) {
            return count;
        }
        if (positions[i] == null || positions[i].byteSize() < left * Integer.BYTES) {
            positions[i] = region.allocate(Math.max(1, left) * Integer.BYTES);
        }
        long at = 0;
        for (long k = 0; k < count; k++) {
            if (kept.get(k)) {
                positions[i].setAtIndex(ValueLayout.JAVA_INT, at++, (int) k);
            }
        }
        return left;
    }

    private boolean sparse(int i) {
        return sent[i] < weights.get(i).value().count();
    }

    /** Forms buckets of what is sent. */
    private void fill() {
        long all = Arrays.stream(sent).sum() * Float.BYTES;
        long enough = Math.max(LEAST, all / MOST);
        List<Bucket> filled = new ArrayList<>();
        bucketOf = new Bucket[weights.size()];
        long packedBytes = 0;
        for (int from = 0; from < weights.size();) {
            int to = from;
            long bytesOf = 0;
            while (to < weights.size() && bytesOf < enough) {
                bytesOf += sent[to++] * Float.BYTES;
            }
            Bucket bucket = new Bucket(from, to, packedBytes);
            packedBytes += bucket.packedBytes();
            filled.add(bucket);
            Arrays.fill(bucketOf, from, to, bucket);
            from = to;
        }
        if (packedBytes > 0 && (packed == null || packed.byteSize() < packedBytes)) {
            packed = region.allocate(packedBytes);
            received = direct() ? packed : region.allocate(packedBytes);
        }
        filled.forEach(Bucket::open);
        buckets = List.copyOf(filled);
        bytes = buckets.stream().mapToLong(Bucket::bytes).sum() + report.bytes();
    }

    /** Whether MPI sums. */
    private boolean direct() {
        return !reduction.inOrder() && reduction.numbers() == Precision.FP32;
    }

    /** Bytes of a step that a rank gives to be summed. */
    long bytes() {
        return bytes;
    }

    /** Begins a step, before its first pass. */
    void begin() {
        for (int i = 0; i < buckets.size(); i++) {
            buckets.get(i).begin();
        }
        started = 0;
        following = false;
        report.begin();
    }

    /** Says that the next backward pass is the step's last one: what it finishes is sent. */
    void last() {
        following = true;
    }

    /** Takes note of a step of the backward pass. */
    void done(int step) {
        if (!following) {
            return;
        }
        for (int weight : finished[step]) {
            bucketOf[weight].missing--;
        }
        // In order: all ranks begin their transfers in the same one.
        while (started < buckets.size() && buckets.get(started).missing == 0) {
            buckets.get(started++).start();
        }
        for (int i = 0; i < started; i++) {
            buckets.get(i).first.test();
        }
    }

    /** Ends a step: all gradients are sums then. */
    void end(double ownLoss, long ownCorrect) {
        loss = ownLoss;
        correct = ownCorrect;
        while (started < buckets.size()) {
            buckets.get(started++).start();
        }
        report.start();
        long from = System.nanoTime();
        for (int i = 0; i < buckets.size(); i++) {
            buckets.get(i).turn();
        }
        report.turn();
        for (int i = 0; i < buckets.size(); i++) {
            buckets.get(i).end();
        }
        report.end();
        waited += System.nanoTime() - from;
    }

    /** Sum of the losses of all ranks. */
    double loss() {
        return loss;
    }

    long correct() {
        return correct;
    }

    /** Wishes that all ranks stop; {@link #stops} says when they do. */
    void wishToStop() {
        stopWished = true;
    }

    /** Whether some rank had the wish before this step. */
    boolean stops() {
        return stop;
    }

    /** Nanoseconds of the epoch that went into waiting for other ranks and for messages. */
    long waited() {
        return waited;
    }

    /**
     * Compares the ranks after an epoch.
     *
     * @throws RanksException if they no longer have the same weights
     */
    void endEpoch() {
        long all = System.nanoTime() - began;
        byte[][] told =
                ranks.gather(ByteBuffer.allocate(2 * Long.BYTES).putLong(checksum()).putLong(all - waited).array());
        double[] busy = new double[told.length];
        long first = ByteBuffer.wrap(told[0]).getLong();
        for (int i = 0; i < told.length; i++) {
            ByteBuffer one = ByteBuffer.wrap(told[i]);
            if (one.getLong() != first) {
                ranks.endTogether();
                throw new RanksException(
                        "rank " + i + " no longer has the weights of rank 0, and they must be the same:"
                                + " give all ranks processors of one kind, or --deterministic");
            }
            busy[i] = one.getLong();
        }
        double[] sorted = busy.clone();
        Arrays.sort(sorted);
        double median = sorted[(sorted.length - 1) / 2];
        slow = null;
        for (int i = 0; i < busy.length; i++) {
            if (busy[i] == sorted[sorted.length - 1] && busy[i] > SLOW * median && busy[i] - median > WORTH_TELLING) {
                slow = String.format(Locale.ROOT, "warning: rank %d is slow: it computed for %.1f s of the epoch, the"
                        + " median is %.1f s, and all wait for it", i, busy[i] / 1e9, median / 1e9);
            }
        }
    }

    /** What is to be said of a slow rank, after an epoch; {@code null} for nothing. */
    @Nullable
    String slow() {
        return slow;
    }

    private long checksum() {
        CRC32C sum = new CRC32C();
        for (Weight weight : weights) {
            sum.update(weight.value().segment().asByteBuffer());
        }
        return sum.getValue();
    }

    /** Neighbours whose gradients travel together. */
    private final class Bucket {
        private final int from;
        private final int to;
        private final boolean inPlace;
        private final Lane lane;
        private Transfer first;
        private int missing;

        Bucket(int from, int to, long offset) {
            this.from = from;
            this.to = to;
            boolean sparse = false;
            long count = 0;
            for (int i = from; i < to; i++) {
                count += sent[i];
                sparse |= sparse(i);
            }
            this.inPlace = direct() && !sparse;
            this.lane = new Lane(offset, count, reduction.numbers());
        }

        long packedBytes() {
            return inPlace ? 0 : lane.bytes();
        }

        long bytes() {
            return inPlace ? (offsets[to] - offsets[from]) * Float.BYTES : lane.bytes();
        }

        void open() {
            if (inPlace) {
                first = ranks.sum(block.asSlice(offsets[from] * Float.BYTES, bytes()));
            } else {
                lane.open(packed, received);
                first = lane.first;
            }
        }

        void begin() {
            missing = to - from;
        }

        void start() {
            if (!inPlace) {
                long at = 0;
                for (int i = from; i < to; i++) {
                    at = pack(i, at);
                }
            }
            first.start();
        }

        void turn() {
            if (inPlace) {
                first.await();
            } else {
                lane.turn();
            }
        }

        void end() {
            if (!inPlace) {
                lane.end();
                long at = 0;
                for (int i = from; i < to; i++) {
                    at = unpack(i, at);
                }
            }
        }

        private long pack(int i, long at) {
            MemorySegment gradient = weights.get(i).gradient().segment();
            boolean sparse = sparse(i);
            for (long k = 0; k < sent[i]; k++) {
                long place = sparse ? positions[i].getAtIndex(ValueLayout.JAVA_INT, k) : k;
                lane.put(at + k, gradient.getAtIndex(ValueLayout.JAVA_FLOAT, place));
            }
            return at + sent[i];
        }

        private long unpack(int i, long at) {
            MemorySegment gradient = weights.get(i).gradient().segment();
            boolean sparse = sparse(i);
            for (long k = 0; k < sent[i]; k++) {
                long place = sparse ? positions[i].getAtIndex(ValueLayout.JAVA_INT, k) : k;
                gradient.setAtIndex(ValueLayout.JAVA_FLOAT, place, lane.get(at + k));
            }
            return at + sent[i];
        }
    }

    /** Numbers in a row that are summed over the ranks, by MPI or by rank. */
    private final class Lane {
        private final long offset;
        private final boolean half;
        private final int width;
        /** Numbers of each rank's part. */
        private final long part;
        private MemorySegment own;
        private MemorySegment theirs;
        private Transfer first;
        private @Nullable Transfer second;

        Lane(long offset, long count, Precision numbers) {
            this.offset = offset;
            this.half = numbers == Precision.BF16;
            this.width = half ? Short.BYTES : Float.BYTES;
            this.part = Math.ceilDiv(Math.ceilDiv(count, ranks.size()), LINE) * LINE;
        }

        long bytes() {
            return part * ranks.size() * width;
        }

        void open(MemorySegment send, MemorySegment receive) {
            own = send.asSlice(offset, bytes());
            theirs = receive.asSlice(offset, bytes());
            if (direct()) {
                first = ranks.sum(own);
            } else {
                first = ranks.exchange(own, theirs);
                second = ranks.spread(own);
            }
        }

        void put(long at, float value) {
            if (half) {
                own.setAtIndex(ValueLayout.JAVA_SHORT, at, bf16(value));
            } else {
                own.setAtIndex(ValueLayout.JAVA_FLOAT, at, value);
            }
        }

        float get(long at) {
            return half ? wide(own.getAtIndex(ValueLayout.JAVA_SHORT, at))
                    : own.getAtIndex(ValueLayout.JAVA_FLOAT, at);
        }

        private float received(long at) {
            return half ? wide(theirs.getAtIndex(ValueLayout.JAVA_SHORT, at))
                    : theirs.getAtIndex(ValueLayout.JAVA_FLOAT, at);
        }

        /** Ends the first half; in rank order, sums and begins the second. */
        void turn() {
            first.await();
            if (second == null) {
                return;
            }
            long mine = part * ranks.rank();
            for (long i = 0; i < part; i++) {
                float sum = received(i);
                for (int rank = 1; rank < ranks.size(); rank++) {
                    sum += received(part * rank + i);
                }
                put(mine + i, sum);
            }
            second.start();
        }

        void end() {
            if (second != null) {
                second.await();
            }
        }
    }

    /** To the nearest number of bf16, ties to even; NaN stays NaN. */
    static short bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return Float.isNaN(value)
                ? (short) (bits >>> 16 | 0x40)
                : (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    static float wide(short half) {
        return Float.intBitsToFloat(half << 16);
    }

    /** What travels besides gradients. */
    private final class Report {
        private final Lane lane = new Lane(0, REPORT + statisticsCount, Precision.FP32);

        Report() {
            lane.open(region.allocate(lane.bytes()), region.allocate(lane.bytes()));
        }

        long bytes() {
            return lane.bytes();
        }

        void begin() {
            int at = 0;
            for (int i = 0; i < statistics.size(); i++) {
                FloatTensor value = statistics.get(i).value();
                for (long k = 0; k < value.count(); k++) {
                    before[at++] = value.get(k);
                }
            }
        }

        void start() {
            lane.put(0, (float) loss);
            lane.put(1, correct);
            lane.put(2, stopWished ? 1 : 0);
            double own = kept(1);
            double after = kept(ranks.size() - 1 - ranks.rank());
            int at = 0;
            for (int i = 0; i < statistics.size(); i++) {
                FloatTensor value = statistics.get(i).value();
                for (long k = 0; k < value.count(); k++) {
                    lane.put(REPORT + at, (float) (after * (value.get(k) - own * before[at])));
                    at++;
                }
            }
            lane.first.start();
        }

        void turn() {
            lane.turn();
        }

        void end() {
            lane.end();
            loss = lane.get(0);
            correct = (long) lane.get(1);
            stop = lane.get(2) > 0;
            double all = kept(ranks.size());
            int at = 0;
            for (int i = 0; i < statistics.size(); i++) {
                FloatTensor value = statistics.get(i).value();
                for (long k = 0; k < value.count(); k++) {
                    value.set(k, (float) (all * before[at] + lane.get(REPORT + at)));
                    at++;
                }
            }
        }

        /** What is left of a running statistic after the passes of so many ranks. */
        private double kept(int processes) {
            return Math.pow(1 - RunningStatistics.MOMENTUM, (double) passes * processes);
        }
    }

}
