package io.pare.bench;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
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
    /** Of warming up. */
    private static final int MOST_ROUNDS = 12;
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
     * Runs until the JIT has nothing left to compile, so many seconds of each candidate at a time: on a busy core that
     * takes longer than any time that one could name.
     */
    void warmUp(double seconds) throws Throwable {
        CompilationMXBean jit = ManagementFactory.getCompilationMXBean();
        int idle = 0;
        for (int round = 0; round < MOST_ROUNDS && idle < 2; round++) {
            long start = System.nanoTime();
            long compiled = jit.getTotalCompilationTime();
            run(seconds);
            double share = (jit.getTotalCompilationTime() - compiled) * 1e6 / (System.nanoTime() - start);
            idle = share < BUSY ? idle + 1 : 0;
        }
        candidates.values().forEach(Candidate::forget);
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
