package io.pare.train;

import java.util.List;

/**
 * What a training step costs in several processes: compute, bytes and latency.
 *
 * <p>Each rank computes its part of a batch, and the ranks of a machine share its processors. Buckets of gradients are summed one
 * after the other. Where the network moves bytes by itself, the backward pass hides them but for the last bucket, which it ends with
 * (Li et al., 2006.15704, section 3.2). In shared memory the processors that compute copy, and nothing is hidden.
 *
 * @param pass seconds of a pass whatever its samples, with the optimiser's step
 * @param sample seconds of each sample
 * @param buckets bytes of each, in the order in which they are sent; the last has the report of the step
 */
record StepCost(double pass, double sample, List<Long> buckets) {
    /** Share of a pass that goes backward: two products of matrices for one. */
    private static final double BACKWARD = 2.0 / 3;

    /**
     * What joins ranks.
     *
     * @param latency seconds of a message whatever its bytes
     * @param bytesPerSecond of one direction
     * @param aside whether bytes move while processors compute
     */
    record Link(double latency, double bytesPerSecond, boolean aside) {
        /** Latency and rate by the times of sums of few and of many bytes over two ranks. */
        static Link of(long few, double fewSeconds, long many, double manySeconds, boolean aside) {
            double each = (manySeconds - fewSeconds) / (many - few);
            return new Link(Math.max(0, fewSeconds - each * few) / 2, 1 / each, aside);
        }

        /**
         * Seconds of a sum over all ranks: in a ring, or where that has too many messages by doubling distances (Thakur,
         * Rabenseifner, Gropp 2005, sections 4.4 and 4.5).
         */
        double sum(long bytes, int ranks) {
            double ring = 2.0 * (ranks - 1) * (latency + bytes / bytesPerSecond / ranks);
            int doublings = 32 - Integer.numberOfLeadingZeros(ranks - 1);
            return Math.min(ring, 2 * doublings * (latency + bytes / bytesPerSecond));
        }
    }

    /** A line through the times of one process by two sizes of a batch. */
    static StepCost of(int few, double fewSeconds, int many, double manySeconds, List<Long> buckets) {
        double sample = (manySeconds - fewSeconds) / (many - few);
        return new StepCost(fewSeconds - sample * few, sample, buckets);
    }

    /** Seconds in which a rank computes. */
    double compute(double samples) {
        return pass + sample * samples;
    }

    /** Seconds in which a rank waits for sums. */
    double waiting(double samples, int ranks, Link link) {
        if (ranks == 1) {
            return 0;
        }
        double all = buckets.stream().mapToDouble(bytes -> link.sum(bytes, ranks)).sum();
        double last = link.sum(buckets.getLast(), ranks);
        return link.aside() ? Math.max(last, all - BACKWARD * sample * samples) : all;
    }

    /**
     * Seconds of a step.
     *
     * @param batch samples of all ranks together
     * @param ranks of one thread
     * @param processors of each machine for the ranks that it has, divided by their number; at most 1
     */
    double seconds(int batch, int ranks, double processors, Link link) {
        double samples = (double) batch / ranks;
        return (compute(samples) + (link.aside() ? 0 : waiting(samples, ranks, link))) / processors
                + (link.aside() ? waiting(samples, ranks, link) : 0);
    }
}
