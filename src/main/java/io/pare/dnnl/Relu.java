package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;

/** max(0, x) on any layout. Source and destination may be the same memory, in both directions. */
public final class Relu {
    private final Region region;
    private final MemoryDesc desc;
    private final Primitive forward;
    private Primitive backward;

    /** Builds the forward pass, with operands SRC and DST of layout {@code desc}. */
    public Relu(Region region, MemoryDesc desc) {
        this.region = region;
        this.desc = desc;
        String subject = "relu fwd " + desc;
        try (Attributes attributes = new Attributes(false)) {
            // The algorithm whose gradient needs the output only: the input may have been overwritten.
            MemorySegment descriptor = Dnnl.owned(region,
                    out -> dnnl_h.dnnl_eltwise_forward_primitive_desc_create(out, DnnlEngine.get().handle(),
                            dnnl_h.dnnl_forward_training(), dnnl_h.dnnl_eltwise_relu_use_dst_for_bwd(), desc.handle(),
                            desc.handle(), 0f, 0f, attributes.handle()),
                    "dnnl_eltwise_forward_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
            this.forward = new Primitive(region, descriptor, subject, false);
        }
    }

    public Primitive forward() {
        return forward;
    }

    /** DIFF_SRC from DIFF_DST and the forward pass's DST, all of the same layout. Built by the first call. */
    public Primitive backward() {
        if (backward == null) {
            String subject = "relu bwd " + desc;
            try (Attributes attributes = new Attributes(false)) {
                MemorySegment descriptor = Dnnl.owned(region,
                        out -> dnnl_h.dnnl_eltwise_backward_primitive_desc_create(out, DnnlEngine.get().handle(),
                                dnnl_h.dnnl_eltwise_relu_use_dst_for_bwd(), desc.handle(), desc.handle(),
                                desc.handle(), 0f, 0f, forward.descriptor(), attributes.handle()),
                        "dnnl_eltwise_backward_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
                backward = new Primitive(region, descriptor, subject, false);
            }
        }
        return backward;
    }
}
