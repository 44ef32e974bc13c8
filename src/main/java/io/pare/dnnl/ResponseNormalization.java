package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;

/**
 * Local response normalisation across channels (Krizhevsky, Sutskever, Hinton 2012, section 3.3), in the layout of the
 * input: {@code x / (k + alpha / size * sum of squares of size neighbouring channels) ^ beta}, as in Caffe.
 *
 * <p>Operands: forward SRC, DST and, in training, WORKSPACE if it has one; backward SRC, DIFF_DST, DIFF_SRC and the
 * same WORKSPACE. Not thread-safe.
 */
public final class ResponseNormalization {
    private final Region region;
    private final MemoryDesc src;
    private final Window window;
    private final Primitive forward;
    private Primitive backward;

    /**
     * The formula's numbers.
     *
     * @param size channels summed over, odd, the normalised one in the middle
     */
    public record Window(int size, float alpha, float beta, float k) {}

    /**
     * Builds the forward pass.
     *
     * @param src layout of input and output, [n, c, h, w], blocked ones included
     * @param training whether a backward pass will follow
     */
    public ResponseNormalization(Region region, MemoryDesc src, Window window, boolean training) {
        this.region = region;
        this.src = src;
        this.window = window;
        int kind = training ? dnnl_h.dnnl_forward_training() : dnnl_h.dnnl_forward_inference();
        String subject = "response normalisation fwd " + window + " " + src;
        try (Attributes attributes = new Attributes(null)) {
            MemorySegment descriptor = Dnnl.owned(region,
                    out -> dnnl_h.dnnl_lrn_forward_primitive_desc_create(out, DnnlEngine.get().handle(), kind,
                            dnnl_h.dnnl_lrn_across_channels(), src.handle(), src.handle(), window.size, window.alpha,
                            window.beta, window.k, attributes.handle()),
                    "dnnl_lrn_forward_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
            this.forward = new Primitive(region, descriptor, subject, false);
        }
    }

    public Primitive forward() {
        return forward;
    }

    /** The gradient of the input. Built by the first call. */
    public Primitive backward() {
        if (backward == null) {
            String subject = "response normalisation bwd " + window + " " + src;
            try (Attributes attributes = new Attributes(null)) {
                MemorySegment descriptor = Dnnl.owned(region,
                        out -> dnnl_h.dnnl_lrn_backward_primitive_desc_create(out, DnnlEngine.get().handle(),
                                dnnl_h.dnnl_lrn_across_channels(), src.handle(), src.handle(), src.handle(),
                                window.size, window.alpha, window.beta, window.k, forward.descriptor(),
                                attributes.handle()),
                        "dnnl_lrn_backward_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
                backward = new Primitive(region, descriptor, subject, false);
            }
        }
        return backward;
    }
}
