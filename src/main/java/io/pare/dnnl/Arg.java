package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;

/** The operands of a primitive. */
public enum Arg {
    SRC(dnnl_h.DNNL_ARG_SRC()),
    SRC_1(dnnl_h.DNNL_ARG_SRC_1()),
    WEIGHTS(dnnl_h.DNNL_ARG_WEIGHTS()),
    BIAS(dnnl_h.DNNL_ARG_BIAS()),
    SCALE(dnnl_h.DNNL_ARG_SCALE()),
    SHIFT(dnnl_h.DNNL_ARG_SHIFT()),
    MEAN(dnnl_h.DNNL_ARG_MEAN()),
    VARIANCE(dnnl_h.DNNL_ARG_VARIANCE()),
    DST(dnnl_h.DNNL_ARG_DST()),
    WORKSPACE(dnnl_h.DNNL_ARG_WORKSPACE()),
    SCRATCHPAD(dnnl_h.DNNL_ARG_SCRATCHPAD()),
    DIFF_SRC(dnnl_h.DNNL_ARG_DIFF_SRC()),
    DIFF_WEIGHTS(dnnl_h.DNNL_ARG_DIFF_WEIGHTS()),
    DIFF_BIAS(dnnl_h.DNNL_ARG_DIFF_BIAS()),
    DIFF_SCALE(dnnl_h.DNNL_ARG_DIFF_SCALE()),
    DIFF_SHIFT(dnnl_h.DNNL_ARG_DIFF_SHIFT()),
    DIFF_DST(dnnl_h.DNNL_ARG_DIFF_DST());

    private final int code;

    Arg(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }
}
