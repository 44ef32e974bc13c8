package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Pooling of one shape. Output and gradients have the layout family of the input, so no reorder is needed around it.
 *
 * <p>Operands: forward SRC, DST, and in training of a maximum WORKSPACE, which remembers where each maximum was;
 * backward DIFF_DST, DIFF_SRC and the same WORKSPACE. Not thread-safe.
 */
public final class Pooling {
    /** How a window becomes one number. */
    public enum Kind {
        /** The largest value; the gradient goes to the first of equals. */
        MAX,
        /** The mean over the whole window, padding counted as zeros. */
        AVERAGE,
        /** The mean over the part of the window that is inside the image. */
        AVERAGE_WITHOUT_PADDING
    }

    private final Region region;
    private final PoolShape shape;
    private final Kind kind;
    private final MemoryDesc src;
    private final Primitive forward;
    private Primitive backward;

    /**
     * Builds the forward pass.
     *
     * @param src layout of the input, blocked ones included
     * @param training whether a backward pass will follow
     */
    public Pooling(Region region, PoolShape shape, Kind kind, MemoryDesc src, boolean training) {
        this.region = region;
        this.shape = shape;
        this.kind = kind;
        this.src = src;
        int prop = training ? dnnl_h.dnnl_forward_training() : dnnl_h.dnnl_forward_inference();
        String subject = "pool fwd " + kind + " " + shape;
        MemorySegment engine = DnnlEngine.get().handle();
        try (Arena arena = Arena.ofConfined(); Region local = Region.confined("pool descriptors");
                Attributes attributes = new Attributes(null)) {
            Geometry g = new Geometry(arena, shape);
            MemorySegment dst = MemoryDesc.any(local, src.type(), shape.dstDims()).handle();
            MemorySegment descriptor = Dnnl.owned(region,
                    out -> dnnl_h.dnnl_pooling_forward_primitive_desc_create(out, engine, prop, algorithm(kind),
                            src.handle(), dst, g.strides, g.kernel, g.dilation, g.before, g.behind,
                            attributes.handle()),
                    "dnnl_pooling_forward_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
            this.forward = new Primitive(region, descriptor, subject, false);
        }
    }

    public PoolShape shape() {
        return shape;
    }

    public Primitive forward() {
        return forward;
    }

    /** The gradient of the input, DIFF_SRC laid out as the input and DIFF_DST as the output. Built by the first call. */
    public Primitive backward() {
        if (backward == null) {
            String subject = "pool bwd " + kind + " " + shape;
            MemorySegment engine = DnnlEngine.get().handle();
            try (Arena arena = Arena.ofConfined(); Attributes attributes = new Attributes(null)) {
                Geometry g = new Geometry(arena, shape);
                MemorySegment dst = forward.desc(Arg.DST).handle();
                MemorySegment descriptor = Dnnl.owned(region,
                        out -> dnnl_h.dnnl_pooling_backward_primitive_desc_create(out, engine, algorithm(kind),
                                src.handle(), dst, g.strides, g.kernel, g.dilation, g.before, g.behind,
                                forward.descriptor(), attributes.handle()),
                        "dnnl_pooling_backward_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
                backward = new Primitive(region, descriptor, subject, false);
            }
        }
        return backward;
    }

    private static int algorithm(Kind kind) {
        return switch (kind) {
            case MAX -> dnnl_h.dnnl_pooling_max();
            case AVERAGE -> dnnl_h.dnnl_pooling_avg_include_padding();
            case AVERAGE_WITHOUT_PADDING -> dnnl_h.dnnl_pooling_avg_exclude_padding();
        };
    }

    /** The shape's numbers as C arrays. */
    private record Geometry(MemorySegment strides, MemorySegment kernel, MemorySegment dilation,
            MemorySegment before,
            MemorySegment behind) {
        Geometry(Arena arena, PoolShape shape) {
            this(Dnnl.dims(arena, shape.strideH(), shape.strideW()), Dnnl.dims(arena, shape.kh(), shape.kw()),
                    Dnnl.dims(arena, 0, 0), Dnnl.dims(arena, shape.top(), shape.left()),
                    Dnnl.dims(arena, shape.bottom(), shape.right()));
        }
    }
}
