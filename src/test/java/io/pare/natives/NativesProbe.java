package io.pare.natives;

import io.pare.blas.Blas;
import io.pare.dnnl.DnnlEngine;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** A process of its own, because libraries are loaded once: prints what it finds, line by line. */
public final class NativesProbe {
    /** What loading the libraries sets in the environment of C. */
    static final List<String> VARIABLES =
            List.of("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOMP_SPINCOUNT", "KMP_BLOCKTIME");

    private NativesProbe() {}

    /** As C sees it. */
    @SuppressWarnings("restricted")
    private static String environment(String name) {
        Linker linker = Linker.nativeLinker();
        MethodHandle getenv = linker.downcallHandle(linker.defaultLookup().findOrThrow("getenv"),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = (MemorySegment) getenv.invokeExact(arena.allocateFrom(name));
            return value.address() == 0 ? "" : value.reinterpret(100).getString(0);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    public static void main(String[] args) {
        NativeStatus status = Natives.status();
        System.out.println("available=" + status.available());
        System.out.println("reason=" + status.reason());
        status.notes().forEach(note -> System.out.println("note=" + note));
        status.libraries().forEach(l -> System.out.println(l.role() + "=" + l.origin() + " " + l.path()));
        for (String name : VARIABLES) {
            System.out.println(name + "=" + environment(name));
        }
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
