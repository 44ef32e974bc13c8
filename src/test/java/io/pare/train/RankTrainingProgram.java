package io.pare.train;

import io.pare.data.Augmentation;
import io.pare.data.Crop;
import io.pare.data.Dataset;
import io.pare.data.Shift;
import io.pare.data.Warp;
import io.pare.descent.Optimizer;
import io.pare.exec.backend.Precision;
import io.pare.kernel.Bits;
import io.pare.mem.Region;
import io.pare.mpi.Ranks;
import io.pare.mpi.RanksException;
import io.pare.natives.NativeThreads;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/** What {@link RankTrainingTest} starts in several processes: the last one prints how far results are from those of one. */
final class RankTrainingProgram {
    private static final Net NORMED = new NetBuilder("normed", Shape.of(1, 28, 28)).conv("conv1", 8, 3, 2, 1, true)
            .norm("norm1").relu("relu1").conv("conv2", 8, 3, 2, 1, false).norm("norm2").relu("relu2").flatten("flatten")
            .dropout("drop", 0.5f).linear("fc1", 10).build();
    private static final int BATCH = 64;
    private static final Trainer.StepListener NOTHING = new Trainer.StepListener() {};

    private final Ranks ranks;
    private final Dataset data = Dataset.synthetic("noise", 6 * BATCH + 17, 1, 28, 28, 10, 1);

    private RankTrainingProgram(Ranks ranks) {
        this.ranks = ranks;
    }

    public static void main(String[] args) {
        NativeThreads.set(1);
        Ranks ranks = Ranks.world();
        RankTrainingProgram program = new RankTrainingProgram(ranks);
        int size = ranks.size();
        float[] reference = program.train(NORMED, Ranks.alone(), Reduction.USUAL, size);
        program.say("usual", reference, program.train(NORMED, ranks, Reduction.USUAL, 1));
        Reduction ordered = new Reduction(true, Precision.FP32);
        float[] inOrder = program.train(NORMED, ranks, ordered, 1);
        program.say("in order", reference, inOrder);
        program.say("in order again", inOrder, program.train(NORMED, ranks, ordered, 1));
        Reduction half = new Reduction(false, Precision.BF16);
        program.say("bf16", reference, program.train(NORMED, ranks, half, 1));
        program.say("accumulated", program.train(NORMED, Ranks.alone(), Reduction.USUAL, 2 * size),
                program.train(NORMED, ranks, Reduction.USUAL, 2));
        program.wholeBatch();
        program.masked(Reduction.USUAL);
        program.masked(ordered);
        program.evaluations();
        program.stops();
        program.slow();
        program.differs();
        Ranks.leave(0);
    }

    private Trainer trainer(Network network, int passes) {
        return new Trainer(network, data, InputScale.UNIT, new TrainingSettings(BATCH, Optimizer.sgd(0.9, 0), true,
                new Augmentation(new Shift(2, false), Crop.CENTER, false, Warp.NONE), null, 3,
                Precision.FP32, passes, 0, false));
    }

    private float[] train(Net net, Ranks on, Reduction by, int passes) {
        return train(net, on, by, passes, Natives.enabled());
    }

    /** In plain Java at all ranks, for oneDNN rounds the sums of its normalisations otherwise. */
    private void wholeBatch() {
        float[] reference = train(NORMED, Ranks.alone(), Reduction.USUAL, 1, false);
        say("whole batch", reference, train(NORMED, ranks, new Reduction(true, Precision.FP32, true), 1, false));
        say("parts", reference, train(NORMED, ranks, Reduction.USUAL, 1, false));
    }

    private float[] train(Net net, Ranks on, Reduction by, int passes, boolean natives) {
        try (Network network = Network.create(net, 1, natives).on(on, by);
                Trainer trainer = trainer(network, passes)) {
            trainer.epoch(0, 0, done -> 1e-2, NOTHING);
            return values(network, trainer.progress().loss());
        }
    }

    private static float[] values(Network network, double loss) {
        float[] all = {(float) loss};
        for (Weight weight : network.weights()) {
            float[] more = weight.value().toArray();
            all = Arrays.copyOf(all, all.length + more.length);
            System.arraycopy(more, 0, all, all.length - more.length, more.length);
        }
        return all;
    }

