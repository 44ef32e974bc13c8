package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import java.lang.foreign.MemorySegment;

/**
 * A primitive with memory bound to its operands: running it is one downcall and allocates nothing.
 *
 * <p>Throws {@link IllegalStateException} once its region is closed. Two threads may not run it at the same time, nor
 * two executions that share a {@link Scratchpad} or an output.
 */
public final class Execution {
    private final MemorySegment primitive;
    private final MemorySegment stream;
    private final MemorySegment args;
    private final int count;
    private final String subject;
    private final boolean isReorder;

    Execution(MemorySegment primitive, MemorySegment args, int count, String subject, boolean isReorder) {
        this.primitive = primitive;
        this.stream = DnnlEngine.get().stream();
        this.args = args;
        this.count = count;
        this.subject = subject;
        this.isReorder = isReorder;
    }

    /** Computes the outputs from what the inputs hold now; outputs are overwritten, never added to. */
    public void run() {
        int status = dnnl_h.dnnl_primitive_execute(primitive, stream, count, args);
        if (status != 0) {
            throw Dnnl.failure(status, "dnnl_primitive_execute", subject);
        }
        if (isReorder) {
            Reorder.countExecution();
        }
    }

    @Override
    public String toString() {
        return subject;
    }
}
