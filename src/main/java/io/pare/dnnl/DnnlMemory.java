package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;

/**
 * Off-heap memory with a layout, as primitives take it. Lives as long as its region; as thread-safe as its memory.
 *
 * <p>oneDNN keeps the address only: the memory must outlive every execution that is bound to it.
 */
public final class DnnlMemory {
    private final MemoryDesc desc;
    private final MemorySegment handle;
    private MemorySegment data;

    private DnnlMemory(Region region, MemoryDesc desc, MemorySegment data) {
        checkSize(desc, data);
        this.desc = desc;
        this.data = data;
        this.handle = Dnnl.owned(region,
                out -> dnnl_h.dnnl_memory_create(out, desc.handle(), DnnlEngine.get().handle(), data),
                "dnnl_memory_create", dnnl_h::dnnl_memory_destroy, desc);
    }

    /** Allocates zeroed memory for {@code desc}. */
    public static DnnlMemory allocate(Region region, MemoryDesc desc) {
        return new DnnlMemory(region, desc, region.allocate(desc.sizeBytes()));
    }

    /** Gives existing memory of at least {@code desc.sizeBytes()} bytes a layout; the caller keeps it alive. */
    public static DnnlMemory over(Region region, MemoryDesc desc, MemorySegment data) {
        return new DnnlMemory(region, desc, data);
    }

    /** A tensor's own memory under its own shape. */
    public static DnnlMemory over(Region region, FloatTensor tensor) {
        return new DnnlMemory(region, MemoryDesc.plain(region, tensor.shape()), tensor.segment());
    }

    /** Points this at other memory of the same layout; executions that are bound to this use it from now on. */
    public void rebind(MemorySegment other) {
        checkSize(desc, other);
        Dnnl.check(dnnl_h.dnnl_memory_set_data_handle(handle, other), "dnnl_memory_set_data_handle", desc);
        data = other;
    }

    public MemoryDesc desc() {
        return desc;
    }

    /** The memory; of use to Java only if {@link MemoryDesc#isPlain()}. */
    public MemorySegment data() {
        return data;
    }

    MemorySegment handle() {
        return handle;
    }

    private static void checkSize(MemoryDesc desc, MemorySegment data) {
        if (!data.isNative()) {
            throw new IllegalArgumentException("oneDNN needs off-heap memory, this segment is on the heap");
        }
        if (desc.sizeBytes() == 0 || data.byteSize() < desc.sizeBytes()) {
            throw new IllegalArgumentException(
                    desc + " needs " + desc.sizeBytes() + " bytes, the segment has " + data.byteSize());
        }
    }
}
