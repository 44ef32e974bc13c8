package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;

/**
 * An {@link Activation} on any layout. Source and destination may be the same memory, in both directions; but then the
 * gradient of another one than {@link Activation#RELU} cannot be computed, since it needs the input.
 */
public final class Eltwise {
    private final Region region;
    private final MemoryDesc desc;
    private final Activation function;
    private final Primitive forward;
    private Primitive backward;

    /** Builds the forward pass, with operands SRC and DST of layout {@code desc}. */
    public Eltwise(Region region, MemoryDesc desc, Activation function) {
        this.region = region;
        this.desc = desc;
        this.function = function;
        String subject = function + " fwd " + desc;
        try (Attributes attributes = new Attributes(null)) {
            MemorySegment descriptor = Dnnl.owned(region,
                    out -> dnnl_h.dnnl_eltwise_forward_primitive_desc_create(out, DnnlEngine.get().handle(),
                            dnnl_h.dnnl_forward_training(), function.kind().alone(), desc.handle(),
                            desc.handle(), function.alpha(), function.beta(), attributes.handle()),
                    "dnnl_eltwise_forward_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
            this.forward = new Primitive(region, descriptor, subject, false);
        }
    }

    public Primitive forward() {
        return forward;
    }

    /** DIFF_SRC from DIFF_DST and the forward pass's SRC, or DST for ReLU, all of the same layout. Built by the first call. */
    public Primitive backward() {
        if (backward == null) {
            String subject = function + " bwd " + desc;
            try (Attributes attributes = new Attributes(null)) {
                MemorySegment descriptor = Dnnl.owned(region,
                        out -> dnnl_h.dnnl_eltwise_backward_primitive_desc_create(out, DnnlEngine.get().handle(),
                                function.kind().alone(), desc.handle(), desc.handle(), desc.handle(),
                                function.alpha(), function.beta(), forward.descriptor(), attributes.handle()),
                        "dnnl_eltwise_backward_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
                backward = new Primitive(region, descriptor, subject, false);
            }
        }
        return backward;
    }
}
