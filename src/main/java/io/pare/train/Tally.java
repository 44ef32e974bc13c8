package io.pare.train;

import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.exec.Operation;
import io.pare.kernel.Kernels;
import io.pare.mpi.Ranks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Measures what a network says of the samples of a set, batch by batch. One thread at a time. */
public abstract sealed class Tally {
    /** Guesses that count as good enough where there are many classes. */
    private static final int FIVE = 5;

    int seen;
    double loss;

    private Tally() {}

    /**
     * {@return a tally of nothing yet}
     *
     * @param data decides the task
     * @param outputs of the network, at least as many as classes in the set, or as values of a target
     */
    public static Tally of(Dataset data, int outputs) {
        return switch (data.task()) {
            case CLASSIFY -> new OfClasses(data.size(), outputs);
            case MULTILABEL -> new OfLabels(outputs);
            case REGRESS -> new OfNumbers(outputs);
        };
    }

    /**
     * Takes a batch.
     *
     * @param batches that gave it last
     * @param count samples in it
     * @param outputs logits, or numbers, a row for each sample
     * @param labels as {@code batches} wrote them
     */
    public final void add(Batches batches, int count, MemorySegment outputs, MemorySegment labels) {
        add(batches, 0, count, outputs, labels);
    }

    /**
     * Takes some samples of a batch: their losses are added to those before, so that bits follow from how samples are cut.
     *
     * @param batches that the samples came from, for their targets
     * @param first of them in the batch
     * @param count how many there are
     * @param outputs of these samples alone, as of {@link #add(Batches, int, MemorySegment, MemorySegment)}
     * @param labels of these samples alone
     */
    public abstract void add(Batches batches, int first, int count, MemorySegment outputs, MemorySegment labels);

    /**
     * {@return what all processes have measured, in the order of their ranks}
     *
     * @param ranks the processes, all of which call
     */
    public final Tally with(Ranks ranks) {
        if (ranks.size() == 1) {
            return this;
        }
        byte[][] all = ranks.gather(bytes());
        clear();
        for (byte[] one : all) {
            ByteBuffer told = ByteBuffer.wrap(one);
            loss += told.getDouble();
            int count = told.getInt();
            add(told, count);
            seen += count;
        }
        return this;
    }

    private byte[] bytes() {
        ByteBuffer told = ByteBuffer.allocate(Double.BYTES + Integer.BYTES + size());
        write(told.putDouble(loss).putInt(seen));
        return told.array();
    }

    private void clear() {
        loss = 0;
        seen = 0;
        clearSums();
    }

    /** Bytes of what {@link #write} writes. */
    abstract int size();

    /** Writes all that was measured, but for loss and number. */
    abstract void write(ByteBuffer told);

    /** Adds what another process wrote of so many samples. */
    abstract void add(ByteBuffer told, int count);

    /** Forgets all that was measured. */
    abstract void clearSums();

    private static void put(ByteBuffer told, int[] counts) {
        for (int count : counts) {
            told.putInt(count);
        }
    }

    private static void take(ByteBuffer told, int[] counts) {
        for (int i = 0; i < counts.length; i++) {
            counts[i] += told.getInt();
        }
    }

    private static void put(ByteBuffer told, double[] sums) {
        for (double sum : sums) {
            told.putDouble(sum);
        }
    }

