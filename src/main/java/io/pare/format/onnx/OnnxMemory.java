package io.pare.format.onnx;

import io.pare.file.FormatException;

/** What a file may ask for beside its own bytes, so that a small one cannot exhaust the memory. */
final class OnnxMemory implements OnnxTensors.Budget {
    private long left = Math.min(Runtime.getRuntime().maxMemory() / 4 * 3, Integer.MAX_VALUE);

    @Override
    public void take(long bytes) {
        left -= bytes;
        if (left < 0) {
            throw new FormatException("the network needs more memory than there is: the file is damaged, or Java"
                    + " needs more (-Xmx)");
        }
    }
}
