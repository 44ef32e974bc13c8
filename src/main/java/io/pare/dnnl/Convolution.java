package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A convolution of one shape: forward, and where it is trained the two backward passes, each built when first asked.
 *
 * <p>A layout that is not given is chosen for speed, and the three passes may choose differently: compare
 * {@link Primitive#desc} with what is there. Where no layout is given and the channels of either side would have to be
 * rounded up to a block of 16, images are channels-last; otherwise the choice is oneDNN's. For channels-last images
 * oneDNN offers its kernels by small products (brgemm) first, whose remainder of channels costs a whole register; its
 * direct kernels are taken instead. Measured on one core of an AMD Zen 4, batch 64, microseconds for forward, gradient
 * of the input, gradient of the filters:
 *
 * <pre>
 *                                 oneDNN's choice (blocked)   channels-last, brgemm   channels-last, direct
 * 20 -> 50 channels, 5x5, 12x12:       3571  3584  4140          2557  3226     -        2242  2796  2459
 * 1 -> 20, 5x5, 28x28:                  559     -   524           751     -     -         547     -   777
 * 64 -> 64, 3x3, 56x56, batch 8:      15726 16375 18685         15940 16281     -       15966 16709 19099
 * </pre>
 *
 * <p>In the second row channels-last wins all the same: pooling afterwards has 20 channels to move instead of 32, and the
 * layer after it needs no reorder. The last row is why full blocks are left to oneDNN, and so are first layers of few
 * channels that end in full blocks, for which it has kernels of their own. Master weights stay row-major
 * ({@link #plainWeights}); reorder them once per step for each pass that wants another layout. Not thread-safe.
 *
 * <p>Operands: forward SRC, WEIGHTS, [BIAS], DST; backward-data DIFF_DST, WEIGHTS, DIFF_SRC; backward-weights SRC,
 * DIFF_DST, DIFF_WEIGHTS, [DIFF_BIAS]. With the fused ReLU, DIFF_DST is the gradient before the ReLU: run
 * {@link Eltwise#backward} on it first.
 */
public final class Convolution {
    /** Channels that the blocked layouts of 512-bit kernels keep together, rounding up. */
    private static final int BLOCK = 16;
    /** Below this many input channels oneDNN has kernels that read images as they are, for first layers. */
    private static final int FEW_CHANNELS = 8;
    /** How the names of kernels begin that compute a convolution directly; those by small products begin otherwise. */
    private static final String DIRECT = "jit:";
    private static final String DIRECT_AVX2 = "jit:avx2";
    /** How the name of the kernel ends that multiplies matrices. */
    private static final String PRODUCTS = "gemm:jit";
    /** Filters from this size on are wide. */
    private static final int WIDE = 5;

    private final Region region;
    private final ConvShape shape;
    private final Options options;
    private final Primitive forward;
    private Primitive backwardData;
    private Primitive backwardWeights;

    /**
     * What is computed with the convolution, and in which layouts.
     *
     * @param bias adds a bias for each output channel
     * @param sum whether the result is added to what lies in the output's memory
     * @param end what is applied to the result, or to the sum; null for nothing
     * @param training whether backward passes will follow
     * @param src layout of the input; null for the fastest
     * @param weights layout of the filters; null for the fastest
     * @param dst layout of the output; null for the fastest
     * @param type of images, filters and the gradient of the input; bias and gradients of filters and bias are always
     *            32-bit floats, and so is every sum
     */
    public record Options(boolean bias, boolean sum, Activation end, boolean training, MemoryDesc src,
            MemoryDesc weights, MemoryDesc dst, DataType type) {
        /** With bias, all layouts chosen by the primitive. */
        public static Options of(boolean relu, boolean training) {
            return new Options(true, false, relu ? Activation.RELU : null, training, null, null, null, DataType.F32);
        }

        /** The same with a given layout of the input. */
        public Options withSrc(MemoryDesc given) {
            return new Options(bias, sum, end, training, given, weights, dst, type);
        }

        /** The same with a given layout of the output. */
        public Options withDst(MemoryDesc given) {
            return new Options(bias, sum, end, training, src, weights, given, type);
        }

        /** The same with a given layout of the filters. */
        public Options withWeights(MemoryDesc given) {
            return new Options(bias, sum, end, training, src, given, dst, type);
        }

        /** The same with or without bias. */
        public Options withBias(boolean given) {
            return new Options(given, sum, end, training, src, weights, dst, type);
        }

        /** The same, added to what lies in the output's memory or not. */
        public Options adding(boolean given) {
            return new Options(bias, given, end, training, src, weights, dst, type);
        }

        /** The same with a function behind it; null for none. */
        public Options ending(Activation given) {
            return new Options(bias, sum, given, training, src, weights, dst, type);
        }

        /** The same on numbers of another type. */
        public Options of(DataType given) {
            return new Options(bias, sum, end, training, src, weights, dst, given);
        }
    }

    /**
     * Builds the forward pass.
     *
     * @throws UnimplementedException if oneDNN has no kernel for it
     */
    public Convolution(Region region, ConvShape shape, Options options) {
        this.region = region;
        this.shape = shape;
        this.options = options;
        int kind = options.training ? dnnl_h.dnnl_forward_training() : dnnl_h.dnnl_forward_inference();
        String subject = "conv fwd " + shape;
        MemorySegment engine = DnnlEngine.get().handle();
        try (Arena arena = Arena.ofConfined(); Region local = Region.confined("conv descriptors");
                Attributes attributes = new Attributes(options.sum ? options.type : null, options.end)) {
            Geometry g = new Geometry(arena, shape);
            boolean last = isFirst() || prefersChannelsLast(options.src, options.weights, options.dst);
            MemorySegment src = images(local, options.src, last, shape.srcDims());
            MemorySegment weights = filters(local, options.weights, options.type);
            MemorySegment dst = images(local, options.dst, last, shape.dstDims());
            MemorySegment bias = options.bias ? MemoryDesc.plain(local, shape.oc()).handle() : MemorySegment.NULL;
            MemorySegment descriptor = descriptor(
                    out -> dnnl_h.dnnl_convolution_forward_primitive_desc_create(out, engine, kind,
                            dnnl_h.dnnl_convolution_direct(), src, weights, bias, dst, g.strides, g.dilations,
                            g.before, g.behind, attributes.handle()),
                    "dnnl_convolution_forward_primitive_desc_create", subject, last, false);
            this.forward = new Primitive(region, descriptor, subject, false);
        }
    }

    public ConvShape shape() {
        return shape;
    }

    public Primitive forward() {
        return forward;
    }

    /** The gradient of the input, in the fastest layouts. */
    public Primitive backwardData() {
        return backwardData(null, null, null);
    }

    /** The gradient of the input, in the given layouts; null for the fastest. Built by the first call. */
    public Primitive backwardData(MemoryDesc diffSrc, MemoryDesc weights, MemoryDesc diffDst) {
        if (backwardData == null) {
            String subject = "conv bwd data " + shape;
            MemorySegment engine = DnnlEngine.get().handle();
            try (Arena arena = Arena.ofConfined(); Region local = Region.confined("conv descriptors");
                    Attributes attributes = new Attributes(null)) {
                Geometry g = new Geometry(arena, shape);
                boolean last = prefersChannelsLast(diffSrc, weights, diffDst);
                MemorySegment src = images(local, diffSrc, last, shape.srcDims());
                MemorySegment filters = filters(local, weights, options.type);
                MemorySegment dst = images(local, diffDst, last, shape.dstDims());
                MemorySegment descriptor = descriptor(
                        out -> dnnl_h.dnnl_convolution_backward_data_primitive_desc_create(out, engine,
                                dnnl_h.dnnl_convolution_direct(), src, filters, dst, g.strides, g.dilations, g.before,
                                g.behind, forward.descriptor(), attributes.handle()),
                        "dnnl_convolution_backward_data_primitive_desc_create", subject, last, likesProducts());
                backwardData = new Primitive(region, descriptor, subject, false);
            }
        }
        return backwardData;
    }

    /** The gradients of filters and bias, in the fastest layouts. */
    public Primitive backwardWeights() {
        return backwardWeights(null, null, null);
    }

    /** The gradients of filters and bias, in the given layouts; null for the fastest. Built by the first call. */
    public Primitive backwardWeights(MemoryDesc src, MemoryDesc diffWeights, MemoryDesc diffDst) {
        if (backwardWeights == null) {
            String subject = "conv bwd weights " + shape;
            MemorySegment engine = DnnlEngine.get().handle();
            try (Arena arena = Arena.ofConfined(); Region local = Region.confined("conv descriptors");
                    Attributes attributes = new Attributes(null)) {
                Geometry g = new Geometry(arena, shape);
                boolean last = prefersChannelsLast(src, diffWeights, diffDst);
                MemorySegment input = images(local, src, last, shape.srcDims());
                MemorySegment filters = filters(local, diffWeights, DataType.F32);
                MemorySegment dst = images(local, diffDst, last, shape.dstDims());
                MemorySegment bias = options.bias ? MemoryDesc.plain(local, shape.oc()).handle() : MemorySegment.NULL;
                MemorySegment descriptor = descriptor(
                        out -> dnnl_h.dnnl_convolution_backward_weights_primitive_desc_create(out, engine,
                                dnnl_h.dnnl_convolution_direct(), input, filters, bias, dst, g.strides, g.dilations,
                                g.before, g.behind, forward.descriptor(), attributes.handle()),
                        "dnnl_convolution_backward_weights_primitive_desc_create", subject, last, false);
                backwardWeights = new Primitive(region, descriptor, subject, false);
            }
        }
        return backwardWeights;
    }

    /** The row-major layout of the filters, that of a tensor [oc, ic/groups, kh, kw]. */
    public MemoryDesc plainWeights() {
        return MemoryDesc.plain(region, shape.weightDims());
    }

    /** The row-major layout of the input. */
    public MemoryDesc plainSrc() {
        return MemoryDesc.plain(region, shape.srcDims());
    }

    /** The row-major layout of the output. */
    public MemoryDesc plainDst() {
        return MemoryDesc.plain(region, shape.dstDims());
    }

    /**
     * A first layer of few channels where no backward pass follows: its direct kernel takes less. One core of a Zen 5
     * as AVX2, 3 to 64 channels, 7x7, 224x224, milliseconds by products and direct: 2.99 and 2.24, batch 16 46.7 and
     * 35.9; with AVX-512 1.25 and 1.24, 22.8 and 21.5.
     */
    private boolean isFirst() {
        return !options.training && options.type == DataType.F32 && options.src == null && options.weights == null
                && options.dst == null && shape.groups() == 1 && shape.ic() < FEW_CHANNELS;
    }

    /** A given layout anywhere leaves the rest to oneDNN: it has fast kernels for few mixtures of layouts. */
    private boolean prefersChannelsLast(MemoryDesc src, MemoryDesc weights, MemoryDesc dst) {
        return src == null && weights == null && dst == null && shape.groups() == 1
                && (shape.oc() % BLOCK != 0 || shape.ic() % BLOCK != 0 && shape.ic() >= FEW_CHANNELS);
    }

    /**
     * Whether the gradient of the input would rather be a product of matrices for each image than come from the direct
     * kernel for AVX2. That one has half of its speed where channels leave a remainder and wide filters run over images
     * without padding. One core of a Zen 5 as AVX2, batch 64, microseconds direct and by products:
     *
     * <pre>
     * 20 -> 50 channels, 5x5, 12x12:            4706  2746
     * 20 -> 64:                                 6297  3399
     * 24 -> 40, 7x7:                            4398  3147
     * 16 -> 50 (no remainder), 32 -> 50:        2173  2283,  4103  4170
     * 20 -> 50, 5x5, padded by 2:               5004  5637
     * 24 -> 40, 3x3, 16x16:                     2862  3163
     * 6 -> 16, 5x5, 14x14:                       603   869
     * </pre>
     *
     * <p>With AVX-512 both take the same in the first and third row.
     */
    private boolean likesProducts() {
        return shape.ic() > BLOCK && shape.ic() % BLOCK != 0 && Math.min(shape.kh(), shape.kw()) >= WIDE
                && shape.top() + shape.left() + shape.bottom() + shape.right() == 0 && shape.strideH() == 1
                && shape.strideW() == 1 && shape.dilationH() == 1 && shape.dilationW() == 1;
    }

    /**
     * Where the channels leave a remainder, kernels of the older generation are preferred if there is one. Not so for
     * bf16, where those by small products are the faster ones.
     */
    private MemorySegment descriptor(Dnnl.Create create, String call, String subject, boolean remainder,
            boolean products) {
        int skip = remainder && options.type == DataType.F32 ? preferred(create, call, subject, products) : 0;
        MemorySegment descriptor = Dnnl.owned(region, create, call, dnnl_h::dnnl_primitive_desc_destroy, subject);
        for (int i = 0; i < skip; i++) {
            Dnnl.check(dnnl_h.dnnl_primitive_desc_next_impl(descriptor), "dnnl_primitive_desc_next_impl", subject);
        }
        return descriptor;
    }

    /**
     * The place of the preferred kernel among those that oneDNN offers for a descriptor: the first direct one. Where
     * {@code products} and that one is for AVX2, it is the kernel by products of matrices. 0 where there is none.
     */
    private static int preferred(Dnnl.Create create, String call, String subject, boolean products) {
        try (Region local = Region.confined("conv kernels")) {
            MemorySegment offered = Dnnl.owned(local, create, call, dnnl_h::dnnl_primitive_desc_destroy, subject);
            int direct = -1;
            int place = 0;
            do {
                String name = Primitive.implementation(local, offered, subject);
                if (direct < 0 && name.startsWith(DIRECT)) {
                    direct = place;
                    if (!products || !name.equals(DIRECT_AVX2)) {
                        return direct;
                    }
                }
                if (direct >= 0 && name.endsWith(PRODUCTS)) {
                    return place;
                }
                place++;
            } while (dnnl_h.dnnl_primitive_desc_next_impl(offered) == 0);
            return Math.max(0, direct);
        }
    }

    private MemorySegment images(Region local, MemoryDesc given, boolean channelsLast, long[] dims) {
        if (given != null) {
            return given.handle();
        }
        return (channelsLast ? MemoryDesc.channelsLast(local, options.type, dims[0], dims[1], dims[2], dims[3])
                : MemoryDesc.any(local, options.type, dims)).handle();
    }

    private MemorySegment filters(Region local, MemoryDesc given, DataType type) {
        return (given == null ? MemoryDesc.any(local, type, shape.weightDims()) : given).handle();
    }

    /** The shape's numbers as C arrays; oneDNN counts dilation from 0. */
    private record Geometry(MemorySegment strides, MemorySegment dilations, MemorySegment before,
            MemorySegment behind) {
        Geometry(Arena arena, ConvShape shape) {
            this(Dnnl.dims(arena, shape.strideH(), shape.strideW()),
                    Dnnl.dims(arena, shape.dilationH() - 1L, shape.dilationW() - 1L),
                    Dnnl.dims(arena, shape.top(), shape.left()), Dnnl.dims(arena, shape.bottom(), shape.right()));
        }
    }
}