    private static void take(ByteBuffer told, double[] sums) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += told.getDouble();
        }
    }

    /** {@return what has been measured so far} */
    public abstract Evaluation result();

    private static float at(MemorySegment outputs, int row, int width, int column) {
        return outputs.getAtIndex(ValueLayout.JAVA_FLOAT, (long) row * width + column);
    }

    private static final class OfClasses extends Tally {
        private final Kernels kernels = Kernels.active();
        private final int classes;
        private final int[] labelled;
        private final int[] predicted;
        private long inFive;

        OfClasses(int samples, int classes) {
            this.classes = classes;
            this.labelled = new int[samples];
            this.predicted = new int[samples];
        }

        @Override
        public void add(Batches batches, int first, int count, MemorySegment logits, MemorySegment labels) {
            inFive += kernels.countCorrect(logits, 0, labels, 0, count, classes, FIVE);
            loss += kernels.softmaxCrossEntropy(logits, 0, labels, 0, count, classes, 1f, null, 0);
            for (int row = 0; row < count; row++) {
                labelled[seen + row] = labels.getAtIndex(ValueLayout.JAVA_INT, row);
                predicted[seen + row] = largest(logits, row);
            }
            seen += count;
        }

        @Override
        int size() {
            return Long.BYTES + 2 * Integer.BYTES * seen;
        }

        @Override
        void write(ByteBuffer told) {
            told.putLong(inFive);
            put(told, Arrays.copyOf(labelled, seen));
            put(told, Arrays.copyOf(predicted, seen));
        }

        @Override
        void add(ByteBuffer told, int count) {
            inFive += told.getLong();
            for (int i = 0; i < count; i++) {
                labelled[seen + i] = told.getInt();
            }
            for (int i = 0; i < count; i++) {
                predicted[seen + i] = told.getInt();
            }
        }

        @Override
        void clearSums() {
            inFive = 0;
        }

        /** The first class of the largest logit; -1 if none is a number. */
        private int largest(MemorySegment logits, int row) {
            int best = -1;
            for (int c = 0; c < classes; c++) {
                float logit = at(logits, row, classes, c);
                if (!Float.isNaN(logit) && (best < 0 || logit > at(logits, row, classes, best))) {
                    best = c;
                }
            }
            return best;
        }

        @Override
        public Evaluation result() {
            return new Evaluation(new Metrics.OfClasses(classes, Arrays.copyOf(labelled, seen),
                    Arrays.copyOf(predicted, seen), (double) inFive / seen), loss / seen, seen);
        }
    }

    private static final class OfLabels extends Tally {
        private final int[] support;
        private final int[] named;
        private final int[] right;
        private int exact;

        OfLabels(int labels) {
            this.support = new int[labels];
            this.named = new int[labels];
            this.right = new int[labels];
        }

        @Override
        public void add(Batches batches, int first, int count, MemorySegment logits, MemorySegment labels) {
            for (int row = 0; row < count; row++) {
                boolean all = true;
                for (int i = 0; i < support.length; i++) {
                    double logit = at(logits, row, support.length, i);
                    double target = batches.data().target(batches.index(first + row), i);
                    boolean applies = target > 0.5;
                    boolean told = logit > 0;
                    support[i] += applies ? 1 : 0;
                    named[i] += told ? 1 : 0;
                    right[i] += told && applies ? 1 : 0;
                    all &= told == applies;
                    loss += Operation.BinaryCrossEntropy.of(logit, target);
                }
                exact += all ? 1 : 0;
            }
            seen += count;
        }

        @Override
        int size() {
            return Integer.BYTES * (3 * support.length + 1);
        }

        @Override
        void write(ByteBuffer told) {
            put(told, support);
            put(told, named);
            put(told, right);
            told.putInt(exact);
        }

        @Override
        void add(ByteBuffer told, int count) {
            take(told, support);
            take(told, named);
            take(told, right);
            exact += told.getInt();
        }

        @Override
        void clearSums() {
            Arrays.fill(support, 0);
            Arrays.fill(named, 0);
            Arrays.fill(right, 0);
            exact = 0;
        }

        @Override
        public Evaluation result() {
            return new Evaluation(new Metrics.OfLabels(support.clone(), named.clone(), right.clone(),
                    (double) exact / seen), loss / seen / support.length, seen);
        }
    }

    private static final class OfNumbers extends Tally {
        private final double[] sums;
        private final double[] squares;
        private final double[] squaredErrors;
        private double absolute;

        OfNumbers(int outputs) {
            this.sums = new double[outputs];
            this.squares = new double[outputs];
            this.squaredErrors = new double[outputs];
        }

        @Override
        public void add(Batches batches, int first, int count, MemorySegment outputs, MemorySegment labels) {
            for (int row = 0; row < count; row++) {
                for (int i = 0; i < sums.length; i++) {
                    double target = batches.data().target(batches.index(first + row), i);
                    double error = at(outputs, row, sums.length, i) - target;
                    sums[i] += target;
                    squares[i] += target * target;
                    squaredErrors[i] += error * error;
                    absolute += Math.abs(error);
                }
            }
            seen += count;
        }

        @Override
        int size() {
            return Double.BYTES * (3 * sums.length + 1);
        }

        @Override
        void write(ByteBuffer told) {
            put(told, sums);
            put(told, squares);
            put(told, squaredErrors);
            told.putDouble(absolute);
        }

        @Override
        void add(ByteBuffer told, int count) {
            take(told, sums);
            take(told, squares);
            take(told, squaredErrors);
            absolute += told.getDouble();
        }

        @Override
        void clearSums() {
            Arrays.fill(sums, 0);
            Arrays.fill(squares, 0);
            Arrays.fill(squaredErrors, 0);
            absolute = 0;
        }

        @Override
        public Evaluation result() {
            double explained = 0;
            for (int i = 0; i < sums.length; i++) {
                double spread = squares[i] - sums[i] * sums[i] / seen;
                explained += spread > 0 ? 1 - squaredErrors[i] / spread : Double.NaN;
            }
            double count = (double) seen * sums.length;
            double mean = Arrays.stream(squaredErrors).sum() / count;
            return new Evaluation(
                    new Metrics.OfNumbers(absolute / count, Math.sqrt(mean), explained / sums.length), mean, seen);
        }
    }
}
