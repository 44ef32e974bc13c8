package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Working memory that executions share; as large as the largest of them needs.
 *
 * <p>Executions that share one must not run at the same time. Not thread-safe while executions are being bound.
 */
public final class Scratchpad {
    private final Region region;
    private final List<MemorySegment> users = new ArrayList<>();
    private MemorySegment data;

    /** An empty scratchpad in {@code region}, which must live as long as the executions. */
    public Scratchpad(Region region) {
        this.region = region;
        this.data = region.allocate(0);
    }

    /** A memory handle over this scratchpad, grown to {@code desc} if need be. */
    MemorySegment handle(Region owner, MemoryDesc desc) {
        if (data.byteSize() < desc.sizeBytes()) {
            data = region.allocate(desc.sizeBytes());
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
        return data.byteSize();
    }
}
