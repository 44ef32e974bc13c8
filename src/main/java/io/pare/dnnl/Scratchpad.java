package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * Working memory that executions share; as large as the largest of them needs.
 *
 * <p>Executions that share one must not run at the same time. Not thread-safe while executions are being bound.
 */
public final class Scratchpad {
    private final LongFunction<MemorySegment> source;
    private final Consumer<MemorySegment> listener;
    private final List<MemorySegment> users = new ArrayList<>();
    private MemorySegment data;

    /** An empty scratchpad in {@code region}, which must live as long as the executions. */
    public Scratchpad(Region region) {
        this(region::allocate, used -> {
        });
    }

    /**
     * @param source gives the memory, as often as it has to grow
     * @param listener hears of the memory of every operand that executions are bound to
     */
    public Scratchpad(LongFunction<MemorySegment> source, Consumer<MemorySegment> listener) {
        this.source = source;
        this.listener = listener;
    }

    void bound(DnnlMemory operand) {
        listener.accept(operand.data());
    }

    /** A memory handle over this scratchpad, grown to {@code desc} if need be. */
    MemorySegment handle(Region owner, MemoryDesc desc) {
        if (sizeBytes() < desc.sizeBytes()) {
            data = source.apply(desc.sizeBytes());
            for (MemorySegment user : users) {
                Dnnl.check(dnnl_h.dnnl_memory_set_data_handle(user, data), "dnnl_memory_set_data_handle", desc);
            }
        }
        MemorySegment handle = Dnnl.owned(owner,
                out -> dnnl_h.dnnl_memory_create(out, desc.handle(), DnnlEngine.get().handle(), data),
                "dnnl_memory_create", dnnl_h::dnnl_memory_destroy, desc);
        users.add(handle);
        return handle;
    }

    /** Bytes that the largest user needs. */
    public long sizeBytes() {
        return data == null ? 0 : data.byteSize();
    }
}
