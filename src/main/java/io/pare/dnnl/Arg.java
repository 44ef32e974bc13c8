package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;

/** The operands of a primitive. */
public enum Arg {
    SRC(dnnl_h.DNNL_ARG_SRC(), dnnl_h.dnnl_query_src_md(), 0),
    WEIGHTS(dnnl_h.DNNL_ARG_WEIGHTS(), dnnl_h.dnnl_query_weights_md(), 0),
    BIAS(dnnl_h.DNNL_ARG_BIAS(), dnnl_h.dnnl_query_weights_md(), 1),
    DST(dnnl_h.DNNL_ARG_DST(), dnnl_h.dnnl_query_dst_md(), 0),
    WORKSPACE(dnnl_h.DNNL_ARG_WORKSPACE(), dnnl_h.dnnl_query_workspace_md(), 0),
    SCRATCHPAD(dnnl_h.DNNL_ARG_SCRATCHPAD(), dnnl_h.dnnl_query_scratchpad_md(), 0),
    DIFF_SRC(dnnl_h.DNNL_ARG_DIFF_SRC(), dnnl_h.dnnl_query_diff_src_md(), 0),
    DIFF_WEIGHTS(dnnl_h.DNNL_ARG_DIFF_WEIGHTS(), dnnl_h.dnnl_query_diff_weights_md(), 0),
    DIFF_BIAS(dnnl_h.DNNL_ARG_DIFF_BIAS(), dnnl_h.dnnl_query_diff_weights_md(), 1),
    DIFF_DST(dnnl_h.DNNL_ARG_DIFF_DST(), dnnl_h.dnnl_query_diff_dst_md(), 0);

    private final int code;
    private final int query;
    private final int index;

    Arg(int code, int query, int index) {
        this.code = code;
        this.query = query;
        this.index = index;
    }

    int code() {
        return code;
    }

    int query() {
        return query;
    }

    int index() {
        return index;
    }
}
