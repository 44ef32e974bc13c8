package io.pare.format.onnx;

import io.pare.file.FormatException;

/** What a file may ask for beside its own bytes, so that a small one cannot exhaust the memory. */
final class OnnxMemory implements OnnxTensors.Budget {
    /** No network needs more constants that are made up, and a few bytes can ask for them. */
    private static final long MOST_MADE = 1L << 28;

    private long made = MOST_MADE;
    private long left = Math.min(Runtime.getRuntime().maxMemory() / 4 * 3, Integer.MAX_VALUE);

    @Override
    public void take(long bytes) {
        left -= bytes;
        if (left < 0) {
            throw new FormatException("the network needs more memory than there is: the file is damaged, or Java"
                    + " needs more (-Xmx)");
        }
    }

    @Override
    public void make(long bytes) {
        take(bytes);
        made -= bytes;
        if (made < 0) {
            throw new FormatException("the file makes up constants of more than " + MOST_MADE
                    + " bytes: it is damaged, or save it with constants folded");
        }
    }
}
