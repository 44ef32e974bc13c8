package io.pare.file;

import java.nio.channels.ClosedByInterruptException;

/**
 * Lets a thread that is interrupted finish with a file. Channels close when an interrupt comes, which says nothing of the
 * file.
 */
public final class Uninterrupted {
    private Uninterrupted() {}

    /**
     * What can begin anew.
     *
     * @param <E> what it may fail with
     */
    @FunctionalInterface
    public interface Work<E extends Exception> {
        /**
         * Reads or writes a file, from its beginning.
         *
         * @throws E if it fails
         */
        void run() throws E;
    }

    /**
     * Does what an interrupt, earlier or meanwhile, shall not hinder; the interrupt is there again at the end.
     *
     * @param <E> what the work may fail with
     * @param work begins once more where an interrupt has closed its channel
     * @throws E if the work fails for another reason
     */
    public static <E extends Exception> void run(Work<E> work) throws E {
        boolean interrupted = Thread.interrupted();
        try {
            work.run();
        } catch (Exception e) {
            if (!closedByInterrupt(e) || !Thread.interrupted()) {
                throw e;
            }
            interrupted = true;
            work.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static boolean closedByInterrupt(Exception e) {
        return e instanceof ClosedByInterruptException || e.getCause() instanceof ClosedByInterruptException;
    }
}
