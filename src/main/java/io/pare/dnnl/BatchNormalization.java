package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;

/**
 * Batch normalisation of images with a scale and a shift for each channel (Ioffe, Szegedy, 1502.03167, algorithm 1),
 * in the layout of the input.
 *
 * <p>Operands: forward SRC, SCALE, SHIFT, DST, and MEAN and VARIANCE, which training writes (the batch's own, the
 * variance without Bessel's correction) and inference reads; backward SRC, MEAN, VARIANCE, SCALE, DIFF_DST, DIFF_SRC,
 * DIFF_SCALE, DIFF_SHIFT. A training with the fused ReLU has a WORKSPACE, which forward writes and backward reads;
 * DIFF_DST is then the gradient behind the ReLU. Not thread-safe.
 */
public final class BatchNormalization {
    private final Region region;
    private final MemoryDesc src;
    private final float epsilon;
    private final int flags;
    private final Primitive forward;
    private Primitive backward;

    /**
     * Builds the forward pass.
     *
     * @param src layout of input and output, [n, c, h, w], blocked ones included
     * @param epsilon added to the variance
     * @param relu ends with max(0, x)
     * @param training computes the batch's statistics; otherwise they are operands
     */
    public BatchNormalization(Region region, MemoryDesc src, float epsilon, boolean relu, boolean training) {
        this.region = region;
        this.src = src;
        this.epsilon = epsilon;
        int affine = dnnl_h.dnnl_use_scale() | dnnl_h.dnnl_use_shift();
        this.flags = affine | (relu ? dnnl_h.dnnl_fuse_norm_relu() : 0)
                | (training ? 0 : dnnl_h.dnnl_use_global_stats());
        int kind = training ? dnnl_h.dnnl_forward_training() : dnnl_h.dnnl_forward_inference();
        String subject = "batch normalisation fwd " + src;
        try (Attributes attributes = new Attributes(null)) {
            MemorySegment descriptor = Dnnl.owned(region,
                    out -> dnnl_h.dnnl_batch_normalization_forward_primitive_desc_create(out,
                            DnnlEngine.get().handle(), kind, src.handle(), src.handle(), epsilon, flags,
                            attributes.handle()),
                    "dnnl_batch_normalization_forward_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy,
                    subject);
            this.forward = new Primitive(region, descriptor, subject, false);
        }
    }

    public Primitive forward() {
        return forward;
    }

    /** The gradients of input, scale and shift. Built by the first call. */
    public Primitive backward() {
        if (backward == null) {
            String subject = "batch normalisation bwd " + src;
            try (Attributes attributes = new Attributes(null)) {
                MemorySegment descriptor = Dnnl.owned(region,
                        out -> dnnl_h.dnnl_batch_normalization_backward_primitive_desc_create(out,
                                DnnlEngine.get().handle(), dnnl_h.dnnl_backward(), src.handle(), src.handle(),
                                src.handle(), epsilon, flags, forward.descriptor(), attributes.handle()),
                        "dnnl_batch_normalization_backward_primitive_desc_create",
                        dnnl_h::dnnl_primitive_desc_destroy, subject);
                backward = new Primitive(region, descriptor, subject, false);
            }
        }
        return backward;
    }
}
