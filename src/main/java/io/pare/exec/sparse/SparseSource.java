package io.pare.exec.sparse;

/** A buffer with samples side by side, and what brings it up to date. */
record SparseSource(SamplesLast buffer, Runnable refresh) {}
