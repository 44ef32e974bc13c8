package io.pare.mem;

/** Thrown when an allocation would take a {@link Region} past its cap; the message names both figures. */
public final class MemoryLimitException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MemoryLimitException(String region, long wantedBytes, long heldBytes, long capBytes) {
        super("region '" + region + "' may hold " + capBytes + " bytes; " + heldBytes + " are in use and " + wantedBytes
                + " more were asked for: raise the cap or use a smaller batch");
    }
}
