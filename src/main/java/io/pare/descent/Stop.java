package io.pare.descent;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * When a job stops before it is done, looked at after each step: when its thread is interrupted, in any case, and when
 * its deadline has come or its owner says so.
 *
 * <p>The interrupt stays set, for whoever started the thread. Immutable; as thread-safe as the question that it asks.
 */
public final class Stop {
    /** By an interrupt alone. */
    public static final Stop BY_INTERRUPT = new Stop(() -> null);

    private final Question question;

    /** Gives why to stop; {@code null} to go on. */
    private interface Question {
        @Nullable
        String reason();
    }

    private Stop(Question question) {
        this.question = question;
    }

    /**
     * Also when this says so, which any thread may bring about.
     *
     * @param asked is asked after each step, by the thread of the job
     * @return what stops for either
     */
    public Stop when(BooleanSupplier asked) {
        return or(() -> asked.getAsBoolean() ? "it was asked to stop" : null);
    }

    /**
     * Also when so much time is over, from now on.
     *
     * @param time to the deadline
     * @return what stops for either
     */
    public Stop after(Duration time) {
        long deadline = System.nanoTime() + time.toNanos();
        return or(() -> System.nanoTime() - deadline >= 0 ? "its deadline has come" : null);
    }

    private Stop or(Question next) {
        return new Stop(() -> {
            String reason = question.reason();
            return reason != null ? reason : next.reason();
        });
    }

    /**
     * Why the job of this thread is to stop.
     *
     * @return the end of a sentence; {@code null} if it is to go on
     */
    public @Nullable String reason() {
        return Thread.currentThread().isInterrupted() ? "its thread was interrupted" : question.reason();
    }

    /**
     * Ends the job of this thread if it is to stop.
     *
     * @throws StoppedException saying why
     */
    public void check() {
        String reason = reason();
        if (reason != null) {
            throw new StoppedException("stopped: " + reason);
        }
    }
}
