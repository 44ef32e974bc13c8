package io.pare.natives;

/** A native call that returned an error status. */
public class NativeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int status;

    /**
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

    /** The C function that failed. */
    public final String call() {
        return call;
    }

    /** The status that it returned. */
    public final int status() {
        return status;
    }
}
