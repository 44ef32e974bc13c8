package io.pare.natives;

/** A native call that returned an error status. */
public class NativeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The C function. */
    private final String call;
    /** What the call returned. */
    private final int status;

    /**
     * Makes an exception whose message has all four.
     *
     * @param call the C function
     * @param status its numeric status
     * @param statusText the library's name for the status
     * @param subject what was asked for: operation, shapes, layouts
     */
    public NativeException(String call, int status, String statusText, String subject) {
        super(call + ": " + statusText + " (" + status + ") [" + subject + "]");
        this.call = call;
        this.status = status;
    }

    /** {@return the C function that failed} */
    public final String call() {
        return call;
    }

    /** {@return the status that it returned} */
    public final int status() {
        return status;
    }
}
