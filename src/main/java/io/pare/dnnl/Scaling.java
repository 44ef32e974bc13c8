package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;

/**
 * DST = SRC times SRC_1, which has one factor [n, c, 1, 1] for each channel of each image; DST may be the memory of SRC. All
 * are channels-last.
 */
public final class Scaling {
    private final Primitive forward;

    /** @param dims n, c, h, w */
    public Scaling(Region region, long... dims) {
        String subject = "scaling of channels";
        MemoryDesc images = MemoryDesc.channelsLast(region, dims[0], dims[1], dims[2], dims[3]);
        MemoryDesc factors = MemoryDesc.channelsLast(region, dims[0], dims[1], 1, 1);
        try (Attributes attributes = new Attributes(null)) {
            MemorySegment descriptor = Dnnl.owned(region,
                    out -> dnnl_h.dnnl_binary_primitive_desc_create(out, DnnlEngine.get().handle(),
                            dnnl_h.dnnl_binary_mul(), images.handle(), factors.handle(), images.handle(),
                            attributes.handle()),
                    "dnnl_binary_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
            this.forward = new Primitive(region, descriptor, subject, false);
        }
    }

    public Primitive forward() {
        return forward;
    }
}
