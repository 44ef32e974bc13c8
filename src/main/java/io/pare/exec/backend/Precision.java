package io.pare.exec.backend;

import io.pare.dnnl.DnnlEngine;
import java.util.Locale;
import java.util.Optional;

/** In which numbers a tape computes. Parameters, their gradients, statistics, logits and loss are fp32 in all. */
public enum Precision {
    /** 32-bit floats. */
    FP32,
    /**
     * Activations and their gradients between layers as bfloat16, and weights converted to it for each pass; all sums are
     * fp32 (Micikevicius et al., 1710.03740, with Kalamkar et al., 1905.12322: bfloat16 has the exponents of fp32, so the
     * loss needs no scaling). Needs oneDNN and a processor that multiplies bfloat16.
     */
    BF16;

    /**
     * {@return why this machine cannot compute so; empty if it can} Loads the native libraries unless they are off.
     */
    public Optional<String> obstacle() {
        return this == FP32 ? Optional.empty() : DnnlEngine.obstacleToBf16();
    }

    /** As in commands and reports. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
