package io.pare.infer;

/**
 * Is told of predictions, for the figures of a service. With Micrometer:
 *
 * <pre>{@code
 * model.listener((images, nanoseconds, liveBytes) -> {
 *     predictions.increment(images);
 *     latency.record(nanoseconds, TimeUnit.NANOSECONDS);
 *     memory.set(liveBytes);
 * });
 * }</pre>
 *
 * <p>It is called by each thread that predicts, so it must be thread-safe and quick.
 */
@FunctionalInterface
public interface PredictionListener {
    /**
     * A call is over that gave its answers; one that was refused is not told.
     *
     * @param images that the call predicted
     * @param nanoseconds that it took
     * @param liveBytes off-heap memory of all that this process holds by Pare, see {@link io.pare.mem.Region#liveBytes};
     *            predicting itself takes none
     */
    void predicted(int images, long nanoseconds, long liveBytes);
}
