package io.pare.train;

import io.pare.data.Augmentation;
import io.pare.data.Dataset;
import io.pare.descent.Optimizer;
import io.pare.mem.Region;
import io.pare.mpi.Ranks;
import io.pare.mpi.Transfer;
import io.pare.natives.NativeThreads;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Shape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What {@link RankSpeedTest} starts in one or several processes: times of training steps, and of sums of floats. */
final class RankSpeedProgram {
    /** Seconds until the JIT has done its work, then seconds of measuring. */
    private static final double WARM_UP = 12;
    private static final double MEASURED = 8;
    private static final int STEPS = 20;
    private static final int[] FLOATS = {256, 4096, 65_536, 262_144, 1_048_576};

    private RankSpeedProgram() {}

    /** {@code step MODEL BATCH THREADS DENSE|MASKED}, or {@code link}. */
    public static void main(String[] args) {
        Ranks ranks = Ranks.world();
        if (args[0].equals("link")) {
            link(ranks);
        } else {
            NativeThreads.set(Integer.parseInt(args[3]));
            step(ranks, Models.byName(args[1]), Integer.parseInt(args[2]), args[4].equals("masked"));
        }
        Ranks.leave(0);
    }

    /** Prints the median and the least time of a step, the share of it in waiting, and the bytes that it sends. */
    private static void step(Ranks ranks, Net model, int batch, boolean masked) {
        Shape input = model.input();
        Dataset data = Dataset.synthetic("noise", STEPS * batch, input.channels(), input.height(), input.width(),
                model.classes(), 1);
        TrainingSettings settings =
                new TrainingSettings(batch, Optimizer.sgd(0.9, 0), false, Augmentation.NONE, null, 1);
        try (Region region = Region.shared("masks");
                Network network = Network.create(model, 1, Natives.enabled()).on(ranks, Reduction.USUAL)) {
            if (masked) {
                RankTrainingProgram.mask(network, region);
            }
            try (Trainer trainer = new Trainer(network, data, InputScale.UNIT, settings)) {
                Clock clock = new Clock(trainer);
                clock.epochsOf(ranks, WARM_UP);
                clock.epochsOf(ranks, MEASURED);
                if (ranks.first()) {
                    System.out.printf(Locale.ROOT, "%s %.9f %.9f %.4f %d%n", model.name(), clock.median(),
                            clock.least(),
                            clock.waited / clock.all, trainer.bytesPerStep());
                }
            }
        }
    }

    /** Times the steps of epochs. */
    private static final class Clock implements Trainer.StepListener {
        private final Trainer trainer;
        private double[] seconds = {};
        private int count;
        private long last;
        private double waited;
        private double all;

        Clock(Trainer trainer) {
            this.trainer = trainer;
        }

        /** Trains for so long, as the first rank's clock has it. */
        void epochsOf(Ranks ranks, double time) {
            seconds = new double[1 << 20];
            count = 0;
            waited = 0;
            all = 0;
            long begin = System.nanoTime();
            byte[] more = {1};
            while (more[0] == 1) {
                last = System.nanoTime();
                long from = last;
                trainer.epoch(0, 0, done -> 1e-4, this);
                all += (System.nanoTime() - from) / 1e9;
                waited += trainer.waitedSeconds();
                more = ranks.fromFirst(new byte[]{(byte) (System.nanoTime() - begin < time * 1e9 ? 1 : 0)});
            }
            seconds = Arrays.copyOf(seconds, count);
            Arrays.sort(seconds);
        }

        @Override
        public boolean afterUpdate(Trainer.Progress progress) {
            long now = System.nanoTime();
            seconds[count++] = (now - last) / 1e9;
            last = now;
            return true;
        }

        double median() {
            return seconds[seconds.length / 2];
        }

        double least() {
            return seconds[0];
        }
    }

    /** Prints the median time of a sum, by its bytes. */
    private static void link(Ranks ranks) {
        try (Region region = Region.shared("floats")) {
            String times = Arrays.stream(FLOATS).mapToObj(count -> {
                MemorySegment floats = region.allocate((long) count * Float.BYTES);
                Transfer sum = ranks.sum(floats);
                double[] seconds = new double[count > 100_000 ? 100 : 400];
                for (int i = 0; i < seconds.length; i++) {
                    ranks.gather(new byte[0]);
                    long from = System.nanoTime();
                    sum.start();
                    sum.await();
                    seconds[i] = (System.nanoTime() - from) / 1e9;
                }
                Arrays.sort(seconds);
                return String.format(Locale.ROOT, "%d:%.9f", count * Float.BYTES, seconds[seconds.length / 2]);
            }).collect(Collectors.joining(" "));
            if (ranks.first()) {
                System.out.println("link " + times);
            }
        }
    }
}
