package io.pare.exec.onednn;

import io.pare.dnnl.DnnlMemory;
import io.pare.exec.Source;

/** What a primitive reads: memory, and what must run before each reading so that it is up to date. */
record DnnlSource(DnnlMemory memory, Runnable refresh) {
    /** Memory that is up to date anyway. */
    static DnnlSource of(DnnlMemory memory) {
        return new DnnlSource(memory, Source.NOTHING);
    }
}
