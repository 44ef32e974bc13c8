package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import io.pare.natives.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What every wrapper of this package shares: status checks and out-pointers. */
final class Dnnl {
    /** A C function whose first argument receives a new handle. */
    @FunctionalInterface
    interface Create {
        int into(MemorySegment handle);
    }

    /** A C function that destroys a handle. */
    @FunctionalInterface
    interface Destroy {
        int handle(MemorySegment handle);
    }

    private Dnnl() {}

    static void check(int status, String call, Object subject) {
        if (status != 0) {
            throw failure(status, call, subject);
        }
    }

    static NativeException failure(int status, String call, Object subject) {
        String text = statusText(status);
        return status == dnnl_h.dnnl_unimplemented()
                ? new UnimplementedException(call, status, text, subject.toString())
                : new NativeException(call, status, text, subject.toString());
    }

    private static String statusText(int status) {
        if (status == dnnl_h.dnnl_out_of_memory()) {
            return "out of memory";
        }
        if (status == dnnl_h.dnnl_invalid_arguments()) {
            return "invalid arguments";
        }
        if (status == dnnl_h.dnnl_unimplemented()) {
            return "unimplemented";
        }
        return status == dnnl_h.dnnl_runtime_error() ? "runtime error" : "unknown status";
    }

    /** Calls {@code create} and returns the handle that it made. */
    static MemorySegment create(Create create, String call, Object subject) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            check(create.into(out), call, subject);
            return out.get(ValueLayout.ADDRESS, 0);
        }
    }

    /**
     * As {@link #create}, and leaves it to the region to destroy the handle. What it returns is the region's like its
     * memory: a call that takes it keeps the region open, and after the region's close it is refused.
     */
    static MemorySegment owned(Region region, Create create, String call, Destroy destroy, Object subject) {
        MemorySegment handle = create(create, call, subject);
        region.own(() -> check(destroy.handle(handle), call.replace("_create", "_destroy"), subject));
        return sized(handle, 0, region);
    }

    static MemorySegment dims(Arena arena, long... dims) {
        return arena.allocateFrom(ValueLayout.JAVA_LONG, dims);
    }

    /** What oneDNN points to and never frees. */
    @SuppressWarnings("restricted")
    static MemorySegment sized(MemorySegment pointer, long bytes) {
        return pointer.reinterpret(bytes);
    }

    /** What oneDNN points to and frees with a handle of the region. */
    @SuppressWarnings("restricted")
    static MemorySegment sized(MemorySegment pointer, long bytes, Region region) {
        return pointer.reinterpret(bytes, region.arena(), null);
    }
}
