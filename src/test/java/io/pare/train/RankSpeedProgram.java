package io.pare.train;

import io.pare.compress.DividedSets;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * What {@link RankSpeedTest} starts in several processes: times of training steps, and of sums of floats.
 *
 * <p>Candidates take turns of a few steps in the same processes, so that all see the same minutes of the machine. In the turn of
 * one that needs a single process the others sleep.
 */
final class RankSpeedProgram {
    /** Seconds of turns that are not measured: the JIT does its work in them. */
    private static final double WARM_UP = 8;
    private static final int ROUNDS = 5;
    private static final int SETS = 40;
    private static final int[] FLOATS = {256, 4096, 65_536, 262_144, 1_048_576};
    /** So that who sleeps takes nothing from who is measured. */
    private static final long LOOK_NANOS = 2_000_000;

    private final Ranks ranks;
    private final Transfer meeting;

    private RankSpeedProgram(Ranks ranks, Region region) {
        this.ranks = ranks;
        this.meeting = ranks.spread(region.allocate(ranks.size()));
    }

    /**
     * {@code turns MODEL BATCH STEPS} and what else takes turns of so many steps, each of {@code threads:N}, {@code part:N},
     * {@code dense} and {@code masked}; or {@code link}; or {@code sets MODEL}.
     */
    public static void main(String[] args) {
        Ranks ranks = Ranks.world();
        try (Region region = Region.shared("speed")) {
            if (args[0].equals("link")) {
                link(ranks, region);
            } else if (args[0].equals("sets")) {
                sets(ranks, args[1]);
            } else {
                new RankSpeedProgram(ranks, region).turns(Models.byName(args[1]), Integer.parseInt(args[2]),
                        Integer.parseInt(args[3]), List.of(args).subList(4, args.length));
            }
        }
        Ranks.leave(0);
    }

    private void turns(Net model, int batch, int steps, List<String> names) {
        List<Candidate> candidates = new ArrayList<>();
        try (Region region = Region.shared("masks")) {
            for (String name : names) {
                String[] words = name.split(":");
                Candidate made = switch (words[0]) {
                    case "threads" -> alone(name, model, batch, steps, Integer.parseInt(words[1]));
                    case "part" -> alone(name, model, batch / Integer.parseInt(words[1]), steps, 1);
                    case "dense" -> new Candidate(name, ranks, model, batch, steps, 1, null);
                    case "masked" -> new Candidate(name, ranks, model, batch, steps, 1, region);
                    default -> throw new IllegalArgumentException(name);
                };
                candidates.add(made);
            }
            long begin = System.nanoTime();
            byte[] more = {1};
            while (more[0] == 1) {
                candidates.forEach(this::turn);
                more = ranks.fromFirst(new byte[]{(byte) (System.nanoTime() - begin < WARM_UP * 1e9 ? 1 : 0)});
            }
            candidates.forEach(Candidate::forget);
            for (int round = 0; round < ROUNDS; round++) {
                candidates.forEach(this::turn);
            }
            if (ranks.first()) {
                candidates.forEach(Candidate::tell);
            }
        } finally {
            candidates.forEach(Candidate::close);
        }
    }

    /** One that the other processes sleep through, and need not make. */
    private Candidate alone(String name, Net model, int batch, int steps, int threads) {
        return new Candidate(name, ranks.first() ? Ranks.alone() : null, model, batch, steps, threads, null);
    }

    private void turn(Candidate candidate) {
        meeting.start();
        while (!meeting.test()) {
            LockSupport.parkNanos(LOOK_NANOS);
        }
        if (candidate.of == ranks) {
            // Who slept is awake when all begin.
            ranks.gather(new byte[0]);
        }
        candidate.turn();
    }

    /** Processes, or one of them, that train a network of their own. */
    private static final class Candidate implements Trainer.StepListener, AutoCloseable {
        private final String name;
        private final Ranks of;
        private final int threads;
        private final Network network;
        private final Trainer trainer;
        private double[] seconds = {};
        private int count;
        private long last;
        private double waited;
        private double all;

        /** Of no processes it does nothing. */
        Candidate(String name, Ranks of, Net model, int batch, int steps, int threads, Region masks) {
            this.name = name;
            this.of = of;
            this.threads = threads;
            if (of == null) {
                this.network = null;
                this.trainer = null;
                return;
            }
            NativeThreads.set(threads);
            Shape input = model.input();
            Dataset data = Dataset.synthetic("noise", steps * batch, input.channels(), input.height(), input.width(),
                    model.classes(), 1);
            this.network = Network.create(model, 1, Natives.enabled()).on(of, Reduction.USUAL);
            if (masks != null) {
                RankTrainingProgram.mask(network, masks);
            }
            this.trainer = new Trainer(network, data, InputScale.UNIT,
                    new TrainingSettings(batch, Optimizer.sgd(0.9, 0), false, Augmentation.NONE, null, 1));
        }

        void forget() {
            count = 0;
            waited = 0;
            all = 0;
        }

        void turn() {
            if (trainer == null) {
                return;
            }
            NativeThreads.set(threads);
            last = System.nanoTime();
            long from = last;
            trainer.epoch(0, 0, done -> 1e-4, this);
            all += (System.nanoTime() - from) / 1e9;
            waited += trainer.waitedSeconds();
        }

        @Override
        public boolean afterUpdate(Trainer.Progress progress) {
            long now = System.nanoTime();
            if (count == seconds.length) {
                seconds = Arrays.copyOf(seconds, 2 * count + 64);
            }
            seconds[count++] = (now - last) / 1e9;
            last = now;
            return true;
        }

        /** Prints the steps, their median and least time, the share of it in waiting, and the bytes that a step sends. */
        void tell() {
            double[] sorted = Arrays.copyOf(seconds, count);
            Arrays.sort(sorted);
            System.out.printf(Locale.ROOT, "%s %d %.9f %.9f %.4f %d%n", name, count, sorted[count / 2], sorted[0],
                    waited / all, trainer.bytesPerStep());
        }

        @Override
        public void close() {
            if (trainer != null) {
                trainer.close();
                network.close();
            }
        }
    }

    /** Prints what steps of Z and U take, of all weights in one set and in one for each tensor. */
    private static void sets(Ranks ranks, String model) {
        List<long[]> shapes;
        try (Network network = Network.create(Models.byName(model), 1, false)) {
            shapes = network.weights().stream().filter(Weight::decays).map(weight -> weight.value().shape()).toList();
        }
        DividedSets.measure(ranks, model + ", top-k over all", shapes, true, SETS);
        DividedSets.measure(ranks, model + ", 16 values each", shapes, false, SETS);
    }

    /** Prints the median time of a sum, by its bytes. */
    private static void link(Ranks ranks, Region region) {
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