    /** LeNet-5 with one weight in 167. */
    private void masked(Reduction by) {
        float[] reference;
        try (Region region = Region.shared("masks"); Network network = Network.create(Models.lenet5(), 1, true)) {
            mask(network, region);
            try (Trainer trainer = trainer(network, ranks.size())) {
                trainer.epoch(0, 0, done -> 1e-2, NOTHING);
                reference = values(network, trainer.progress().loss());
            }
        }
        try (Region region = Region.shared("masks");
                Network network = Network.create(Models.lenet5(), 1, true).on(ranks, by)) {
            try (Trainer trainer = trainer(network, 1)) {
                long dense = trainer.bytesPerStep();
                mask(network, region);
                trainer.epoch(0, 0, done -> 1e-2, NOTHING);
                say("masked", reference, values(network, trainer.progress().loss()));
                line(String.format(Locale.ROOT, "bytes %d of %d", trainer.bytesPerStep(), dense));
            }
        }
    }

    static void mask(Network network, Region region) {
        Random random = new Random(2);
        for (Weight weight : network.weights()) {
            if (weight.decays()) {
                MemorySegment bits = region.allocate(Bits.bytes(weight.value().count()));
                for (long i = 0; i < weight.value().count(); i++) {
                    if (random.nextInt(167) == 0) {
                        byte octet = bits.get(ValueLayout.JAVA_BYTE, i >> 3);
                        bits.set(ValueLayout.JAVA_BYTE, i >> 3, (byte) (octet | 1 << (i & 7)));
                    }
                }
                weight.mask(new Bits(bits, 0));
            }
        }
    }

    private void evaluations() {
        try (Network alone = Network.create(NORMED, 1, true);
                Network together = Network.create(NORMED, 1, true).on(ranks, Reduction.USUAL)) {
            Dataset larger = Dataset.synthetic("noise", 1300, 1, 28, 28, 10, 2);
            Evaluation expected = Evaluation.of(alone, larger, InputScale.UNIT);
            Evaluation found = Evaluation.of(together, larger, InputScale.UNIT);
            line("evaluation " + (expected.score() == found.score() && expected.samples() == found.samples()
                    && Math.abs(expected.loss() - found.loss()) < 1e-9));
        }
    }

    /** The first rank wishes to stop in its third step. */
    private void stops() {
        try (Network network = Network.create(NORMED, 1, true).on(ranks, Reduction.USUAL);
                Trainer trainer = trainer(network, 1)) {
            trainer.epoch(0, 0, done -> 1e-2, new Trainer.StepListener() {
                @Override
                public boolean afterUpdate(Trainer.Progress progress) {
                    if (ranks.first() && progress.batch() == 3) {
                        trainer.wishToStop();
                    }
                    return !trainer.stops();
                }
            });
            line("stopped after " + trainer.progress().batch());
        }
    }

    /** The last rank takes much longer for each step than the others. */
    private void slow() {
        try (Network network = Network.create(NORMED, 1, true).on(ranks, Reduction.USUAL);
                Trainer trainer = trainer(network, 1)) {
            trainer.epoch(0, 0, done -> 1e-2, new Trainer.StepListener() {
                @Override
                public void beforeUpdate(int batch, int batches) {
                    if (ranks.rank() == ranks.size() - 1) {
                        LockSupport.parkNanos(150_000_000);
                    }
                }
            });
            line(String.valueOf(trainer.slow()));
        }
    }

    /** The first rank's weights change behind the back of all others. */
    private void differs() {
        try (Network network = Network.create(NORMED, 1, true).on(ranks, Reduction.USUAL);
                Trainer trainer = trainer(network, 1)) {
            if (ranks.first()) {
                network.value("fc1.weight").set(0, 7);
            }
            trainer.epoch(0, 0, done -> 1e-2, NOTHING);
            line("no difference was seen");
        } catch (RanksException e) {
            line(e.getMessage());
        }
    }

    private void say(String name, float[] expected, float[] found) {
        double most = expected.length == found.length ? 0 : Double.NaN;
        for (int i = 0; i < Math.min(expected.length, found.length); i++) {
            most = Math.max(most, Math.abs((double) expected[i] - found[i]));
        }
        line(name + " " + most);
    }

    private void line(String text) {
        if (ranks.rank() == ranks.size() - 1) {
            System.out.println(text);
        }
    }
}
