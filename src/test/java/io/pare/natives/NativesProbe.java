package io.pare.natives;

import io.pare.blas.Blas;
import io.pare.dnnl.DnnlEngine;

/** A process of its own, because libraries are loaded once: prints what it finds, line by line. */
public final class NativesProbe {
    private NativesProbe() {}

    public static void main(String[] args) {
        NativeStatus status = Natives.status();
        System.out.println("available=" + status.available());
        System.out.println("reason=" + status.reason());
        status.notes().forEach(note -> System.out.println("note=" + note));
        status.libraries().forEach(l -> System.out.println(l.role() + "=" + l.origin() + " " + l.path()));
        if (status.available()) {
            System.out.println("onednn-version=" + DnnlEngine.get().version());
            System.out.println("openblas-threads=" + Blas.threads());
        }
        try {
            System.out.println("enabled=" + Natives.enabled());
        } catch (NativesUnavailableException e) {
            System.out.println("thrown=" + e.getMessage());
            System.out.println("cause=" + e.getCause());
        }
    }
}
