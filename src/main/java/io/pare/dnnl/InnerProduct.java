package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A fully connected layer: DST [n, oc] = SRC [n, ...] times WEIGHTS [oc, ...] transposed, plus BIAS [oc].
 *
 * <p>The source may have four dimensions, blocked layouts included: then it takes a convolution's or pooling's output
 * as it is, and no flattening is needed. The weights have the source's dimensions with oc in place of n; row-major
 * they are the same memory as a matrix [oc, ic]. Layouts that are not given are the primitive's choice, and the three
 * passes may choose differently. Not thread-safe.
 *
 * <p>Operands as in {@link Convolution}, and so are their types.
 */
public final class InnerProduct {
    private final Region region;
    private final long[] srcDims;
    private final long[] weightDims;
    private final long[] dstDims;
    private final boolean bias;
    private final DataType type;
    private final Primitive forward;
    private Primitive backwardData;
    private Primitive backwardWeights;

    /**
     * Builds the forward pass.
     *
     * @param srcDims [n, ic] or [n, c, h, w]
     * @param oc outputs
     * @param bias adds a bias for each output
     * @param relu ends with max(0, x)
     * @param training whether backward passes will follow
     * @param src layout of the input; null lets the primitive choose
     * @param weights layout of the weights; null lets the primitive choose
     */
    public InnerProduct(Region region, long[] srcDims, long oc, boolean bias, boolean relu, boolean training,
            MemoryDesc src, MemoryDesc weights) {
        this(region, srcDims, oc, bias, relu ? Activation.RELU : null, training, src, weights, DataType.F32,
                DataType.F32);
    }

    /**
     * Builds the forward pass on numbers of another type.
     *
     * @param end what is applied to the result; null for nothing
     * @param type of input, weights, and the gradients of input and output
     * @param dst type of the output
     */
    public InnerProduct(Region region, long[] srcDims, long oc, boolean bias, Activation end, boolean training,
            MemoryDesc src, MemoryDesc weights, DataType type, DataType dst) {
        this.region = region;
        this.srcDims = srcDims.clone();
        this.weightDims = srcDims.clone();
        this.weightDims[0] = oc;
        this.dstDims = new long[]{srcDims[0], oc};
        this.bias = bias;
        this.type = type;
        int kind = training ? dnnl_h.dnnl_forward_training() : dnnl_h.dnnl_forward_inference();
        String subject = subject("fwd");
        try (Region local = Region.confined("inner product descriptors");
                Attributes attributes = new Attributes(end)) {
            MemorySegment input = handle(local, src, type, srcDims);
            MemorySegment matrix = handle(local, weights, type, weightDims);
            MemorySegment offsets = bias ? MemoryDesc.plain(local, oc).handle() : MemorySegment.NULL;
            MemorySegment output = MemoryDesc.plain(local, dst, dstDims).handle();
            MemorySegment descriptor = Dnnl.owned(region,
                    out -> dnnl_h.dnnl_inner_product_forward_primitive_desc_create(out, DnnlEngine.get().handle(), kind,
                            input, matrix, offsets, output, attributes.handle()),
                    "dnnl_inner_product_forward_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
            this.forward = new Primitive(region, descriptor, subject, false);
        }
    }

    public Primitive forward() {
        return forward;
    }

    /** The gradient of the input; null layouts are the primitive's choice. Built by the first call. */
    public Primitive backwardData(MemoryDesc diffSrc, MemoryDesc weights) {
        if (backwardData == null) {
            String subject = subject("bwd data");
            try (Region local = Region.confined("inner product descriptors");
                    Attributes attributes = new Attributes(null)) {
                MemorySegment input = handle(local, diffSrc, type, srcDims);
                MemorySegment matrix = handle(local, weights, type, weightDims);
                MemorySegment output = MemoryDesc.plain(local, type, dstDims).handle();
                MemorySegment descriptor = Dnnl.owned(region,
                        out -> dnnl_h.dnnl_inner_product_backward_data_primitive_desc_create(out,
                                DnnlEngine.get().handle(), input, matrix, output, forward.descriptor(),
                                attributes.handle()),
                        "dnnl_inner_product_backward_data_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy,
                        subject);
                backwardData = new Primitive(region, descriptor, subject, false);
            }
        }
        return backwardData;
    }

    /** The gradients of weights and bias; null layouts are the primitive's choice. Built by the first call. */
    public Primitive backwardWeights(MemoryDesc src, MemoryDesc diffWeights) {
        if (backwardWeights == null) {
            String subject = subject("bwd weights");
            try (Region local = Region.confined("inner product descriptors");
                    Attributes attributes = new Attributes(null)) {
                MemorySegment input = handle(local, src, type, srcDims);
                MemorySegment matrix = handle(local, diffWeights, DataType.F32, weightDims);
                MemorySegment offsets = bias ? MemoryDesc.plain(local, weightDims[0]).handle() : MemorySegment.NULL;
                MemorySegment output = MemoryDesc.plain(local, type, dstDims).handle();
                MemorySegment descriptor = Dnnl.owned(region,
                        out -> dnnl_h.dnnl_inner_product_backward_weights_primitive_desc_create(out,
                                DnnlEngine.get().handle(), input, matrix, offsets, output, forward.descriptor(),
                                attributes.handle()),
                        "dnnl_inner_product_backward_weights_primitive_desc_create",
                        dnnl_h::dnnl_primitive_desc_destroy, subject);
                backwardWeights = new Primitive(region, descriptor, subject, false);
            }
        }
        return backwardWeights;
    }

    /** The row-major layout of the weights. */
    public MemoryDesc plainWeights() {
        return MemoryDesc.plain(region, weightDims);
    }

    /** The row-major layout of the input. */
    public MemoryDesc plainSrc() {
        return MemoryDesc.plain(region, srcDims);
    }

    private String subject(String pass) {
        return "inner product " + pass + " " + Arrays.toString(srcDims) + " x " + Arrays.toString(weightDims);
    }

    private static MemorySegment handle(Region region, MemoryDesc given, DataType type, long[] dims) {
        return (given == null ? MemoryDesc.any(region, type, dims) : given).handle();
    }
}
