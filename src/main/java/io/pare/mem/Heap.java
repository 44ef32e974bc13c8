package io.pare.mem;

/** Whether what a file declares fits into the JVM's heap: asked before anything is allocated on its word. */
public final class Heap {
    private Heap() {}

    /**
     * {@return whether so many bytes leave a quarter of the largest heap for everything else}
     *
     * @param bytes what is about to be allocated on the heap
     */
    public static boolean holds(long bytes) {
        return bytes <= Runtime.getRuntime().maxMemory() / 4 * 3;
    }

    /**
     * {@return the end of a sentence that says that something takes so many bytes: what there is, and what to do}
     *
     * @param bytes what is about to be allocated on the heap
     */
    public static String shortage(long bytes) {
        return "takes " + megabytes(bytes) + " MB of a heap of " + megabytes(Runtime.getRuntime().maxMemory())
                + " MB: give Java more, by -Xmx";
    }

    private static long megabytes(long bytes) {
        return Math.ceilDiv(bytes, 1L << 20);
    }
}
