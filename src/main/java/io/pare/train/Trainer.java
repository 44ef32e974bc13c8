package io.pare.train;

import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.descent.Attack;
import io.pare.descent.GradientNorm;
import io.pare.descent.RunState;
import io.pare.descent.Update;
import io.pare.exec.RunningStatistics;
import io.pare.exec.Tape;
import io.pare.mem.FloatTensor;
import io.pare.mem.OneThread;
import io.pare.net.InputScale;
import io.pare.net.Task;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes training steps on a network, epoch by epoch.
 *
 * <p>The order of samples, dropout and augmentation follow from the settings' seed, the epoch's number and the batch's:
 * values, optimiser state and the number of steps are the whole state. A step allocates nothing. {@link #close} ends the
 * threads that load images, if the data set asks for some.
 *
 * <p>One thread at a time: a second one gets {@link IllegalStateException}. While an epoch runs its thread has the network
 * for itself, and neither the trainer nor the network can be closed; a listener may end the epoch.
 *
 * <p>Knows no constraint: what compression asks of a step hangs on the {@link Weight}s, as a penalty and a mask. Masks are
 * taken note of when an epoch begins; where they leave few weights, a step computes with these alone.
 */
public final class Trainer implements AutoCloseable {
    private final Network network;
    private final TrainingSettings settings;
    private final @Nullable GradientExchange exchange;
    private final Tape.Follower follower;
    private final OneThread oneThread;
    private final Dataset data;
    private final Batches batches;
    /** Its inputs take a batch, or a pass's part of it. */
    private final Tape whole;
    /** What computes: {@link #whole}, or a sparse tape that sees what lies there in slices. */
    private Tape tape;
    private int slices;
    /** Names of all inputs of both. */
    private final List<String> inputs;
    private final InputScale scale;
    private final @Nullable Teachers teachers;
    /** Their answers by image; {@code null} where there are none, or images are new to them in each step. */
    private @Nullable FloatTensor answers;
    /** Changes images before each pass; {@code null} where they are seen as they are. */
    private final @Nullable Adversary adversary;
    private final Adversary.@Nullable Ball ball;
    private final List<Weight> weights;
    private final Update update;
    private long steps;
    private boolean closed;

    /** What happens around each step. */
    public interface StepListener {
        /**
         * Runs between the backward pass and the optimiser.
         *
         * @param batch number of the batch in the epoch, from 0
         * @param batches in the epoch
         */
        default void beforeUpdate(int batch, int batches) {}

        /**
         * Runs after the optimiser; {@code false} ends the epoch early, with this step done.
         *
         * @param progress with this step in it; valid during the call
         * @return whether to go on
         */
        default boolean afterUpdate(Progress progress) {
            return true;
        }
    }

    /**
     * Where an epoch stands. One object per trainer, updated in place.
     */
    public static final class Progress {
        private int epoch;
        private int batch;
        private int batches;
        private int batchSize;
        private double lossSum;
        private long correct;
        private double rate;
        private boolean numbers;

        private Progress() {}

        /** {@return number of the epoch, from 0} */
        public int epoch() {
            return epoch;
        }

        /** {@return batches of the epoch that are done} */
        public int batch() {
            return batch;
        }

        /** {@return batches in the epoch} */
        public int batches() {
            return batches;
        }

        /** {@return samples of the epoch that are done} */
        public long samples() {
            return (long) batch * batchSize;
        }

        /** {@return mean loss of the steps of the epoch so far} */
        public double loss() {
            return batch == 0 ? Double.NaN : lossSum / batch;
        }

        /**
         * {@return share of right answers in the epoch so far, dropout and augmentation included; NaN for numbers}
         */
        public double accuracy() {
            return batch == 0 || numbers ? Double.NaN : (double) correct / samples();
        }

        /** {@return learning rate of the last step} */
        public double rate() {
            return rate;
        }
    }

    private final Progress progress = new Progress();

    /**
     * Compiles the tapes, zeroes the optimiser's state, and asks a teacher about all samples.
     *
     * @param network trained in place; it must outlive the trainer
     * @param data samples of one task, in an order drawn anew in each epoch
     * @param scale that brings inputs to the network's range
     * @param settings batch, optimiser, augmentation and seed
     * @throws IllegalArgumentException if the settings distil without a teacher, or without classes, or attack
     *             what is no picture with a class, or a network with batch normalisation
     * @throws IllegalStateException if another thread uses the network, or it is closed
     */
    public Trainer(Network network, Dataset data, InputScale scale, TrainingSettings settings) {
        this(network, data, scale, settings, false);
    }

    /**
     * Compiles the tapes, zeroes the optimiser's state, and asks a teacher about all samples.
     *
     * @param network trained in place; it must outlive the trainer
     * @param data samples of one task, in an order drawn anew in each epoch
     * @param scale that brings inputs to the network's range
     * @param settings batch, optimiser, augmentation and seed
     * @param apart whether each of several processes takes steps by its own part of each batch alone, and so has weights of its
     *            own; one process changes nothing
     * @throws IllegalArgumentException if the settings distil without a teacher, or without classes
     * @throws IllegalStateException if another thread uses the network, or it is closed
     */
    public Trainer(Network network, Dataset data, InputScale scale, TrainingSettings settings, boolean apart) {
        if (settings.distillation() != null && settings.distillation().teachers() == null) {
            throw new IllegalArgumentException("the training of " + network.model().name()
                    + " is to distil, and no teacher is given: give one, or settings without distillation");
        }
        if (settings.distillation() != null && data.task() != Task.CLASSIFY) {
            throw new IllegalArgumentException("the training of " + network.model().name() + " is to distil, and "
                    + data.name() + " has no classes: give settings without distillation");
        }
        Attack attack = settings.attack();
        if (attack != null) {
            Robustness.check(data);
        }
        this.network = network;
        this.data = data;
        int size = network.ranks().size();
        this.settings = apart ? settings.apart(size) : settings.on(size);
        this.exchange = apart ? null : network.exchange();
        this.follower = exchange == null ? step -> {
        } : exchange::done;
        this.scale = scale;
        this.teachers = settings.distillation() == null ? null : settings.distillation().teachers();
        if (teachers != null) {
            teachers.checkFit(network);
        }
        this.oneThread = new OneThread("the trainer of " + network.model().name());
        this.weights = network.weights().stream().filter(weight -> weight.parameter().trained()).toList();
        int own = this.settings.accumulate();
        this.inputs = Stream.of(Network.IMAGES, teachers == null ? null : Network.TEACHER,
                data.task() == Task.CLASSIFY ? null : Network.TARGETS).filter(Objects::nonNull).toList();
        this.batches = Batches.shuffled(data, this.settings.passSize(), scale, settings.augmentation(), settings.seed(),
                teachers == null ? 0 : Math.max(0, teachers.copies()),
                new Batches.Turn(network.ranks().rank() * own, own, own * size));
        try (var _ = network.section().enter()) {
            network.evaluationBatch(settings.evaluationBatch());
            this.answers = teachers != null && teachers.copies() == Teachers.AS_THEY_ARE
                    ? teachers.plain(network.region(), data, scale)
                    : null;
            this.whole = network.trainingTape(this.settings, data.task(), false);
            this.adversary = attack == null ? null : network.adversary(this.settings.passSize());
            this.ball = attack == null ? null : new Adversary.Ball(attack, scale, network.model());
            this.tape = tape();
            network.prepare(settings.optimizer());
            this.update = new Update(weights);
        } catch (RuntimeException | Error e) {
            batches.close();
            throw e;
        }
        progress.batches = stepsPerEpoch();
        progress.numbers = data.task() == Task.REGRESS;
        progress.batchSize = this.settings.batchSize();
    }

    /**
     * Gathers the running statistics of normalisations anew: the means of those of some batches, each counting alike. Nothing else
     * changes. After weights have changed at once, the running means would follow over hundreds of steps.
     *
     * @param most batches that are looked at, at most; at least 1
     * @throws IllegalStateException if another thread uses the trainer or the network, or one of them is closed
     */
    public void recalibrate(int most) {
        List<Weight> statistics = network.weights().stream().filter(weight -> switch (weight.parameter().kind()) {
            case MEAN, VARIANCE -> true;
            case WEIGHT, BIAS, SCALE, CONSTANT -> false;
        }).toList();
        if (statistics.isEmpty()) {
            return;
        }
        oneThread.enter();
        try (var _ = network.section().enter()) {
            if (closed) {
                throw new IllegalStateException("the trainer of " + network.model().name() + " is closed");
            }
            gather(statistics, Math.min(most, batches.perEpoch()));
        } finally {
            oneThread.exit();
        }
    }

    private void gather(List<Weight> statistics, int count) {
        tape = whole;
        batches.seek(0, 0);
        FloatTensor images = tape.input(Network.IMAGES);
        List<double[]> sums = statistics.stream().map(each -> new double[(int) each.value().count()]).toList();
        for (int batch = 0; batch < count; batch++) {
            // From zero, a pass leaves the momentum's share of the batch's own statistics.
            statistics.forEach(each -> each.value().fill(0f));
            batches.next(images, tape.labels());
            if (data.task() != Task.CLASSIFY) {
                batches.targets(tape.input(Network.TARGETS));
            }
            tape.forward(settings.seed() + batch, 0);
            for (int i = 0; i < sums.size(); i++) {
                double[] sum = sums.get(i);
                for (int c = 0; c < sum.length; c++) {
                    sum[c] += statistics.get(i).value().get(c);
                }
            }
        }
        for (int i = 0; i < sums.size(); i++) {
            double[] sum = ofAllRanks(sums.get(i));
            double parts = (double) count * network.ranks().size();
            for (int c = 0; c < sum.length; c++) {
                statistics.get(i).value().set(c, (float) (sum[c] / parts / RunningStatistics.MOMENTUM));
            }
        }
    }

    private double[] ofAllRanks(double[] own) {
        ByteBuffer told = ByteBuffer.allocate(own.length * Double.BYTES);
        told.asDoubleBuffer().put(own);
        double[] sums = new double[own.length];
        for (byte[] one : network.ranks().gather(told.array())) {
            DoubleBuffer values = ByteBuffer.wrap(one).asDoubleBuffer();
            for (int c = 0; c < sums.length; c++) {
                sums[c] += values.get(c);
            }
        }
        return sums;
    }

    /** The tape that suits the masks of the moment. */
    private Tape tape() {
        boolean sparse = settings.accumulate() == 1 && network.sparse(settings.passSize(), settings.dropout());
        slices = sparse ? Network.slices(settings) : 1;
        Tape suited = sparse ? network.trainingTape(settings, data.task(), true) : whole;
        suited.readMasks();
        return suited;
    }

    /** {@return what is trained; the caller's} */
    public Network network() {
        return network;
    }

    /** {@return what the trainer was made with} */
    public TrainingSettings settings() {
        return settings;
    }

    Dataset data() {
        return data;
    }

    /** {@return steps in an epoch} */
    public int stepsPerEpoch() {
        return batches.perEpoch() / settings.accumulate();
    }

    /** {@return optimiser steps since the trainer was made} */
    public long steps() {
        return steps;
    }

    /**
     * Sets the number of steps, when a run is resumed.
     *
     * @param done steps before this one
     */
    public void steps(long done) {
        this.steps = done;
    }

    /** {@return where the current or last epoch stands} */
    public Progress progress() {
        return progress;
    }

    /** Saves values, the optimiser's state and the epoch's sums, or takes them back. */
    void visit(RunState state) {
        progress.lossSum = state.number("lossSum", progress.lossSum);
        progress.correct = state.count("correct", progress.correct);
        for (Weight weight : network.weights()) {
            state.tensor("value/" + weight.name(), weight.value());
            List<String> names = weight.stateNames(settings.optimizer());
            for (int i = 0; i < names.size(); i++) {
                state.tensor(names.get(i) + "/" + weight.name(), weight.state(i));
            }
        }
    }

    /**
     * Trains from batch {@code fromBatch} to the end of an epoch, or until the listener ends it.
     *
     * @param epoch number of the epoch, from 0; with the seed it fixes everything random
     * @param fromBatch 0, or where an interrupted epoch goes on
     * @param rate learning rate by the share of the epoch that is done, in [0, 1)
     * @param listener called by the same thread around each step
     * @return whether the epoch came to its end
     * @throws TrainingException if the loss is no longer a finite number
     * @throws IllegalStateException if another thread uses the trainer or the network, or one of them is closed
     */
    public boolean epoch(int epoch, int fromBatch, DoubleUnaryOperator rate, StepListener listener) {
        oneThread.enter();
        try (var _ = network.section().enter()) {
            if (closed) {
                throw new IllegalStateException("the trainer of " + network.model().name() + " is closed");
            }
            return train(epoch, fromBatch, rate, listener);
        } finally {
            oneThread.exit();
        }
    }

    private boolean train(int epoch, int fromBatch, DoubleUnaryOperator rate, StepListener listener) {
        tape = tape();
        int parts = settings.accumulate();
        if (exchange != null) {
            exchange.beginEpoch(tape, parts);
        }
        batches.seek(epoch, fromBatch * parts);
        if (teachers != null && teachers.copies() > 0) {
            answers = teachers.kept(data, scale, settings.augmentation(), settings.seed(), epoch);
        }
        progress.epoch = epoch;
        progress.batch = fromBatch;
        if (fromBatch == 0) {
            progress.lossSum = 0;
            progress.correct = 0;
        }
        int perEpoch = stepsPerEpoch();
        FloatTensor images = whole.input(Network.IMAGES);
        while (batches.batch() < perEpoch * parts && batches.next(images, whole.labels()) > 0) {
            int batch = (batches.batch() - 1) / parts;
            progress.rate = rate.applyAsDouble((double) batch / perEpoch);
            step(images, ((long) epoch * perEpoch + batch) * 0x9e3779b97f4a7c15L ^ settings.seed(), batch, listener);
            if (!listener.afterUpdate(progress)) {
                return progress.batch == perEpoch;
            }
        }
        if (exchange != null) {
            exchange.endEpoch();
        }
        return true;
    }

    /**
     * Tells the other processes that this one wishes to stop in this epoch. All of them see it in {@link #stops} after the
     * next step. Where there is one process nothing happens.
     */
    public void wishToStop() {
        if (exchange != null) {
            exchange.wishToStop();
        }
    }

    /** {@return whether one of several processes has wished to stop, as all of them know by now} */
    public boolean stops() {
        return exchange != null && exchange.stops();
    }

    /** {@return what to say of a process that made all others wait in the last epoch; {@code null} for nothing} */
    public @Nullable String slow() {
        return exchange == null ? null : exchange.slow();
    }

    /** {@return bytes of a step that this process gives to be summed over all; 0 where there is one process} */
    public long bytesPerStep() {
        return exchange == null ? 0 : exchange.bytes();
    }

    /** {@return seconds of the current or last epoch in which this process waited for others, or for messages} */
    public double waitedSeconds() {
        return exchange == null ? 0 : exchange.waited() / 1e9;
    }

    private void step(FloatTensor images, long key, int batch, StepListener listener) {
        int parts = settings.accumulate();
        for (int i = 0; parts * slices > 1 && i < weights.size(); i++) {
            weights.get(i).gradient().fill(0f);
        }
        if (exchange != null) {
            exchange.begin();
        }
        double loss = 0;
        long correct = 0;
        for (int part = 0; part < parts; part++) {
            if (part > 0) {
                batches.next(images, whole.labels());
            }
            fill();
            if (adversary != null) {
                adversary.attack(images, whole.labels(), ball, key, network.ranks().rank() * parts + part);
                images.copyFrom(adversary.images());
            }
            for (int slice = 0; slice < slices; slice++) {
                if (exchange != null && part == parts - 1 && slice == slices - 1) {
                    exchange.last();
                }
                pass(key, network.ranks().rank() * parts + part, slice);
                loss += tape.loss() / slices;
                correct += tape.correct();
            }
        }
        if (exchange == null) {
            finish(loss, correct, batch, listener);
        } else {
            exchange.end(loss, correct);
            finish(exchange.loss(), exchange.correct(), batch, listener);
        }
    }

    private void finish(double loss, long correct, int batch, StepListener listener) {
        listener.beforeUpdate(batch, progress.batches);
        steps++;
        update();
        progress.batch = batch + 1;
        progress.lossSum += loss / settings.parts();
        progress.correct += correct;
    }

    /** A method of its own: compiled as a part of the passes, the optimiser's vectors would stay objects on the heap. */
    private void update() {
        GradientNorm.clip(weights, settings.clipNorm());
        update.step(settings.optimizer(), progress.rate, steps);
    }

    /** Brings what goes with the images into the inputs of {@link #whole}. */
    private void fill() {
        if (teachers != null && answers == null) {
            teachers.answer(whole.input(Network.IMAGES), whole.input(Network.TEACHER));
        } else if (answers != null) {
            FloatTensor into = whole.input(Network.TEACHER);
            long bytes = into.byteSize() / settings.passSize();
            for (int row = 0; row < settings.passSize(); row++) {
                MemorySegment.copy(answers.segment(), batches.index(row) * bytes, into.segment(), row * bytes,
                        bytes);
            }
        }
        if (data.task() != Task.CLASSIFY) {
            batches.targets(whole.input(Network.TARGETS));
        }
    }

    /** Forward and backward on a slice of what is in the inputs. */
    private void pass(long key, int part, int slice) {
        if (tape != whole) {
            for (int i = 0; i < inputs.size(); i++) {
                copySlice(whole.input(inputs.get(i)).segment(), tape.input(inputs.get(i)).segment(), slice);
            }
            copySlice(whole.labels(), tape.labels(), slice);
        }
        tape.forward(key, part);
        if (!Double.isFinite(tape.loss())) {
            throw new TrainingException("the loss is " + tape.loss() + " at step " + (steps + 1)
                    + ": lower the learning rate (" + progress.rate + " now)");
        }
        tape.backward(follower);
    }

    private static void copySlice(MemorySegment from, MemorySegment to, int slice) {
        MemorySegment.copy(from, slice * to.byteSize(), to, 0, to.byteSize());
    }

    /**
     * Ends the threads that load images; the network stays. What is closed already stays so.
     *
     * @throws IllegalStateException if another thread is in an epoch, which goes on
     */
    @Override
    public void close() {
        oneThread.enter();
        try {
            closed = true;
            update.close();
            batches.close();
        } finally {
            oneThread.exit();
        }
    }
}
