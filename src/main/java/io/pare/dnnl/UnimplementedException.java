package io.pare.dnnl;

import io.pare.natives.NativeException;

/** oneDNN has no kernel for a combination of operation, shape and layout on this machine: compute it another way. */
public final class UnimplementedException extends NativeException {
    private static final long serialVersionUID = 1L;

    UnimplementedException(String call, int status, String statusText, String subject) {
        super(call, status, statusText, subject);
    }
}
