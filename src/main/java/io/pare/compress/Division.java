package io.pare.compress;

import io.pare.compress.constraint.ProjectionState;
import io.pare.mem.FloatTensor;
import io.pare.mpi.Ranks;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Which rank projects which set, where all ranks have the same weights and would all find the same Z.
 *
 * <p>A set that one rank projects costs the others a message of Z, four bytes a weight; U follows from Z at each rank. So sets are
 * divided where that is faster than to project all of them everywhere, by times of the first step. The bits are those of
 * ranks that project all sets.
 *
 * <p>All ranks call alike. One thread at a time.
 */
final class Division {
    /** The owner of a set that each rank projects for itself. */
    static final int ALL = -1;
    /** A division must save a tenth of the time: what was measured once is not what each step takes. */
    private static final double WORTH = 0.9;
    private static final long SAMPLE_BYTES = 4 << 20;
    private static final int SAMPLES = 3;

    private final Ranks ranks;
    private final Rule rule;
    private int[] owners = {};

    /** Divides where it pays. */
    Division(Ranks ranks) {
        this(ranks, Division::whereItPays);
    }

    Division(Ranks ranks, Rule rule) {
        this.ranks = ranks;
        this.rule = rule;
    }

    /** What is divided. */
    interface Part {
        /** Whether the projection can be made apart from the rest of a step; otherwise all ranks make the whole step. */
        boolean apart();

        /** Projects into {@link #projected}. */
        void project();

        /** Where Z comes to lie. */
        List<FloatTensor> projected();

        /** What the set keeps between projections. */
        ProjectionState memory();
    }

    /** Chooses owners. */
    @FunctionalInterface
    interface Rule {
        /**
         * {@return for each set the rank that projects it, or {@link #ALL}}
         *
         * @param seconds that a projection takes; 0 for sets that cannot be divided
         * @param bytes of Z
         * @param ranks number of processes
         * @param secondsPerByte that it takes until all have what one sends
         */
        int[] owners(double[] seconds, long[] bytes, int ranks, double secondsPerByte);
    }

    /** Divides sets that take longer to project than to send: the longest first, each to the rank that has least to do. */
    static int[] whereItPays(double[] seconds, long[] bytes, int ranks, double secondsPerByte) {
        int[] owners = undivided(seconds.length);
        double[] busy = new double[ranks];
        double before = Arrays.stream(seconds).sum();
        double after = before;
        List<Integer> longest = IntStream.range(0, seconds.length)
                .filter(i -> seconds[i] > bytes[i] * secondsPerByte).boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> seconds[i]).reversed()).toList();
        for (int i : longest) {
            int least = IntStream.range(0, ranks).boxed().min(Comparator.comparingDouble(r -> busy[r])).orElseThrow();
            owners[i] = least;
            busy[least] += seconds[i];
            after += bytes[i] * secondsPerByte - seconds[i];
        }
        after += Arrays.stream(busy).max().orElse(0);
        return after <= WORTH * before ? owners : undivided(owners.length);
    }

    private static int[] undivided(int sets) {
        int[] owners = new int[sets];
        Arrays.fill(owners, ALL);
        return owners;
    }

    /** Number of sets that one rank projects for all. */
    int divided() {
        return (int) Arrays.stream(owners).filter(owner -> owner != ALL).count();
    }

    /**
     * Projects all parts that can be made apart: when it returns, all ranks have all of them.
     *
     * @param parts as many in each call, and the same at all ranks
     * @return seconds of each projection at this rank
     */
    double[] project(List<? extends Part> parts) {
        if (owners.length == 0) {
            owners = undivided(parts.size());
            double[] seconds = own(parts);
            decide(parts, seconds);
            return seconds;
        }
        if (divided() == 0) {
            return own(parts);
        }
        // Where one rank fails, the others end too; who is ready waits here, and not in the messages.
        double[] seconds = ranks.together(() -> own(parts));
        shareStates(parts);
        for (int i = 0; i < owners.length; i++) {
            if (owners[i] != ALL) {
                for (FloatTensor tensor : parts.get(i).projected()) {
                    ranks.from(owners[i], tensor.segment());
                }
            }
        }
        return seconds;
    }

    private double[] own(List<? extends Part> parts) {
        double[] seconds = new double[parts.size()];
        for (int i = 0; i < owners.length; i++) {
            if (parts.get(i).apart() && (owners[i] == ALL || owners[i] == ranks.rank())) {
                long from = System.nanoTime();
                parts.get(i).project();
                seconds[i] = (System.nanoTime() - from) / 1e9;
            }
        }
        return seconds;
    }

    /** The first rank decides, for each measures other times. */
    private void decide(List<? extends Part> parts, double[] seconds) {
        long[] bytes = parts.stream().mapToLong(part -> part.projected().stream()
                .mapToLong(tensor -> tensor.segment().byteSize()).sum()).toArray();
        double secondsPerByte = secondsPerByte(parts);
        int[] chosen = rule.owners(seconds, bytes, ranks.size(), secondsPerByte);
        byte[] told = new byte[chosen.length * Integer.BYTES];
        MemorySegment.ofArray(told).copyFrom(MemorySegment.ofArray(chosen));
        MemorySegment.ofArray(owners).copyFrom(MemorySegment.ofArray(ranks.fromFirst(told)));
    }

    /** By the beginning of the largest tensor, which is the same at all ranks. */
    private double secondsPerByte(List<? extends Part> parts) {
        MemorySegment largest = parts.stream().flatMap(part -> part.projected().stream()).map(FloatTensor::segment)
                .max(Comparator.comparingLong(MemorySegment::byteSize)).orElseThrow();
        MemorySegment sample = largest.asSlice(0, Math.min(SAMPLE_BYTES, largest.byteSize()));
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < SAMPLES; i++) {
            ranks.gather(new byte[0]);
            long from = System.nanoTime();
            ranks.from(0, sample);
            ranks.gather(new byte[0]);
            least = Math.min(least, (System.nanoTime() - from) / 1e9);
        }
        return least / sample.byteSize();
    }

    /** What sets keep is small beside Z. */
    private void shareStates(List<? extends Part> parts) {
        byte[][] all = ranks.gather(states(parts));
        DataInputStream[] read = Arrays.stream(all).map(one -> new DataInputStream(new ByteArrayInputStream(one)))
                .toArray(DataInputStream[]::new);
        for (int i = 0; i < owners.length; i++) {
            if (owners[i] != ALL && owners[i] != ranks.rank()) {
                parts.get(i).memory().replace(state(read[owners[i]]));
            }
        }
    }

    private byte[] states(List<? extends Part> parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            for (int i = 0; i < owners.length; i++) {
                if (owners[i] == ranks.rank()) {
                    Map<String, double[]> kept = parts.get(i).memory().all();
                    out.writeInt(kept.size());
                    for (Map.Entry<String, double[]> each : kept.entrySet()) {
                        out.writeUTF(each.getKey());
                        out.writeInt(each.getValue().length);
                        for (double value : each.getValue()) {
                            out.writeDouble(value);
                        }
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static Map<String, double[]> state(DataInputStream in) {
        Map<String, double[]> kept = new TreeMap<>();
        try {
            for (int count = in.readInt(); count > 0; count--) {
                String name = in.readUTF();
                double[] values = new double[in.readInt()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = in.readDouble();
                }
                kept.put(name, values);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return kept;
    }
}
