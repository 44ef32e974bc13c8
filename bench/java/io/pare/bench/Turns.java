package io.pare.bench;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Candidates that are measured in turns in one process, so that a change of the machine's mood hits all of them. */
final class Turns {
    /** Something to time. */
    interface Call {
        void run() throws Throwable;
    }

    /** Seconds of one call. */
    record Times(double median, double least, int runs) {
        static Times of(double... seconds) {
            double[] sorted = seconds.clone();
            Arrays.sort(sorted);
            return new Times(sorted[sorted.length / 2], sorted[0], sorted.length);
        }
    }

    private static final int FEWEST = 2;
    /** Rounds of warming up in which nothing changes, at the least, and the most that it takes. */
    private static final int STILL = 3;
    private static final double MOST_SECONDS = 60;
    /** What counts as faster. */
    private static final double FASTER = 0.9;
    /** The share of the time that the JIT has when it has work. */
    private static final double BUSY = 0.03;

    private final Map<String, Candidate> candidates = new LinkedHashMap<>();
    private final double block;

    /** One call a turn. */
    Turns() {
        this(0);
    }

    /**
     * So many seconds a turn. Its first call is not timed: it brings back the caches, and the threads of the candidate
     * before may still spin.
     */
    Turns(double block) {
        this.block = block;
    }

    private static final class Candidate {
        private final Call before;
        private final Call call;
        private double[] times = new double[64];
        private int runs;
        private int turns;
        private double spent;

        Candidate(Call before, Call call) {
            this.before = before;
            this.call = call;
        }

        void take(double block) throws Throwable {
            before.run();
            if (block > 0) {
                call.run();
            }
            turns++;
            double taken = 0;
            do {
                long start = System.nanoTime();
                call.run();
                double time = (System.nanoTime() - start) * 1e-9;
                if (runs == times.length) {
                    times = Arrays.copyOf(times, 2 * runs);
                }
                times[runs++] = time;
                taken += time;
            } while (taken < block);
            spent += taken;
        }

        void forget() {
            runs = 0;
            turns = 0;
            spent = 0;
        }
    }

    void put(String name, Call call) {
        put(name, () -> {
            // Nothing to do before a turn.
        }, call);
    }

    /** With what a turn begins with, which is not timed. */
    void put(String name, Call before, Call call) {
        candidates.put(name, new Candidate(before, call));
    }

    /**
     * Runs, so many seconds of each candidate at a time, until none has become faster and the JIT has had nothing to do
     * for some rounds. Neither alone is enough: the JVM counts a compilation when it is done, and on a busy core one takes
     * seconds.
     */
    void warmUp(double seconds) throws Throwable {
        CompilationMXBean jit = ManagementFactory.getCompilationMXBean();
        Map<Candidate, Double> best = new HashMap<>();
        long end = System.nanoTime() + (long) (MOST_SECONDS * 1e9);
        for (int still = 0; still < STILL && System.nanoTime() < end; still++) {
            long start = System.nanoTime();
            long compiled = jit.getTotalCompilationTime();
            run(seconds);
            if ((jit.getTotalCompilationTime() - compiled) * 1e6 > BUSY * (System.nanoTime() - start)) {
                still = -1;
            }
            for (Candidate candidate : candidates.values()) {
                double median = Times.of(Arrays.copyOf(candidate.times, candidate.runs)).median();
                if (median < FASTER * best.getOrDefault(candidate, Double.POSITIVE_INFINITY)) {
                    best.put(candidate, median);
                    still = -1;
                }
                candidate.forget();
            }
        }
    }

    /** Runs until each has had its time, twice at least, and forgets the candidates. */
    Map<String, Times> measure(double seconds) throws Throwable {
        run(seconds);
        Map<String, Times> times = new LinkedHashMap<>();
        candidates.forEach((name, candidate) -> times.put(name,
                Times.of(Arrays.copyOf(candidate.times, candidate.runs))));
        candidates.clear();
        return times;
    }

    private void run(double seconds) throws Throwable {
        boolean more = true;
        while (more) {
            more = false;
            for (Candidate candidate : candidates.values()) {
                if (candidate.turns < FEWEST || candidate.spent < seconds) {
                    candidate.take(block);
                    more = true;
                }
            }
        }
    }
}
