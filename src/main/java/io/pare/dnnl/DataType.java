package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;

/** What the numbers in a memory are. */
public enum DataType {
    /** 32-bit floats. */
    F32(dnnl_h.dnnl_f32()),
    /** bfloat16: the upper half of a 32-bit float, its exponent and 8 significant bits. */
    BF16(dnnl_h.dnnl_bf16());

    private final int code;

    DataType(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }
}
