package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;

/** DST = SRC + SRC_1, all of one layout, blocked ones included; DST may be the memory of SRC. */
public final class Addition {
    private final Primitive forward;

    /**
     * @param desc layout of the three operands
     * @param end what is applied to the sum; null for nothing
     */
    public Addition(Region region, MemoryDesc desc, Activation end) {
        String subject = "addition " + desc;
        try (Attributes attributes = new Attributes(end)) {
            MemorySegment descriptor = Dnnl.owned(region,
                    out -> dnnl_h.dnnl_binary_primitive_desc_create(out, DnnlEngine.get().handle(),
                            dnnl_h.dnnl_binary_add(), desc.handle(), desc.handle(), desc.handle(),
                            attributes.handle()),
                    "dnnl_binary_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
            this.forward = new Primitive(region, descriptor, subject, false);
        }
    }

    public Primitive forward() {
        return forward;
    }
}
