package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import java.lang.foreign.MemorySegment;

/** Primitive attributes, open while primitive descriptors are created: always with the caller's scratchpad. */
final class Attributes implements AutoCloseable {
    private final MemorySegment handle;

    /** @param end what is applied to the result; null for nothing */
    Attributes(Activation end) {
        this(null, end);
    }

    /**
     * @param sum type of what lies in the result's memory, to which it is added; null for nothing
     * @param end what is applied after that; null for nothing
     */
    Attributes(DataType sum, Activation end) {
        handle = Dnnl.create(dnnl_h::dnnl_primitive_attr_create, "dnnl_primitive_attr_create", "attributes");
        Dnnl.check(dnnl_h.dnnl_primitive_attr_set_scratchpad_mode(handle, dnnl_h.dnnl_scratchpad_mode_user()),
                "dnnl_primitive_attr_set_scratchpad_mode", "user");
        if (sum != null || end != null) {
            MemorySegment ops = Dnnl.create(dnnl_h::dnnl_post_ops_create, "dnnl_post_ops_create", end);
            if (sum != null) {
                Dnnl.check(dnnl_h.dnnl_post_ops_append_sum(ops, 1f, 0, sum.code()),
                        "dnnl_post_ops_append_sum", sum);
            }
            if (end != null) {
                Dnnl.check(dnnl_h.dnnl_post_ops_append_eltwise(ops, end.kind().fused(), end.alpha(), end.beta()),
                        "dnnl_post_ops_append_eltwise", end);
            }
            Dnnl.check(dnnl_h.dnnl_primitive_attr_set_post_ops(handle, ops), "dnnl_primitive_attr_set_post_ops", end);
            Dnnl.check(dnnl_h.dnnl_post_ops_destroy(ops), "dnnl_post_ops_destroy", end);
        }
    }

    MemorySegment handle() {
        return handle;
    }

    @Override
    public void close() {
        Dnnl.check(dnnl_h.dnnl_primitive_attr_destroy(handle), "dnnl_primitive_attr_destroy", "attributes");
    }
}
