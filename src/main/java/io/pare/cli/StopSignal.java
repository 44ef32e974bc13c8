package io.pare.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets a run end in good order when Ctrl-C or SIGTERM comes: the JVM waits, for a while, until the run has saved.
 *
 * <p>One thread runs and closes; the JVM's shutdown sets the signal.
 */
final class StopSignal implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 15;

    private final CountDownLatch saved = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stop, "pare-stop");
    private volatile boolean asked;

    StopSignal() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Whether the run shall stop. */
    boolean asked() {
        return asked;
    }

    /** Lets the JVM go. */
    @Override
    public void close() {
        saved.countDown();
        if (!asked) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The JVM is going down already; the hook finds the run saved.
            }
        }
    }

    private void stop() {
        asked = true;
        try {
            if (!saved.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("pare: the run did not stop in " + PATIENCE_SECONDS
                        + " s; the last checkpoint stays good");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
